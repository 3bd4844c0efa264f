"""The form of a plan document, from its packaged JSON Schema: what may be calculated with.

In: a document. Out: the same with numbers as `Decimal` and ISO dates as dates, every field that is
missing or of another kind, and which fields a check has looked at. What the schema does not know is
noted as not read, never refused; what came after the document means its default. Of JSON Schema it
reads what `scripts/make_docs.py` writes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

SCHEMA = Path(__file__).parent.parent / "plan-schema.json"
KEYWORDS = frozenset({
    "$ref", "anyOf", "const", "enum", "type", "format", "pattern", "items", "prefixItems",
    "minItems", "maxItems", "properties", "required", "additionalProperties",
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
})  # fmt: skip
"""What binds; titles, descriptions and defaults do not."""
LEAST_NUMBER, LARGEST_NUMBER = 1e-300, 1e30
SHORT = 60
"""Characters of a value in a message."""
NULL = {"type": "null"}
TABLE = {"$ref": "#/$defs/Table"}
"""A list as columns: it is read as a list before its form is held against the schema."""
PYTHON = {"string": str, "integer": int, "number": float, "null": type(None)}

Schema = Mapping[str, Any]
Where = tuple[Any, str | int] | None
"""A path, from its end: (path before, key)."""


class Row(dict[str, Any]):
    """A record of the document that notes which of its fields a check looks at."""

    __slots__ = ("seen",)
    seen: set[str]

    def __getitem__(self, key: str) -> Any:
        """The field, noted."""
        self.seen.add(key)
        return dict.__getitem__(self, key)


@dataclass(slots=True)
class Reading:
    """What becomes of one document.

    misfits  (where, what is due, what is there)
    unknown  fields that the schema does not have
    later    fields that came after the document: each is read as its default
    seen     record, as `holdings[].lots[]` -> fields that a check has looked at
    """

    misfits: list[tuple[str, str, str]] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    later: set[str] = field(default_factory=set)
    seen: dict[str, set[str]] = field(default_factory=dict)

    def unseen(self) -> list[str]:
        """Fields, in the order of the schema, that no check has looked at."""
        return [name for name, record, key in self.fields() if key not in self.seen[record]]

    def fields(self) -> list[tuple[str, str, str]]:
        """(field, its record, its key) of every leaf that the document has."""
        return [
            (f"{record}.{key}".lstrip("."), record, key)
            for record, keys in _form()[1].items()
            if record in self.seen
            for key in keys
        ]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value: its name for people, how it is read, and whether records are in it."""

    name: str
    read: Callable[[Any, Where, Reading], Any]
    branch: bool = False


def read(document: Mapping[str, Any], reading: Reading) -> Any:
    """The document ready to calculate with; `reading.misfits` says why it is not."""
    return _form()[0].read(document, None, reading)


@cache
def _form() -> tuple[Kind, Mapping[str, list[str]]]:
    """The kind of a plan; record -> its fields that hold no further records."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    leaves: dict[str, list[str]] = {}
    return _kind(schema, schema["$defs"], "", leaves), leaves


def _kind(schema: Schema, defs: Schema, at: str, leaves: dict[str, list[str]]) -> Kind:
    """The kind that a schema describes; `at` is the path of what has it."""
    kind = schema.get("type")
    if "$ref" in schema:
        return _kind(defs[schema["$ref"].rpartition("/")[2]], defs, at, leaves)
    if "anyOf" in schema:
        return _either(schema["anyOf"], defs, at, leaves)
    if kind == "array":
        return _list(schema, defs, at, leaves)
    return _object(schema, defs, at, leaves) if kind == "object" else _single(schema, kind)


def _single(schema: Schema, kind: str | None) -> Kind:
    """The kind of one value."""
    if "enum" in schema or "const" in schema:
        words = schema.get("enum") or [schema["const"]]
        return _plain(" or ".join(map(str, words)), lambda value: value in words)
    if kind == "string":
        return _text(schema)
    if kind in {"number", "integer"}:
        return _number(schema, whole=kind == "integer")
    if kind == "boolean":
        return _plain("true or false", lambda value: isinstance(value, bool))
    return _plain("anything", lambda _: True)


def _either(schemas: list[Schema], defs: Schema, at: str, leaves: dict[str, list[str]]) -> Kind:
    """Null or a kind; of several kinds the value stays as it is."""
    schemas = [schema for schema in schemas if schema != TABLE]
    kinds = [_kind(schema, defs, at, leaves) for schema in schemas if schema != NULL]
    name = " or ".join([kind.name for kind in kinds] + ["null"] * (len(kinds) < len(schemas)))
    if len(schemas) == 1:
        return kinds[0]
    if len(kinds) > 1:
        types = {PYTHON[schema["type"]] for schema in schemas}
        return _plain(name, lambda value: type(value) in types)

    def read(value: Any, where: Where, reading: Reading) -> Any:
        return None if value is None else kinds[0].read(value, where, reading)

    return Kind(name, read, kinds[0].branch)


def _plain(name: str, fits: Callable[[Any], bool]) -> Kind:
    """A value that stays as it is."""

    def read(value: Any, where: Where, reading: Reading) -> Any:
        return value if fits(value) else _misfit(name, value, where, reading)

    return Kind(name, read)


def _text(schema: Schema) -> Kind:
    if "format" not in schema:
        return _plain("text", lambda value: isinstance(value, str))
    if schema["format"] == "date":
        return Kind("a date", _day)
    pattern = re.compile(schema["pattern"])
    name = f"a decimal number{'' if pattern.match('0') else ' above 0'} as text"

    def read(value: Any, where: Where, reading: Reading) -> Any:
        if isinstance(value, str) and pattern.fullmatch(value):
            return Decimal(value)
        return _misfit(name, value, where, reading)

    return Kind(name, read)


def _day(value: Any, where: Where, reading: Reading) -> Any:
    try:
        day = date.fromisoformat(value)
    except (TypeError, ValueError):
        return _misfit("a date", value, where, reading)
    return day if day.isoformat() == value else _misfit("a date", value, where, reading)


def _number(schema: Schema, *, whole: bool) -> Kind:
    """A JSON number in its range; not NaN, for which no comparison holds."""
    low, high = schema.get("minimum", -LARGEST_NUMBER), schema.get("maximum", LARGEST_NUMBER)
    over, under = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    name = "a whole number" if whole else "a number"
    bounds = [
        *([f"at least {low:g}"] if "minimum" in schema else []),
        *([] if over is None else [f"over {over:g}"]),
        *([f"at most {high:g}"] if "maximum" in schema else []),
        *([] if under is None else [f"under {under:g}"]),
    ]
    name += "".join(f", {bound}" for bound in bounds)

    def read(value: Any, where: Where, reading: Reading) -> Any:
        fits = type(value) is int or (type(value) is float and not whole)
        fits = fits and (value == 0 or abs(value) >= LEAST_NUMBER) and low <= value <= high
        fits = fits and (over is None or value > over) and (under is None or value < under)
        if not fits:
            return _misfit(name, value, where, reading)
        return value if whole else Decimal(repr(value))

    return Kind(name, read)


def _list(schema: Schema, defs: Schema, at: str, leaves: dict[str, list[str]]) -> Kind:
    if "prefixItems" in schema:
        kinds = [_kind(item, defs, at, leaves) for item in schema["prefixItems"]]
    else:
        item = _kind(schema["items"], defs, f"{at}[]", leaves)

    def read(value: Any, where: Where, reading: Reading) -> Any:
        if not isinstance(value, list | tuple):
            return _misfit("a list", value, where, reading)
        if "prefixItems" not in schema:
            return [item.read(entry, (where, n), reading) for n, entry in enumerate(value)]
        if len(value) != len(kinds):
            return _misfit("a list", value, where, reading)
        pairs = enumerate(zip(kinds, value, strict=True))
        return tuple(kind.read(entry, (where, n), reading) for n, (kind, entry) in pairs)

    return Kind("a list", read, "items" in schema and item.branch)


def _object(schema: Schema, defs: Schema, at: str, leaves: dict[str, list[str]]) -> Kind:
    """A record that is closed, one that is open to more, or a map from names."""
    if "properties" not in schema:
        inner = schema.get("additionalProperties", True)
        entry = _kind({} if inner is True else inner, defs, at, leaves)
        return Kind("an object", _map(entry))
    closed = "additionalProperties" not in schema
    own = leaves.setdefault(at, []) if closed else []
    kinds = {}
    for key, inner in schema["properties"].items():
        path = f"{at}.{key}".lstrip(".")
        kinds[key] = _kind(inner, defs, path, leaves if closed else {})
        if not kinds[key].branch:
            own.append(key)
    required, defaults = schema.get("required", ()), _defaults(schema)

    def read(value: Any, where: Where, reading: Reading) -> Any:
        if not isinstance(value, dict):
            return _misfit("an object", value, where, reading)
        row = _row(value, at, kinds, reading) if closed else dict(value)
        for key, kind in kinds.items():
            if key in value:
                row[key] = kind.read(value[key], (where, key), reading)
            elif key in defaults:
                row[key] = kind.read(defaults[key], (where, key), reading)
                reading.later.add(path_of((where, key)))
            elif key in required:
                missing = "nothing: the field is missing"
                reading.misfits.append((path_of((where, key)), kind.name, missing))
        return row

    return Kind("an object", read, closed)


def _row(
    value: Mapping[str, Any], at: str, kinds: Mapping[str, Kind], reading: Reading
) -> dict[str, Any]:
    """A record without its fields; those that nobody knows are noted."""
    row = Row()
    row.seen = reading.seen.setdefault(at, set())
    reading.unknown += [f"{at}.{key}".lstrip(".") for key in value if key not in kinds]
    return row


def _defaults(schema: Schema) -> dict[str, Any]:
    """What a record without a field means, of fields that came after the first version."""
    fields, required = schema["properties"].items(), schema.get("required", ())
    return {
        key: inner["default"] for key, inner in fields if "default" in inner and key not in required
    }


def _map(entry: Kind) -> Callable[[Any, Where, Reading], Any]:
    def read(value: Any, where: Where, reading: Reading) -> Any:
        if not isinstance(value, dict):
            return _misfit("an object", value, where, reading)
        return {key: entry.read(inner, (where, key), reading) for key, inner in value.items()}

    return read


def _misfit(due: str, value: Any, where: Where, reading: Reading) -> None:
    text = repr(value)
    text = text if len(text) <= SHORT else f"{text[:SHORT]}..."
    reading.misfits.append((path_of(where) or "the document", due, text))


def path_of(where: Where) -> str:
    """`steps[0].costs.fx`."""
    if where is None:
        return ""
    before, key = path_of(where[0]), where[1]
    return f"{before}[{key}]" if isinstance(key, int) else f"{before}.{key}".lstrip(".")
