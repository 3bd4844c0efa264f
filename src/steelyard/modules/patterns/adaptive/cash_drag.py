"""Cash drag: put to work what lies idle over the reserve of the market regime."""

from __future__ import annotations

import numpy as np

from steelyard.arrays import FloatArray
from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.modules.groups import NOISE, group_gaps
from steelyard.modules.patterns.adaptive.choices import Params, every_buy, spread


def cash_drag(ctx: Context, candidates: Candidates, params: Params) -> list[int]:
    """Buys that bring cash down to the reserve of the regime, spread over the widest gaps."""
    idle = candidates.account.cash - _reserve(ctx)
    if idle <= params.cash_slack + NOISE:
        return []
    gaps = _gaps(ctx)[candidates.security]
    offered = sorted(every_buy(candidates), key=lambda row: -gaps[row])
    wide = [(row, float(gaps[row])) for row in offered if gaps[row] > NOISE] or [
        (row, 1.0) for row in offered
    ]
    return spread(candidates, [], wide, idle, np.full(ctx.n, np.inf), ctx.search.max_depth)


def _reserve(ctx: Context) -> float:
    """Cash that is no drag: what the regime wants, at least what limits and targets leave."""
    return max(ctx.regime_cash or 0.0, ctx.reserve_weight, ctx.target_cash)


def _gaps(ctx: Context) -> FloatArray:
    """(n,) how far each security, or without targets its groups, is under its target."""
    if ctx.target_weights is not None:
        return np.asarray(ctx.target_weights - ctx.weights)
    return sum((max(0.0, -gap.gap) * gap.shares for gap in group_gaps(ctx)), np.zeros(ctx.n))
