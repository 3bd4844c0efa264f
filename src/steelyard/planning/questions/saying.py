"""Answers as the document holds them: a sentence with its facts."""

from __future__ import annotations

from typing import Any

from steelyard.sentences import Fact, Sentence, plain_facts, say, sentence_case


def shown(sentence: Sentence) -> dict[str, Any]:
    """The fields of a record that holds a sentence."""
    return {"text": sentence_case(sentence), "facts": plain_facts(sentence.facts)}


def longer(sentence: Sentence, more: str, **facts: Fact) -> Sentence:
    """The sentence with more text and more facts."""
    return say(sentence.template + more, **sentence.facts, **facts)
