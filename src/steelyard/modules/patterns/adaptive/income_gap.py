"""Income gap: buy dividends until the holdings yield what is asked of them."""

from __future__ import annotations

import numpy as np

from steelyard.arrays import dot
from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.modules.groups import NOISE
from steelyard.modules.patterns.adaptive.choices import Params, add, every_buy, yields_known


def income_gap(ctx: Context, candidates: Candidates, params: Params) -> list[int]:
    """Buys of the highest sustainable yields, as many as lift that of the holdings to its target.

    Payout ratios are not among the inputs: a yield counts as sustainable where quality is at least
    neutral. An unknown yield is never bought for, and counts at its neutral value among the
    holdings. Where no yield at all is known it finds nothing, and the plan says why.
    """
    known = yields_known(ctx)
    if not known.any():
        return []
    target = params.yield_target
    yields = np.where(known, ctx.dividend_yield, 0.0)[candidates.security]
    sound = ctx.quality[candidates.security] >= ctx.score.neutral.quality - NOISE
    offered = [row for row in every_buy(candidates) if yields[row] > target + NOISE and sound[row]]
    missing = dot(ctx.weights, target - ctx.dividend_yield)
    orders: list[int] = []
    for row in sorted(offered, key=lambda row: -yields[row]):
        above = float(yields[row]) - target
        longer = add(candidates, orders, row, max(0.0, missing) / above, ctx.search.max_depth)
        missing -= sum(float(candidates.delta[j]) for j in longer[len(orders) :]) * above
        orders = longer
    return orders
