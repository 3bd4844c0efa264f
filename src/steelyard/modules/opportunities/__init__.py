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

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

PriorityWeight = Annotated[float, Field(ge=0, le=2, description="multiplies the priority")]

BUY_LADDER = (1, 2, 4, 8)
"""Sizes of a buy in units of `ctx.base_weight`. Sales climb the same ladder: with fractions of
holdings on one side and small units on the other no set of a few orders matches, and large holdings
are left alone.
"""
SELL_LADDER = (2, 4, 8, 16)


def sizes(amounts: Iterable[float], most: float) -> tuple[float, ...]:
    """Sizes cut to `most`, smallest first, without repeats; none when there is no room.

    >>> sizes((0.01, 0.02, 0.04, 0.08), most=0.03)
    (0.01, 0.02, 0.03)
    """
    return tuple(sorted({min(size, most) for size in amounts})) if most > 0 else ()


def sales(amounts: Iterable[float]) -> tuple[float, ...]:
    """Sizes of a sale as signed changes of weight."""
    return tuple(-size for size in amounts)
