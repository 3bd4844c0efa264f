"""Risk reduction: from the holding that adds most to the swings of the whole to the calmest buy."""

from __future__ import annotations

import itertools
import math

from steelyard.arrays import block, dot, product, scaled
from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.modules.groups import NOISE
from steelyard.modules.patterns.adaptive.choices import (
    Params,
    every_buy,
    every_sale,
    swap,
    volatility_target,
)


def risk_reduction(ctx: Context, candidates: Candidates, params: Params) -> list[int]:
    """A sale of highest marginal risk for a buy of lowest volatility, if the whole gets calmer.

    Runs where the volatility of the whole, cash included, is over the target of the profile (or the
    one that is set), and otherwise where
    the share of a holding in the variance is over a multiple of its weight in the invested part:
    then only such a holding is sold. An unknown volatility or correlation stands at its neutral
    value.
    """
    sigma = ctx.estimates.volatility
    covariance = scaled(ctx.estimates.correlation, sigma)
    marginal = product(covariance, ctx.weights)
    variance = dot(ctx.weights, marginal)
    if variance <= 0:
        return []
    # w m / variance > multiple x w / invested, without dividing by a weight
    outsized = ctx.held & (marginal * ctx.weights.sum() > (params.risk_share + NOISE) * variance)
    if math.sqrt(variance) > volatility_target(ctx, params) + NOISE:
        outsized = ctx.held
    sales = [row for row in every_sale(candidates) if outsized[candidates.security[row]]]
    sales.sort(key=lambda row: -marginal[candidates.security[row]])
    calm = sorted(every_buy(candidates), key=lambda row: sigma[candidates.security[row]])
    for sale, buy in itertools.product(sales, calm):
        pair = swap(candidates, sale, buy, ctx.search.max_depth)
        moved, change = candidates.security[pair], candidates.delta[pair]
        pull = 2 * marginal[moved] + product(block(covariance, moved, moved), change)
        if dot(change, pull) < -NOISE:
            return pair
    return []
