"""What a score is made of: terms, their parts, and the array forms that a part may have.

A matrix is `Factored` where there are more than `LARGEST_DENSE` securities.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from steelyard.arrays import FloatArray, Matrix, frozen
from steelyard.settings import Anchor

LEAST_VARIANCE = 1e-18
"""Floor of a variance under its root: its slope stays finite when nothing moves."""


@dataclass(frozen=True, slots=True)
class Linear:
    """raw = constant + slope . z, slope (n + 1,)."""

    constant: float
    slope: FloatArray


@dataclass(frozen=True, slots=True)
class Quadratic:
    """raw = constant + slope . z - z' H z; slope (n + 1,), H (n + 1, n + 1) semidefinite >= 0."""

    constant: float
    slope: FloatArray
    curvature: Matrix


@dataclass(frozen=True, slots=True)
class Norm:
    """raw = -sqrt(max(z' V z, LEAST_VARIANCE)), V (n + 1, n + 1) positive semidefinite."""

    variance: Matrix


@dataclass(frozen=True, slots=True)
class Separable:
    """raw = sum over securities of a concave function of that security's weight alone; cash plays
    no part.

    each    (n,) weights -> (n,) values
    slope   (n,) weights -> (n,) derivatives (any supergradient at a kink)
    With at most one order per security each order adds a fixed amount, so the search treats it
    exactly.
    """

    each: Callable[[FloatArray], FloatArray]
    slope: Callable[[FloatArray], FloatArray]


@dataclass(frozen=True, slots=True)
class BlackBox:
    """No array form: the search proves the rest of the score, and this part re-ranks the best sets
    it found.

    max_delta   most that raw can differ between any two end states; None = not known, then nothing
                is proven of the final ranking
    """

    max_delta: float | None = None


Shape = Linear | Quadratic | Norm | Separable | BlackBox


Raw = Callable[[FloatArray, float], float]
"""(weights (n,), cash) -> raw figure, written to be read: what the shape must match."""


@dataclass(frozen=True, slots=True)
class Part:
    """One figure of a term: `share` of the term, anchors, the readable formula and its array form.

    raw   a plugin may leave it out (None) where there are arrays: then it is made from them
    """

    name: str
    share: float
    lo: float
    hi: float
    raw: Raw
    shape: Shape

    def scaled(self, raw: float) -> float:
        """0 at lo, 1 at hi, never clipped."""
        return (raw - self.lo) / (self.hi - self.lo)


@dataclass(frozen=True, slots=True)
class Term:
    """A named sum of parts whose shares sum to 1."""

    name: str
    parts: tuple[Part, ...]


def end_state(weights: FloatArray, cash: float) -> FloatArray:
    """z = (w, c), (n + 1,)."""
    return np.append(weights, cash)


def linear_part(
    name: str, share: float, anchor: Anchor, values: FloatArray, cash_value: float
) -> Part:
    """A part that is a plain sum: raw = sum of w_i values_i + c cash_value.

    values      (n,)  what a unit of weight in each security counts
    cash_value  what a unit of cash counts
    """

    def raw(weights: FloatArray, cash: float) -> float:
        return math.fsum([*(weights * values).tolist(), cash * cash_value])

    return Part(name, share, *anchor, raw, Linear(0.0, frozen(np.append(values, cash_value))))
