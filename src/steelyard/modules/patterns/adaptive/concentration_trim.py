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
    """Holdings over the cap sold down to it, then what overlaps least bought; funds are exempt."""
    cap = np.where(ctx.single_name, params.concentration_cap, np.inf)
    if ctx.target_weights is not None:
        cap = np.maximum(cap, ctx.target_weights)
    excess = ctx.weights - cap
    depth, orders = ctx.search.max_depth, list[int]()
    over = [row for row in every_sale(candidates) if excess[candidates.security[row]] > NOISE]
    for row in sorted(over, key=lambda row: -excess[candidates.security[row]]):
        orders = add(
            candidates, orders, row, float(excess[candidates.security[row]]), max(1, depth - 1)
        )
    if not orders:
        return []
    after = ctx.weights.copy()
    after[candidates.security[orders]] += candidates.delta[orders]
    overlap = _overlap(ctx, after)
    thin = sorted(every_buy(candidates), key=lambda row: overlap[candidates.security[row]])
    proceeds = -math.fsum(float(candidates.delta[j] + candidates.cost[j]) for j in orders)
    return spread(candidates, orders, [(row, 1.0) for row in thin], proceeds, cap - after, depth)


def _overlap(ctx: Context, weights: FloatArray) -> FloatArray:
    """(n,) weight of a security, its sectors and countries; rounded, so that priority decides."""
    groups = [
        product(grouping.shares, product(grouping.shares.T, weights))
        for grouping in (ctx.sectors, ctx.countries)
    ]
    return np.asarray(np.round(weights + sum(groups), TIE_DECIMALS))
