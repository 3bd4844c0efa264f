"""Documents of other versions: fields are only added, and a reader passes over what it knows not.

A field that was added is in `ADDED` with what documents before it mean: they are read as if they
had it. A field of a later version is not read. A change that is more than that is another form,
`steelyard.plan/2`.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

ADDED: Mapping[str, Any] = {
    "flows": [],
    "occasions": [],
    "bands": [],
    "classes": [],
    "realised_gain": None,
    "holdings[].class_name": None,
    "holdings[].preference": None,
    "holdings[].sectors": [],
    "holdings[].countries": [],
    "reserve_reason": {"text": "", "template": "", "facts": {}},
    "second_half": None,
    "score.foresight": None,
    "transport": None,
    "frontier": [],
    "choice_rule": None,
    "outlook": None,
    "certificate.sampled": None,
    "strategy.title": "",
    "strategy.text_sha256": "",
}
"""Field that came later, as `steps[].lots[].term` -> what a document without it means."""
Place = tuple[str | int, ...]


def without(document: Any, places: Iterable[Place]) -> Any:
    """A copy of a document without some fields."""
    rest = copy.deepcopy(document)
    for *way, last in places:
        node = rest
        for key in way:
            node = node[key]
        node.pop(last, None)
    return rest


def completed(document: Any, missing: Sequence[Place]) -> Any | None:
    """A copy with the fields that came later; None where another one is missing."""
    if not missing or any(path_of(place) not in ADDED for place in missing):
        return None
    whole = copy.deepcopy(document)
    for place in missing:
        node = whole
        for key in place[:-1]:
            node = node[key]
        node[place[-1]] = copy.deepcopy(ADDED[path_of(place)])
    return whole


def path_of(place: Place) -> str:
    """`steps[].lots[].term` of a place in a document.

    >>> path_of(("steps", 3, "lots", 0, "term"))
    'steps[].lots[].term'
    """
    return "".join("[]" if isinstance(key, int) else f".{key}" for key in place).lstrip(".")


def optional(schema: dict[str, Any], records: Mapping[str, Any]) -> None:
    """Say in a JSON Schema what a document without each added field means; none is required."""
    for path, default in ADDED.items():
        *way, name = path.split(".")
        record = schema
        for part in way:
            record = next(_records(record["properties"][part.removesuffix("[]")], records))
        record["properties"][name]["default"] = default
        record["required"] = [key for key in record["required"] if key != name]


def _records(node: Any, records: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The records that a schema refers to."""
    if isinstance(node, dict):
        if "$ref" in node:
            yield records[node["$ref"].rpartition("/")[2]]
        for child in node.values():
            yield from _records(child, records)
    elif isinstance(node, list):
        for child in node:
            yield from _records(child, records)
