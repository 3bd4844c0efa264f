"""A plan that was made before: of a file, or of the database by its id or the first digits of it.

What stands at a path is a file; what does not and is hexadecimal is an id.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from steelyard.cli.stored import is_there, opened
from steelyard.environment import database

if TYPE_CHECKING:
    from steelyard.plans.plan import Plan

MAX_BYTES = 64 * 1024 * 1024
ID = re.compile("[0-9a-fA-F]{1,64}")
HOW_TO = "steelyard plan --json > F.json"
PLANS = "ID|F.json"
"""How help calls a saved plan."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A plan and the very text of its document, which may be of an older version.

    saved_at   when it was kept, or its file last written
    """

    plan: Plan
    text: str
    saved_at: datetime


def plan_of(name: str) -> Plan:
    """The plan of an id or a file; raises InputError, NotStored, StoreError."""
    return saved(name).plan


def saved(name: str) -> Saved:
    """The same with its text."""
    if is_id(name):
        return stored(name)
    text = _read(Path(name))
    written = datetime.fromtimestamp(Path(name).stat().st_mtime, UTC)
    return Saved(_parsed(text, name), text.decode("utf-8-sig"), written)


def is_id(name: str) -> bool:
    """Is it the id of a plan, or the beginning of one, and no file?"""
    return ID.fullmatch(name) is not None and not os.path.lexists(name)


def stored(name: str) -> Saved:
    """The same of the database alone."""
    from steelyard.errors import NotStored

    if not is_there():
        place = database(os.environ)
        raise NotStored(
            f"No plan {name} is stored: there is no database {place}, and no file {name}. Save a "
            "plan with: steelyard plan --save",
            code="no_plans_stored",
            place="PLAN",
            value=name,
            hint="steelyard plan --save",
        )
    from steelyard.store import plans

    with opened() as store:
        stored = plans.load(store, name)
    return Saved(stored.plan, stored.text, stored.row.saved_at)


def _read(path: Path) -> bytes:
    from steelyard.errors import InputError

    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
            what = f"is not a regular file of at most {MAX_BYTES:,} bytes"
            raise InputError(
                f"The plan {path} {what}. Nothing was read.",
                code="plan_unreadable",
                place=str(path),
                limit=f"a regular file of at most {MAX_BYTES} bytes",
            )
        return path.read_bytes()
    except (OSError, ValueError) as error:
        what = f"could not be read: {getattr(error, 'strerror', None) or error}"
        raise InputError(
            f"The plan {path} {what}. Nothing was read.", code="plan_unreadable", place=str(path)
        ) from error


def _parsed(text: bytes, name: str) -> Plan:
    """The plan of a document; InputError for one that is none or was changed since."""
    from pydantic import ValidationError

    from steelyard.errors import InputError
    from steelyard.plans.plan import Plan, content, plan_id

    try:
        document = content(text)
        plan = Plan.from_document(document)
        same = plan.plan_id == plan_id(document)
    except (ValidationError, ValueError) as error:
        what = f"The plan {name} is not a plan document: {_refusal(text) or _first(error)}."
        raise InputError(
            f"{what} Save one with: {HOW_TO}",
            code="not_a_plan",
            place=name,
            value=_first(error),
            hint=HOW_TO,
        ) from error
    if not same:
        changed = f"The plan {name} was changed after it was made"
        raise InputError(
            f"{changed}: its content does not give its plan_id. Plan again.",
            code="plan_changed",
            place=name,
            hint="plan again",
        )
    return plan


def _refusal(text: bytes) -> str:
    """What a document of --json says that tells why no plan was made; "" for any other."""
    from steelyard.plans.plan import content

    try:
        document = content(text)
        return f"it says why none was made: {document['error']['message'].removesuffix('.')}"
    except (ValueError, LookupError, TypeError, AttributeError):
        return ""


def _first(error: Exception) -> str:
    """Where and what of the first thing that is wrong."""
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or 'the whole'}: {first['msg']}"
