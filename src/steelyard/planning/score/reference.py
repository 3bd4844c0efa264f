"""The readable evaluator: every part by its own formula, summed exactly. What is published comes
from here.

It shares no arithmetic with `model`; the two must agree to 1e-9, and a plan is withheld if they do
not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from steelyard.arrays import FloatArray
from steelyard.modules.terms import Term


@dataclass(frozen=True, slots=True)
class PartValue:
    """One figure: `raw` in its own unit, `scaled` 0 at lo and 1 at hi, never clipped."""

    name: str
    share: float
    raw: float
    scaled: float


@dataclass(frozen=True, slots=True)
class TermValue:
    """value = sum of share x scaled, never clipped."""

    name: str
    weight: float
    value: float
    parts: tuple[PartValue, ...]

    @property
    def shown(self) -> float:
        """What a bar can draw: the value clipped to 0..1."""
        return min(1.0, max(0.0, self.value))

    @property
    def off_scale(self) -> bool:
        """Does the bar hide something?"""
        return self.shown != self.value


@dataclass(frozen=True, slots=True)
class Evaluation:
    """score = sum of weight x value over the terms."""

    score: float
    terms: tuple[TermValue, ...]


def evaluate(
    terms: Sequence[Term], weights: Mapping[str, float], w: FloatArray, cash: float
) -> Evaluation:
    """Score one end state.

    weights   term name -> weight
    w         (n,)  weights after, of pre-trade value
    cash      all cash before trading costs, of pre-trade value; costs are charged apart
    """
    values = tuple(_term_value(term, weights[term.name], w, cash) for term in terms)
    return Evaluation(math.fsum(term.weight * term.value for term in values), values)


def _term_value(term: Term, weight: float, w: FloatArray, cash: float) -> TermValue:
    raws = [(part, part.raw(w, cash)) for part in term.parts]
    parts = tuple(PartValue(part.name, part.share, raw, part.scaled(raw)) for part, raw in raws)
    return TermValue(
        term.name, weight, math.fsum(part.share * part.scaled for part in parts), parts
    )
