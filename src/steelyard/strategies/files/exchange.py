"""A strategy's text and what people say of it, as one file, and apart again.

    <the text, to the byte>
    [metadata]                  # a table, since a comment ends with its line and a title may not
    name = "momentum"
    title = "Momentum, deeper"
    toml_sha256 = "…"           # of the text: where it ends is told by this, not by looking

Nothing that a person typed can become a setting: it is a TOML string in a table that no rule reads.
Files of the documents have comments instead, `# Name: momentum`; they give defaults.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from steelyard.errors import SettingsError
from steelyard.strategies.files.problems import quoted
from steelyard.strategies.files.reading import document

METADATA = "metadata"
TEXT_HASH = "toml_sha256"
TEXTS = ("name", "title", "description")
LONGEST_VALUE = 60
"""Characters of a value that is no text, in a message."""
_MARK = f"[{METADATA}]\n"
_HEADER = re.compile(
    r"#\s*(name|title|description|version|created|exported):\s*(.*)", re.IGNORECASE
)
_EXPORT = "# Planner Configuration Export"


def together(text: str, values: Mapping[str, str | int]) -> str:
    """The text with a table of what people say of it; `apart` gives both back."""
    rows = {**values, TEXT_HASH: _sha256(text)}
    lines = [f"{name} = {_value(value)}" for name, value in rows.items()]
    return f"{text}\n{_MARK}" + "\n".join(lines) + "\n"


def apart(text: str) -> tuple[str, dict[str, Any]]:
    """A text without its table of metadata, and that table; empty where it has none.

    Raises SettingsError for a name, title or description that is no text.
    """
    whole = _parsed(text)
    table = None if whole is None else whole.get(METADATA)
    if not isinstance(table, dict):
        return _without_header(text)
    _check_texts(table)
    parts = [part for part in _heads(text) if _is_without(part)]
    if not parts:
        return text, table  # the table stands in the middle: somebody wrote it there
    same = (part for part in parts if _sha256(part) == table.get(TEXT_HASH))
    return next(same, parts[0]), table


def _check_texts(table: Mapping[str, Any]) -> None:
    for name in TEXTS:
        value = table.get(name, "")
        if not isinstance(value, str):
            raise SettingsError(
                f"{METADATA}.{name} is {str(value)[:LONGEST_VALUE]}; it must be a text in quotes. "
                "Nothing was planned.",
                code="metadata_no_text",
                place=f"{METADATA}.{name}",
                value=value,
                limit="a text",
                hint="put it in quotes",
            )


def _heads(text: str) -> Iterator[str]:
    """What stands before each mark, the last one first, with and without the line's end."""
    places = [match.start() for match in re.finditer(re.escape(_MARK), text)]
    for place in reversed(places):
        head = text[:place]
        yield head.removesuffix("\n")
        yield head


def _is_without(part: str) -> bool:
    """Is it TOML of its own, without the table?"""
    values = _parsed(part)
    return values is not None and METADATA not in values


def _without_header(text: str) -> tuple[str, dict[str, Any]]:
    """A text of the documents without the comments of its export, and what these say."""
    lines = text.split("\n")
    comments = next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))
    values: dict[str, Any] = {}
    for i, line in enumerate(lines[:comments]):
        match = _HEADER.fullmatch(line.strip())
        if match is None:
            continue
        name, value = match[1].lower(), match[2].strip()
        if name == "description" and not value:
            value = "\n".join(below.lstrip("#").strip() for below in lines[i + 1 : comments])
        values.setdefault(name, value.strip())
    if lines[0].strip() == _EXPORT:
        text = "\n".join(lines[comments:]).removeprefix("\n")
    return text, {name: value for name, value in values.items() if value}


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        return dict(document(text, METADATA).values)
    except SettingsError:
        return None  # told, with its place, by who reads strategies


def _value(value: str | int) -> str:
    return quoted(value) if isinstance(value, str) else str(value)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
