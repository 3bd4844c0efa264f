"""From text to a plan document, or a clear word on why it is none.

The id is computed anew: SHA-256 of the content as JSON, keys sorted, no white space.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from steelyard.errors import InputError
from steelyard.plans.columnar import unfold

MAX_CHARACTERS = 64 * 1024 * 1024
FORM = "steelyard.plan/"
VERSION = 1
HOW_TO = "Save a plan with: steelyard plan --json > PLAN.json"

BESIDE_THE_ID = {"plan_id", "warnings", "timings", "transport", "explanation"}
BESIDE_THE_ID_IN_THE_CERTIFICATE = {"seconds", "nodes"}

ESCAPE = 6
"""Characters of a whole escape in a JSON string."""
WORDS = ("true", "false", "null", "NaN", "Infinity", "-Infinity")
"""Values that are not complete until their last letter."""
HALF_A_NUMBER = re.compile(r"-|\.|[eE][-+]?")


def load(text: str) -> dict[str, Any]:
    """The plan document in a text, numbers as Python reads JSON; its content is not judged here.

    Raises InputError, each with its own words, for what is no plan of Steelyard of this version.
    """
    if len(text) > MAX_CHARACTERS:
        size = f"{len(text):,} characters long; at most {MAX_CHARACTERS:,} are read"
        raise InputError(
            f"The plan is {size}. Nothing was checked.",
            code="plan_too_large",
            value=len(text),
            limit=MAX_CHARACTERS,
        )
    if not text.strip():
        raise InputError(
            f"The plan is empty. Nothing was checked. {HOW_TO}", code="plan_empty", hint=HOW_TO
        )
    try:
        document = json.loads(text, object_pairs_hook=_pairs, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        _refuse(text, error)
    except RecursionError as error:
        what = "The plan is nested far deeper than any plan"
        raise InputError(
            f"{what}. Nothing was checked. {HOW_TO}", code="plan_too_deep", hint=HOW_TO
        ) from error
    except ValueError as error:
        what = f"The plan holds a number that cannot be read: {error}"
        raise InputError(
            f"{what}. Nothing was checked. {HOW_TO}", code="plan_number_unreadable", hint=HOW_TO
        ) from error
    return unfold(_of_our_form(document))


def _pairs(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose every key stands once: with two, it can be read in two ways."""
    entries: dict[str, Any] = {}
    for key, value in pairs:
        if key in entries:
            what = f"The plan says {key!r} twice in one place, so it can be read in two ways"
            raise InputError(
                f"{what}. Nothing was checked. Plan again.",
                code="plan_key_twice",
                value=key,
                hint="plan again",
            )
        entries[key] = value
    return entries


def _no_number(constant: str) -> NoReturn:
    what = f"The plan holds {constant}, which no plan of Steelyard does: missing is null"
    raise InputError(
        f"{what}. Nothing was checked. Plan again.",
        code="plan_not_a_number",
        value=constant,
        limit="null",
        hint="plan again",
    )


def _refuse(text: str, error: json.JSONDecodeError) -> NoReturn:
    at = f"line {error.lineno}, column {error.colno}"
    if text.lstrip()[:1] in {"{", "["} and _cut_off(text, error):
        what = f"ends too early, at {at}: the file was cut off"
        raise InputError(
            f"The plan {what}. Nothing was checked. {HOW_TO}",
            code="plan_cut_off",
            place=at,
            hint=HOW_TO,
        ) from error
    what = f"is not JSON: {error.msg[:1].lower()}{error.msg[1:]} at {at}"
    raise InputError(
        f"The plan {what}. Nothing was checked. {HOW_TO}",
        code="plan_not_json",
        place=at,
        hint=HOW_TO,
    ) from error


def _cut_off(text: str, error: json.JSONDecodeError) -> bool:
    """Could more text have made it right?"""
    rest = text[error.pos :].rstrip()
    in_escape = "escape" in error.msg and len(rest) <= ESCAPE
    if not rest or "Unterminated string" in error.msg or in_escape:
        return True
    return bool(HALF_A_NUMBER.fullmatch(rest)) or any(word.startswith(rest) for word in WORDS)


def _of_our_form(document: Any) -> dict[str, Any]:
    form = document.get("schema") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(form, str) or not form.startswith(FORM):
        raise InputError(
            f'The file is JSON, but not a plan of Steelyard: it lacks "schema": "{FORM}{VERSION}".'
            f" Nothing was checked. {HOW_TO}",
            code="plan_of_no_form",
            place="schema",
            limit=f"{FORM}{VERSION}",
            hint=HOW_TO,
        )
    number = re.fullmatch(r"[0-9]{1,9}", form.removeprefix(FORM))
    if number and int(number.group()) > VERSION:
        raise InputError(
            f"The plan is of form {form!r}, made by a newer version of Steelyard; this one reads "
            f"{FORM}{VERSION}. Nothing was checked. Update Steelyard, or plan again.",
            code="plan_of_newer_form",
            place="schema",
            value=form,
            limit=f"{FORM}{VERSION}",
            hint="update Steelyard, or plan again",
        )
    if not number or int(number.group()) < VERSION:
        raise InputError(
            f"The plan is of form {form[:60]!r}, which this version of Steelyard does not know; it "
            f"reads {FORM}{VERSION}. Nothing was checked. Plan again.",
            code="plan_of_older_form",
            place="schema",
            value=form[:60],
            limit=f"{FORM}{VERSION}",
            hint="plan again",
        )
    return document


def content_id(document: Mapping[str, Any]) -> str:
    """What `plan_id` must be: everything but how the plan was made, hashed."""
    content = {key: value for key, value in document.items() if key not in BESIDE_THE_ID}
    certificate = content.get("certificate")
    if isinstance(certificate, dict):
        beside = BESIDE_THE_ID_IN_THE_CERTIFICATE
        content["certificate"] = {k: v for k, v in certificate.items() if k not in beside}
    return hash_of(content)


def hash_of(content: Any) -> str:
    """SHA-256 of JSON values in their one canonical spelling."""
    spelled = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(spelled.encode("utf-8", "surrogatepass")).hexdigest()
