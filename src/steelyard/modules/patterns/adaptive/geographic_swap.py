"""Geographic swap: from a country over its target to one under it."""

from __future__ import annotations

import itertools

from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.modules.groups import NOISE, GroupGap, country_gaps
from steelyard.modules.patterns.adaptive.choices import (
    Params,
    every_buy,
    every_sale,
    shortest,
    swap,
)


def geographic_swap(ctx: Context, candidates: Candidates, params: Params) -> list[int]:
    """A sale in a country over its target for a buy of equal value in one under it."""
    gaps = country_gaps(ctx)
    over = [gap for gap in gaps if gap.gap >= params.geographic_gap - NOISE and gap.gap > 0]
    over = sorted(over, key=lambda gap: -gap.gap)[: params.top_gaps]
    under = shortest(gaps, params.geographic_gap, params.top_gaps)
    for source, aim in itertools.product(over, under):
        pair = _between(ctx, candidates, source, aim)
        if pair:
            return pair
    return []


def _between(ctx: Context, candidates: Candidates, source: GroupGap, aim: GroupGap) -> list[int]:
    """The first sale and buy by priority that move something from one country to another."""
    out, into = source.shares[candidates.security], aim.shares[candidates.security]
    sales = [row for row in every_sale(candidates) if out[row] > 0 and into[row] == 0]
    buys = [row for row in every_buy(candidates) if into[row] > 0 and out[row] == 0]
    for sale, buy in itertools.product(sales, buys):
        most = float(min(source.gap / out[sale], -aim.gap / into[buy]))
        pair = swap(candidates, sale, buy, ctx.search.max_depth, most)
        if pair:
            return pair
    return []
