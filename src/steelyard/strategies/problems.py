"""What is wrong with a table of a strategy, in words: key, value, allowed range. Pydantic's own words stay here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from steelyard.errors import did_you_mean

SHOWN_CHARACTERS = 60
"""How much of a wrong value a message repeats."""

Schema = Mapping[str, Any]


def shown(value: object) -> str:
    """A value as a TOML file would have it, cut to what a message can carry.

    >>> shown(True), shown("x"), shown(0.5)
    ('true', "'x'", '0.5')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "a table"
    text = repr(value) if isinstance(value, str | int | float | list) else str(value)
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"


def unknown_key(path: str, known: Sequence[str]) -> str:
    """Sentence for a key that nothing reads."""
    prefix, _, key = path.rpartition(".")
    where = f"in [{prefix}] " if prefix else ""
    near = did_you_mean(key, list(known)) or f" Known {where}are {', '.join(sorted(known))}."
    return f"{path} is not a known key.{near}"


def explain(error: ValidationError, model: type[BaseModel], path: str) -> list[str]:
    """One sentence for every problem that the validation of a table found.

    path   of the table in the file, like `score` or `filters.eligibility`
    """
    schema = model.model_json_schema()
    return [
        _sentence(schema, path, tuple(one["loc"]), one["type"], one["input"], one.get("ctx", {})) for one in error.errors(include_url=False)
    ]


def _sentence(schema: Schema, path: str, location: tuple[int | str, ...], kind: str, value: object, context: Mapping[str, Any]) -> str:
    full = _dotted(path, location)
    if kind == "extra_forbidden":
        return unknown_key(full, list(_find(schema, location[:-1]).get("properties", {})))
    if kind == "value_error":
        return f"{full}: {context['error']}."
    if kind == "missing":
        return f"{full} is missing; it must be {allowed(_find(schema, location), schema)}."
    return f"{full} is {shown(value)}; it must be {allowed(_find(schema, location), schema)}."


def _dotted(path: str, location: tuple[int | str, ...]) -> str:
    """`score.anchors.fit[0]`."""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    return path


def _resolve(node: Schema, root: Schema) -> Schema:
    """The schema behind a reference, and of an optional value the schema of the value."""
    if "$ref" in node:
        return _resolve(root["$defs"][node["$ref"].rpartition("/")[2]], root)
    given = [option for option in node.get("anyOf", ()) if option.get("type") != "null"]
    return _resolve(given[0], root) if len(given) == 1 else node


def _find(root: Schema, location: tuple[int | str, ...]) -> Schema:
    """The schema of one place; an empty one where the model does not say."""
    node = _resolve(root, root)
    for part in location:
        if isinstance(part, int):
            items = node.get("prefixItems", ())
            node = items[part] if part < len(items) else node.get("items", {})
        else:
            node = node.get("properties", {}).get(part) or node.get("additionalProperties") or {}
        node = _resolve(node if isinstance(node, Mapping) else {}, root)
    return node


NOUNS = {"number": "a number", "integer": "a whole number", "string": "text", "boolean": "true or false", "object": "a table"}


def allowed(node: Schema, root: Schema) -> str:
    """What may stand in a place: `a number from 0 to 1`, `true or false`, `one of 'a', 'b'`."""
    node = _resolve(node, root)
    if "enum" in node:
        return "one of " + ", ".join(map(repr, node["enum"]))
    if "const" in node:
        return repr(node["const"])
    if node.get("type") == "array":
        return _list(node, root)
    return NOUNS.get(node.get("type", ""), "another kind of value") + _range(node)


def _list(node: Schema, root: Schema) -> str:
    items = node.get("prefixItems")
    if items:
        return f"a list of {len(items)}: " + " and ".join(allowed(item, root) for item in items)
    return f"a list, each entry {allowed(node.get('items', {}), root)}"


def _range(node: Schema) -> str:
    """` from 0 to 1`, ` above 0 and at most 2`, `, 0 or more`."""
    low, over = node.get("minimum"), node.get("exclusiveMinimum")
    high, under = node.get("maximum"), node.get("exclusiveMaximum")
    if low is not None and high is not None:
        return f" from {low:g} to {high:g}"
    if low is not None and under is None:
        return f", {low:g} or more"
    lower = f"at least {low:g}" if low is not None else f"above {over:g}" if over is not None else ""
    upper = f"at most {high:g}" if high is not None else f"below {under:g}" if under is not None else ""
    return " " + " and ".join(part for part in (lower, upper) if part) if lower or upper else ""
