"""The total return of a score, as it came instead of as it was expected."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from steelyard.arrays import FloatArray, IntArray
from steelyard.modules.terms import Linear
from steelyard.planning.score.objective import Objective

TOTAL_RETURN = "total_return"


@dataclass(frozen=True)
class ReturnPart:
    """The part of a score that is return a year: rate x (slope . weights - lo).

    rate    score of one unit of yearly return
    slope   (a,) expected return a year of the active columns; zeros where the score has no such
            part: what came then counts as much as charges make of it, and nothing was expected
    """

    rate: float
    slope: FloatArray

    @classmethod
    def of(cls, objective: Objective, columns: IntArray) -> ReturnPart:
        """Of an objective, over some columns."""
        for term in objective.terms:
            for part in term.parts:
                if term.name == TOTAL_RETURN and isinstance(part.shape, Linear):
                    rate = objective.weights[term.name] * part.share / (part.hi - part.lo)
                    return cls(rate, part.shape.slope[columns])
        return cls(objective.rates.per_return, np.zeros(len(columns)))

    def came(self, ratio: FloatArray, expected: FloatArray, years: float) -> FloatArray:
        """(s,) score of what came over that of what was expected of where it came to.

        ratio      value after so many years over the value before
        expected   slope . weights where it came to

        Over a year and more the return is the growth rate; of a shorter time what came is that part
        of the year, and the rest is as expected: a week's return says little of a year's.
        """
        if years >= 1:
            return np.asarray(self.rate * (ratio ** (1 / years) - 1 - expected))
        return np.asarray(self.rate * (ratio - 1 - years * expected))
