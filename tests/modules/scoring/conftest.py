"""Contexts and golden vectors of the score, as functions that hypothesis may use."""

from builders.score import context_for, golden, golden_context, some_context, terms_of

__all__ = ["context_for", "golden", "golden_context", "some_context", "terms_of"]
