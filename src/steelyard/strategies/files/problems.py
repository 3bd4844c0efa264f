"""What is wrong with a strategy, in words; pydantic's own words stay here."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from steelyard.errors import did_you_mean

SHOWN_CHARACTERS = 60
"""How much of a wrong value a message repeats."""
LAST_SHORT = 0xFFFF
"""Last character that four digits write."""
SHOWN_BITS = 200
"""Of a whole number; Python writes out no number of thousands of digits."""
MOST_PROBLEMS = 20
"""After so many nobody reads on, and a file that is wrong everywhere must not take long."""

Schema = Mapping[str, Any]
Severity = Literal["error", "warning"]
Place = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a strategy (error), or worth knowing (warning).

    place   the key in the document, from the top: ("limits", "allow_buy")
    text    a sentence for a person
    """

    severity: Severity
    place: Place
    text: str

    @property
    def key(self) -> str:
        """`limits.allow_buy`."""
        return dotted(self.place)


def error(place: Place, text: str) -> Problem:
    """A problem that refuses the strategy."""
    return Problem("error", place, text)


def warning(place: Place, text: str) -> Problem:
    """A problem that is worth knowing."""
    return Problem("warning", place, text)


class Problems(list[str]):
    """The sentences of all errors, empty when valid; `found` has errors and warnings as records."""

    def __init__(self, problems: Iterable[Problem] = ()) -> None:
        self.found = tuple(problems)
        super().__init__(problem.text for problem in self.found if problem.severity == "error")

    @property
    def errors(self) -> list[str]:
        """What refuses the strategy."""
        return list(self)

    @property
    def warnings(self) -> list[str]:
        """What is worth knowing."""
        return [problem.text for problem in self.found if problem.severity == "warning"]

    @property
    def is_valid(self) -> bool:
        """May the strategy be planned with?"""
        return not self


def quoted(text: str) -> str:
    """A text as TOML has it between double quotes, with nothing that a terminal would obey.

    >>> print(quoted("North America"), quoted("\x9b2J"))
    "North America" "\\u009b2J"
    """
    signs = json.dumps(text, ensure_ascii=False)
    return "".join(sign if sign.isprintable() else _escaped(sign) for sign in signs)


def _escaped(sign: str) -> str:
    return f"\\u{ord(sign):04x}" if ord(sign) <= LAST_SHORT else f"\\U{ord(sign):08x}"


def bare(key: str) -> str:
    """A key, quoted where it has to be."""
    return key if key.isascii() and key.replace("_", "").replace("-", "").isalnum() else quoted(key)


def dotted(place: Iterable[str]) -> str:
    """A key from the top as a file would have it, each part cut to what a message can carry.

    >>> print(dotted(("limits", "allow_buy")), dotted(("", "a.b")))
    limits.allow_buy ""."a.b"
    """
    return ".".join(bare(cut(part)) for part in place)


def cut(text: str, most: int = SHOWN_CHARACTERS) -> str:
    """The beginning of a text that is longer."""
    return text if len(text) <= most else text[:most] + "…"


def shown(value: object) -> str:
    """A value as a TOML file would have it, cut to what a message can carry.

    >>> shown(True), shown("x"), shown(0.5)
    ('true', "'x'", '0.5')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, int) and value.bit_length() > SHOWN_BITS:
        return f"a number of {value.bit_length():,} bits"
    if isinstance(value, list | tuple):
        return cut(f"[{', '.join(map(shown, value[:SHOWN_CHARACTERS]))}]")
    return cut(repr(value[:SHOWN_CHARACTERS]) if isinstance(value, str) else str(value))


def unknown_key(place: Place, names: Sequence[str], listed: Sequence[str] | None = None) -> str:
    """Sentence for a key that nothing reads; `listed` are named, else all, when none is near."""
    *table, _ = place
    where = f"in [{dotted(table)}] " if table else ""
    near = meant(place, names) or f" Known {where}are {', '.join(sorted(listed or names))}."
    return f"{dotted(place)} is not a known key.{near}"


def meant(place: Place, names: Sequence[str]) -> str:
    """` Did you mean max_depth?`, or nothing; of a look-alike it says how it is spelled."""
    name = place[-1]
    near = did_you_mean(name, list(names)) if len(name) <= SHOWN_CHARACTERS else ""
    return f" It is spelled {name!a}.{near}" if near and not name.isascii() else near


@dataclass(frozen=True, slots=True)
class Written:
    """Where a value of a house key stands in the document, and as what."""

    place: Place
    raw: object


NOTHING_WRITTEN: Mapping[str, Written] = {}


def explain(
    errors: ValidationError,
    model: type[BaseModel],
    table: Place,
    written: Mapping[str, Written] = NOTHING_WRITTEN,
) -> list[Problem]:
    """One problem for everything that the validation of a table found.

    table     the table in the house form, like ("score",) or ("filters", "eligibility")
    written   keys of the table -> where the document has them, where that is another place
    """
    schema = model.model_json_schema()
    problems = []
    slips = errors.errors(include_url=False)
    wrong_inside = {slip["loc"][:-1] for slip in slips}
    for slip in slips[:MOST_PROBLEMS]:
        if slip["type"] == "too_short" and slip["loc"] in wrong_inside:
            continue  # of the entries only the good ones are counted
        first, *rest = slip["loc"] or ("",)
        elsewhere = written.get(str(first))
        place = elsewhere.place if elsewhere else (*table, str(first)) if first else table
        value = elsewhere.raw if elsewhere and not rest else slip["input"]
        text = _sentence(schema, (*place, *rest), slip, value)
        house = dotted((*table, str(first)))
        exact = (*place, *map(str, itertools.takewhile(lambda part: isinstance(part, str), rest)))
        sets = f" It sets {house}." if elsewhere and house != dotted(place) else ""
        problems.append(error(exact, f"{text}{sets}"))
    return problems


def _sentence(
    schema: Schema, place: tuple[int | str, ...], slip: ErrorDetails, value: object
) -> str:
    location, kind = slip["loc"], slip["type"]
    if kind == "extra_forbidden":
        names = list(_find(schema, location[:-1]).get("properties", {}))
        return unknown_key(tuple(map(str, place)), names)
    full = indexed(place)
    if kind == "value_error":
        return f"{full}: {slip['ctx']['error']}."
    if kind == "missing":
        return f"{full} is missing; it must be {allowed(_find(schema, location), schema)}."
    return f"{full} is {shown(value)}; it must be {allowed(_find(schema, location), schema)}."


def indexed(place: Iterable[int | str]) -> str:
    """`score.anchors.fit[0]`."""
    parts = (f"[{p}]" if isinstance(p, int) else f".{dotted((p,))}" for p in place)
    return "".join(parts).removeprefix(".")


def resolved(node: Schema, root: Schema) -> Schema:
    """The schema behind a reference, and of an optional value the schema of the value."""
    if "$ref" in node:
        return resolved(root["$defs"][node["$ref"].rpartition("/")[2]], root)
    options = [option for option in node.get("anyOf", ()) if option.get("type") != "null"]
    return resolved(options[0], root) if len(options) == 1 else node


def _find(root: Schema, location: tuple[int | str, ...]) -> Schema:
    """The schema of one place; an empty one where the model does not say."""
    node = resolved(root, root)
    for part in location:
        if isinstance(part, int):
            lists = (option for option in node.get("anyOf", ()) if option.get("type") == "array")
            node = next(lists, node)
            items = node.get("prefixItems", ())
            node = items[part] if part < len(items) else node.get("items", {})
        else:
            node = node.get("properties", {}).get(part) or node.get("additionalProperties") or {}
        node = resolved(node if isinstance(node, Mapping) else {}, root)
    return node


NOUNS = {
    "number": "a number",
    "integer": "a whole number",
    "string": "text",
    "boolean": "true or false",
    "object": "a table",
}


def allowed(node: Schema, root: Schema) -> str:
    """What may stand in a place: `a number from 0 to 1`, `true or false`, `one of 'a', 'b'`."""
    node = resolved(node, root)
    if "enum" in node:
        return "one of " + ", ".join(map(repr, node["enum"]))
    if "const" in node:
        return repr(node["const"])
    if "anyOf" in node:
        return " or ".join(allowed(option, root) for option in node["anyOf"])
    if node.get("type") == "array":
        return _list(node, root)
    return NOUNS.get(node.get("type", ""), "another kind of value") + _range(node)


def _list(node: Schema, root: Schema) -> str:
    if items := node.get("prefixItems"):
        return f"a list of {len(items)}: " + " and ".join(allowed(item, root) for item in items)
    low, high = node.get("minItems"), node.get("maxItems")
    count = f" of {low} to {high}" if low and high else f" of at least {low}" if low else ""
    count = f" of at most {high}" if high and not low else count
    return f"a list{count}, each entry {allowed(node.get('items', {}), root)}"


def _range(node: Schema) -> str:
    """` from 0 to 1`, ` above 0 and at most 2`, `, 0 or more`."""
    keys = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")
    low, over, high, under = (_bound(node, key) for key in keys)
    if low and high:
        return f" from {low} to {high}"
    if low and not under:
        return f", {low} or more"
    lower = f"at least {low}" if low else f"above {over}" if over else ""
    upper = f"at most {high}" if high else f"below {under}" if under else ""
    return " " + " and ".join(part for part in (lower, upper) if part) if lower or upper else ""


def _bound(node: Schema, key: str) -> str:
    """`1,000,000`; empty where there is none."""
    return f"{node[key]:,.15g}" if node.get(key) is not None else ""
