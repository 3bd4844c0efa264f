"""Adaptive: nine variants that each look for a weakness of the portfolio and answer it.

In: a Context, the table of candidates, the Params of the pattern. Out of each variant: at most one
list of candidate indices, sells first, that may be a plan; empty where the portfolio does not have
the weakness.

    geographic_gap       a country is under its target          buys there, by gap
    sector_gap           a sector is under its target           buys there, by gap
    joint_gap            a country and a sector are             buys of what lies in both
    geographic_swap      a country is over, another is under    a sale and a buy of equal value
    concentration_trim   a holding is over the cap              sold down to it, then spread
    risk_reduction       the whole or a holding swings a lot    the riskiest for the calmest
    quality_upgrade      low quality is held                    the lowest for the highest
    income_gap           the holdings yield too little          buys of sound yields
    cash_drag            cash is far over the reserve           buys over the widest gaps

Sizes are those of the table: a variant takes the order closest to what it wants (`choices.py`). To
add a variant: a file with one such function, its name in `choices.Variant`, its row in `VARIANTS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from steelyard.arrays import IntArray
from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.modules.patterns import padded_rows
from steelyard.modules.patterns.adaptive.cash_drag import cash_drag
from steelyard.modules.patterns.adaptive.choices import Params, Variant
from steelyard.modules.patterns.adaptive.concentration_trim import concentration_trim
from steelyard.modules.patterns.adaptive.geographic_gap import geographic_gap
from steelyard.modules.patterns.adaptive.geographic_swap import geographic_swap
from steelyard.modules.patterns.adaptive.income_gap import income_gap
from steelyard.modules.patterns.adaptive.joint_gap import joint_gap
from steelyard.modules.patterns.adaptive.quality_upgrade import quality_upgrade
from steelyard.modules.patterns.adaptive.risk_reduction import risk_reduction
from steelyard.modules.patterns.adaptive.sector_gap import sector_gap
from steelyard.modules.registry import pattern_generator

VARIANTS: Mapping[Variant, Callable[[Context, Candidates, Params], list[int]]] = {
    "geographic_gap": geographic_gap,
    "sector_gap": sector_gap,
    "joint_gap": joint_gap,
    "geographic_swap": geographic_swap,
    "concentration_trim": concentration_trim,
    "risk_reduction": risk_reduction,
    "quality_upgrade": quality_upgrade,
    "income_gap": income_gap,
    "cash_drag": cash_drag,
}


@pattern_generator("adaptive", version="1.0.0", params=Params, tags=("sell", "buy"), on=False)
def adaptive(ctx: Context, candidates: Candidates, params: Params) -> dict[str, IntArray]:
    """Up to nine sequences, one a weakness: gaps, concentration, risk, quality, income, cash."""
    depth = ctx.search.max_depth
    return {
        name: padded_rows([VARIANTS[name](ctx, candidates, params)], depth)
        for name in VARIANTS
        if name in params.variants
    }
