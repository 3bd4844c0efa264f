"""Quality upgrade: from the lowest quality held to the highest on offer."""

from __future__ import annotations

import itertools

import numpy as np

from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.modules.groups import NOISE
from steelyard.modules.patterns.adaptive.choices import Params, every_buy, every_sale, swap


def quality_upgrade(ctx: Context, candidates: Candidates, params: Params) -> list[int]:
    """A sale from the lowest quarter of quality for a buy of equal value and higher quality."""
    if not ctx.held.any():
        return []
    quality = ctx.quality[candidates.security]
    low = float(np.quantile(ctx.quality[ctx.held], params.low_quality_share)) + NOISE
    sales = sorted(
        (row for row in every_sale(candidates) if quality[row] <= low), key=lambda row: quality[row]
    )
    better = sorted(every_buy(candidates), key=lambda row: -quality[row])
    for sale, buy in itertools.product(sales, better):
        if quality[buy] < quality[sale] + params.quality_difference - NOISE:
            continue
        pair = swap(candidates, sale, buy, ctx.search.max_depth)
        if pair:
            return pair
    return []
