"""Calculators: which changes of weight may be worth trading, one reason a file.

In: a Context and the calculator's Params. Out: a list of Candidate, at most one for a security and
a side, each with the wanted signed changes of weight, smallest first, and why. A calculator never
computes a quantity, a priority or a cost: the planner turns each wanted weight into at most one
lot-valid order, keeps targets from being crossed and caps from being broken, and says what it
dropped. Nothing found is an empty list.

To add one: a file with a `Params` model and one function under `@opportunity_calculator`; its tests
in `tests/modules/opportunities/`, its world in `tests/contracts/`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Annotated

import numpy as np
from pydantic import Field

from steelyard.arrays import BoolArray, FloatArray
from steelyard.modules.context import Context

PriorityWeight = Annotated[float, Field(ge=0, le=2, description="multiplies the priority")]

BUY_LADDER = (1, 2, 4, 8)
"""Sizes of a buy in units of `ctx.base_weight`. Sales climb the same ladder: with fractions of
holdings on one side and small units on the other no set of a few orders matches, and large holdings
are left alone.
"""
SELL_LADDER = (2, 4, 8, 16)
NOISE = 1e-9
"""Rounding of a share of a number of names."""


def reaches(
    values: FloatArray, comparable: BoolArray, least: float | None, best_share: float
) -> BoolArray:
    """(n,) True where a value is at least a number, or without one among the best share.

    values, comparable   (n,)  without a number only the comparable ones are ranked, and may pass
    A rank and no number by itself: what is steady is another number in every epoch.
    >>> reaches(np.array([0.4, 0.6, 0.5, 0.9]), np.array([True, True, True, False]), None, 0.5)
    array([False,  True,  True, False])
    """
    if least is not None:
        return np.asarray(values >= least)
    ranked = np.sort(values[comparable])[::-1]
    count = math.ceil(best_share * len(ranked) - NOISE)
    return comparable & (values >= (ranked[count - 1] if count else math.inf))


def quality_word(ctx: Context, i: int) -> str:
    """What the quality of a security is called: `quality` where the user gives it, else it is told
    from prices alone and is `steadiness`.
    """
    return "steadiness" if ctx.securities[i].quality is None else "quality"


def sizes(amounts: Iterable[float], most: float) -> tuple[float, ...]:
    """Sizes cut to `most`, smallest first, without repeats; none when there is no room.

    >>> sizes((0.01, 0.02, 0.04, 0.08), most=0.03)
    (0.01, 0.02, 0.03)
    """
    return tuple(sorted({min(size, most) for size in amounts})) if most > 0 else ()


def sales(amounts: Iterable[float]) -> tuple[float, ...]:
    """Sizes of a sale as signed changes of weight."""
    return tuple(-size for size in amounts)
