"""Geographic gap: buy into the countries that are furthest under their targets."""

from __future__ import annotations

from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.modules.groups import country_gaps
from steelyard.modules.patterns.adaptive.choices import Params, buy_into, shortest


def geographic_gap(ctx: Context, candidates: Candidates, params: Params) -> list[int]:
    """Buys in the countries furthest under their targets, in proportion to the gaps; no sales."""
    return buy_into(
        ctx, candidates, shortest(country_gaps(ctx), params.geographic_gap, params.top_gaps)
    )
