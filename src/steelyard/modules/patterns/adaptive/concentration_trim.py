"""Concentration trim: cut what is too large, put the money where the portfolio is thin."""

from __future__ import annotations

import math

import numpy as np

from steelyard.arrays import FloatArray, product
from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.modules.groups import NOISE
from steelyard.modules.patterns.adaptive.choices import (
    TIE_DECIMALS,
    Params,
    add,
    every_buy,
    every_sale,
    spread,
)


def concentration_trim(ctx: Context, candidates: Candidates, params: Params) -> list[int]:
    """Sales of holdings over the cap, down to it, then buys of what overlaps least with the rest,
    up to the cap; funds are exempt.
    """
    cap = np.where(ctx.is_fund, np.inf, params.concentration_cap)
    excess = ctx.weights - cap
    depth, taken = ctx.search.max_depth, list[int]()
    over = [row for row in every_sale(candidates) if excess[candidates.security[row]] > NOISE]
    for row in sorted(over, key=lambda row: -excess[candidates.security[row]]):
        taken = add(
            candidates, taken, row, float(excess[candidates.security[row]]), max(1, depth - 1)
        )
    if not taken:
        return []
    left = ctx.weights.copy()
    left[candidates.security[taken]] += candidates.delta[taken]
    overlap = _overlap(ctx, left)
    thin = sorted(every_buy(candidates), key=lambda row: overlap[candidates.security[row]])
    proceeds = -math.fsum(float(candidates.delta[j] + candidates.cost[j]) for j in taken)
    return spread(candidates, taken, [(row, 1.0) for row in thin], proceeds, cap - left, depth)


def _overlap(ctx: Context, weights: FloatArray) -> FloatArray:
    """(n,) weight of the security itself, of its sectors and of its countries; rounded, so that
    priority decides between equals.
    """
    groups = [
        product(grouping.shares, product(grouping.shares.T, weights))
        for grouping in (ctx.sectors, ctx.countries)
    ]
    return np.asarray(np.round(weights + sum(groups), TIE_DECIMALS))
