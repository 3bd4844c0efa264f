"""Joint gap: buy what closes the gap of a country and of a sector at once."""

from __future__ import annotations

import math
from collections.abc import Sequence

from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.modules.groups import GroupGap, country_gaps, sector_gaps
from steelyard.modules.patterns.adaptive.choices import Params, add, every_buy, shortest, shortfall


def joint_gap(ctx: Context, candidates: Candidates, params: Params) -> list[int]:
    """Buys in a country and a sector under target, the largest sum of gaps first, within both."""
    countries = shortest(country_gaps(ctx), params.geographic_gap, params.top_gaps)
    sectors = shortest(sector_gaps(ctx), params.sector_gap, params.top_gaps)

    def gaps(row: int, orders: Sequence[int]) -> tuple[float, float]:
        return _gap(countries, candidates, row, orders), _gap(sectors, candidates, row, orders)

    joint = [row for row in every_buy(candidates) if min(gaps(row, [])) > 0]
    orders: list[int] = []
    for row in sorted(joint, key=lambda row: -sum(gaps(row, []))):
        orders = add(candidates, orders, row, min(gaps(row, orders)), ctx.search.max_depth)
    return orders


def _gap(
    groups: Sequence[GroupGap], candidates: Candidates, row: int, orders: Sequence[int]
) -> float:
    """How far the groups of a security are under target, each by its share of the security."""
    security = candidates.security[row]
    return math.fsum(
        float(gap.shares[security]) * shortfall(gap, candidates, orders)
        for gap in groups
        if gap.shares[security] > 0
    )
