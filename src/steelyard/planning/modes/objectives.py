"""The frontier of score, diversification, risk and cost, and the choice from it.

A list is on the frontier if no other is at least as good in all four and better in one. Of those
that may be the plan the one with the largest weighted sum is chosen, each objective scaled from the
worst to the best of the frontier.
Source: Pareto dominance; weighted sums, Zadeh (1963).
"""

from __future__ import annotations

import numpy as np

from steelyard.arrays import BoolArray, FloatArray, IntArray, block, scaled
from steelyard.modules.context import Context
from steelyard.planning.modes.contenders import Contenders

SIGNS = np.array([1.0, 1.0, -1.0, -1.0])
"""Of score, diversification, risk and cost: more is better of the first two."""
SAME = 1e-9
"""Two figures this close are one."""


def outcomes(ctx: Context, lists: Contenders, rows: IntArray) -> FloatArray:
    """(r, 4) score, diversification, risk (volatility a year) and cost (of value)."""
    after = lists.start + lists.delta[rows]
    active = lists.active
    covariance = scaled(ctx.estimates.correlation, ctx.estimates.volatility)
    weights = after[:, active]
    variance = (weights @ block(covariance, active, active) * weights).sum(axis=1)
    spread = np.where(np.isnan(lists.spread[rows]), -(weights**2).sum(axis=1), lists.spread[rows])
    return np.stack(
        [lists.score[rows], spread, np.sqrt(np.maximum(variance, 0.0)), lists.paid[rows]], axis=1
    )


def frontier(figures: FloatArray) -> BoolArray:
    """(k,) which rows no other dominates; of equal rows the first."""
    signed = figures * SIGNS
    on = np.ones(len(figures), dtype=np.bool_)
    for k, row in enumerate(signed):
        as_good = (signed >= row - SAME).all(axis=1)
        better = (signed > row + SAME).any(axis=1)
        twins = as_good & ~better
        on[k] = not (as_good & better).any() and not twins[:k].any()
    return on


def values(figures: FloatArray, on: BoolArray, shares: FloatArray) -> FloatArray:
    """(k,) weighted sums in 0..1 over the frontier; -inf for a row that is not on it.

    shares   (4,) of score, diversification, risk, cost
    """
    signed = figures * SIGNS
    low, high = signed[on].min(axis=0), signed[on].max(axis=0)
    span = np.where(high - low > SAME, high - low, 1.0)
    return np.where(on, ((signed - low) / span) @ shares, -np.inf)
