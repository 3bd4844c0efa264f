"""Sector gap: buy into the sectors that are furthest under their targets."""

from __future__ import annotations

from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.modules.groups import sector_gaps
from steelyard.modules.patterns.adaptive.choices import Params, buy_into, shortest


def sector_gap(ctx: Context, candidates: Candidates, params: Params) -> list[int]:
    """Buys in the sectors furthest under their targets, in proportion to the gaps; no sales."""
    return buy_into(ctx, candidates, shortest(sector_gaps(ctx), params.sector_gap, params.top_gaps))
