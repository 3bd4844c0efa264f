"""From numbers to places on a chart: percent of its width, and axes that people can read."""

from __future__ import annotations

import math
from dataclasses import dataclass

WHOLE = 100.0
NICE = (1.0, 2.0, 2.5, 5.0, 10.0)
NOISE = 1e-9


@dataclass(frozen=True, slots=True)
class Scale:
    """A straight axis; `margin` keeps marks off both edges, in percent of the width."""

    low: float
    high: float
    margin: float = 0.0

    def at(self, value: float) -> float:
        """Position in percent of the width, cut at the edges."""
        span = (self.high - self.low) or 1.0
        share = min(1.0, max(0.0, (value - self.low) / span))
        return self.margin + share * (WHOLE - 2 * self.margin)


def nice_step(span: float, most: int) -> float:
    """Smallest of 1, 2, 2.5, 5 x 10^k that cuts `span` into at most `most` steps; 1 for no span."""
    if span <= 0:
        return 1.0
    rough = span / most
    unit = 10.0 ** math.floor(math.log10(rough))
    return next(unit * step for step in NICE if unit * step >= rough * (1 - NOISE))


def ceiling(value: float, step: float) -> float:
    """The next multiple of `step`; a value that is one but for rounding stays."""
    return step * math.ceil(value / step - NOISE)


def ticks(high: float, most: int = 4) -> tuple[float, ...]:
    """0 and the multiples of a nice step up to the first that covers `high`."""
    step = nice_step(high, most)
    return tuple(step * i for i in range(round(ceiling(max(high, step), step) / step) + 1))
