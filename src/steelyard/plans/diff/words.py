"""Sentences of a document put together: their templates joined, facts that clash renamed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from steelyard.canonical import FactValue
from steelyard.sentences import Fact, Sentence, again, cased, facts_of, fields, renamed, say


def plain(template: str, **facts: Fact) -> Sentence:
    """A sentence whose facts are as a document holds them."""
    return _of_values(template, facts_of(say(template, **facts)))


def of_document(template: str, facts: Mapping[str, FactValue], text: str) -> Sentence:
    """A sentence of a document to be part of another; its text where the template gives none."""
    if not _gives_text(template, facts):
        return plain("{words:text}", words=text.removesuffix("."))
    asked = {name: facts[name] for name in sorted(fields(template))}
    return _of_values(template.removesuffix("."), asked)


def _gives_text(template: str, facts: Mapping[str, FactValue]) -> bool:
    """Is there a fact for all that a template asks for, each of its kind?"""
    try:
        again(template, facts)
        return all(facts[name] is not None for name in fields(template))
    except (ValueError, LookupError):
        return False


def joined(*parts: Sentence) -> dict[str, Any]:
    """Text, template and facts of one sentence of several parts, as a record holds them."""
    template, facts = "", dict[str, Fact]()
    for part in parts:
        own = _apart(part, facts)
        template += own.template
        facts |= own.facts
    values: dict[str, Any] = {name: facts[name] for name in sorted(facts)}
    return {"text": cased(again(template, values)), "template": template, "facts": values}


def listed(names: Iterable[str], most: int = 3) -> Sentence:
    """`A, B, C and 4 more`, each name a fact."""
    every = list(names)
    facts: dict[str, Fact] = {f"name_{n}": name for n, name in enumerate(every[:most], 1)}
    template = ", ".join(f"{{{fact}:text}}" for fact in facts)
    if len(every) > most:
        template, facts = f"{template} and {{more:count}} more", facts | {"more": len(every) - most}
    return plain(template, **facts)


def _of_values(template: str, values: Mapping[str, FactValue]) -> Sentence:
    present = {name: fact for name, fact in values.items() if fact is not None}
    return Sentence(template, MappingProxyType(present))


def _apart(part: Sentence, facts: Mapping[str, Fact]) -> Sentence:
    """The part with other names for facts that are there with another value."""
    while clash := {n for n, fact in part.facts.items() if n in facts and facts[n] != fact}:
        part = renamed(part, clash)
    return part
