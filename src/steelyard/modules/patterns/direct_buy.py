"""Direct buy: spend the cash that is there, sell nothing."""

from __future__ import annotations

from steelyard.arrays import IntArray
from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.modules.patterns import NoParams, buys, drawn_from, fitted, padded_rows
from steelyard.modules.registry import pattern_generator


@pattern_generator(
    "direct_buy",
    version="1.0.0",
    params=NoParams,
    tags=("buy",),
    dependencies=(drawn_from("rebalance_buys", "averaging_down", "opportunity_buys"),),
)
def direct_buy(ctx: Context, candidates: Candidates, params: NoParams) -> IntArray:
    """Buys of every kind that cash pays for, by priority; one too dear does not block the next."""
    offered = buys(candidates, "rebalance_buys", "averaging_down", "opportunity_buys")
    depth = ctx.search.max_depth
    return padded_rows([fitted(candidates, [], offered, depth)], depth)
