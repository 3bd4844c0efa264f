"""YAML text to plain values, and where each key stands; every refusal has its place.

One pass over events looks at structure alone, before anything is built: what is too deep, too much,
or refers to itself never reaches the builder.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from steelyard.errors import SettingsError
from steelyard.strategies.files.problems import cut
from steelyard.strategies.files.reading import MAX_BYTES, MAX_NESTING, Document, Place

MAX_EVENTS = 4_000
MAX_SAID = 200
NOTHING = "Nothing was started."


def document(text: str, source: str) -> Document:
    """Plain values of YAML text; raises SettingsError with its line."""
    size = len(text.encode("utf-8", "replace"))
    if size > MAX_BYTES:
        raise SettingsError(
            f"{source} has {size:,} bytes; at most {MAX_BYTES:,} are read. {NOTHING}",
            code="yaml_too_large",
            place=source,
            value=size,
            limit=MAX_BYTES,
        )
    try:
        _look(text, source)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        lines = dict(_lines(node, (), source)) if node else {}
        values = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        said = cut(" ".join(str(getattr(error, "problem", None) or error).split()), MAX_SAID)
        raise _refused(f"{source}{where}", f"is not valid YAML: {said}") from error
    if not isinstance(values, dict):
        raise _refused(source, "is not a table of keys")
    return Document(values, lines)


def _look(text: str, source: str) -> None:
    """Raises SettingsError for what is too deep or too much, and for anchors, aliases and tags."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
        mark = event.start_mark
        where = f"{source}, line {mark.line + 1}" if mark else source
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_NESTING:
            raise _refused(where, f"is nested more than {MAX_NESTING} deep")
        if count > MAX_EVENTS:
            raise _refused(where, f"has more than {MAX_EVENTS:,} values")
        if getattr(event, "anchor", None) or getattr(event, "tag", None):
            raise _refused(where, "has an anchor, an alias or a tag: write each value out")


def _lines(node: yaml.Node, place: Place, source: str) -> Iterator[tuple[Place, int]]:
    """Every key and its line; raises SettingsError for one that is there twice, or is no text."""
    if isinstance(node, yaml.SequenceNode):
        for number, inner in enumerate(node.value):
            yield (*place, str(number)), inner.start_mark.line + 1
            yield from _lines(inner, (*place, str(number)), source)
    if not isinstance(node, yaml.MappingNode):
        return
    names: set[str] = set()
    for key, inner in node.value:
        line = key.start_mark.line + 1
        name = key.value if isinstance(key, yaml.ScalarNode) else ""
        if key.tag != "tag:yaml.org,2002:str" or name in names:
            what = "is there twice" if name in names else "is no text"
            raise _refused(f"{source}, line {line}", f"has a key that {what}: {cut(name)}")
        names.add(name)
        yield (*place, name), line
        yield from _lines(inner, (*place, name), source)


def _refused(where: str, what: Any) -> SettingsError:
    return SettingsError(
        f"{where} {what}. {NOTHING}", code="yaml_not_usable", place=where, value=what
    )
