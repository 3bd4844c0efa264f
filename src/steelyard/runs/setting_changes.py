"""What another version of a strategy changes, setting by setting, as a person reads it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from steelyard.errors import one_line
from steelyard.strategies.diff import AS_PLANNED, StrategyDiff, semantic
from steelyard.strategies.fields import OFF, Field, groups, with_unit
from steelyard.strategies.files.spellings import ENABLED
from steelyard.strategies.strategy import Strategy

Sign = Literal["add", "remove", "change"]
SIGNS: Mapping[Sign, str] = {"add": "+", "remove": "\u2212", "change": "~"}
LONGEST = 60
"""Characters of a value that are shown; the text has it whole."""


@dataclass(frozen=True, slots=True)
class Row:
    """A setting in both; `about` says what it is, old and new have their units."""

    sign: Sign
    key: str
    label: str
    old: str
    new: str
    about: str

    @property
    def mark(self) -> str:
        """`+`, `−`, `~`."""
        return SIGNS[self.sign]


@dataclass(frozen=True, slots=True)
class Changes:
    """What was changed; `follows`: what a plan decides itself by that."""

    rows: tuple[Row, ...]
    follows: tuple[Row, ...]


NOTHING = Changes((), ())


def changes(a: Strategy, b: Strategy, currency: str = "") -> Changes:
    """The settings of b that act otherwise than in a, in the order of the fields."""
    if a.sha256 == b.sha256:
        return NOTHING
    diff = semantic(a, b)
    fields = _fields(a) | _fields(b)
    order = {key: n for n, key in enumerate(fields)}
    rows = sorted(
        _rows(diff, fields, currency), key=lambda row: (order.get(row.key, math.inf), row.key)
    )
    decided = tuple(row for row in rows if row.key.startswith(f"{AS_PLANNED}."))
    return Changes(tuple(row for row in rows if row not in decided), decided)


def _fields(strategy: Strategy) -> dict[str, Field]:
    return {field.key: field for _, rows in groups(strategy, every=True) for field in rows}


def _rows(diff: StrategyDiff, fields: Mapping[str, Field], currency: str) -> Iterator[Row]:
    for key, change in diff.globals_changed.items():
        yield _row(key, change.old, change.new, fields, currency)
    for module, params in diff.params_changed.items():
        for name, change in params.items():
            yield _row(f"{module}.{name}", change.old, change.new, fields, currency)
    for module in diff.modules_added:
        yield _row(f"{module}.{ENABLED}", None, True, fields, currency)
    for module in diff.modules_removed:
        yield _row(f"{module}.{ENABLED}", True, None, fields, currency)


def _row(key: str, old: Any, new: Any, fields: Mapping[str, Field], currency: str) -> Row:
    field = fields.get(key)
    sign: Sign = "add" if old is None else "remove" if new is None else "change"
    was, now = _text(old, field, currency), _text(new, field, currency)
    if field is None:
        return Row(sign, key, _label(key), was, now, "")
    return Row(sign, key, field.label, was, now, _sentence(field.about))


def _text(value: Any, field: Field | None, currency: str) -> str:
    if value is None:
        return OFF
    if field is not None and isinstance(value, bool | int | float | str):
        return one_line(with_unit(field, value, currency), LONGEST)
    if isinstance(value, bool):
        return "on" if value else OFF
    if isinstance(value, dict):
        return one_line(", ".join(f"{k} {_text(v, None, '')}" for k, v in value.items()), LONGEST)
    if isinstance(value, list | tuple):
        return one_line(", ".join(_text(part, None, "") for part in value) or "none", LONGEST)
    return one_line(f"{value:.12g}" if isinstance(value, float) else str(value), LONGEST)


def _label(key: str) -> str:
    name = key.removeprefix(f"{AS_PLANNED}.").replace(".", ": ").replace("_", " ")
    return name[:1].upper() + name[1:]


def _sentence(text: str) -> str:
    text = text.strip()
    if not text:
        return ""
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
