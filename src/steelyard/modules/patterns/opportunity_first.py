"""Opportunity first: spend the cash on the best opportunities, what is left on everything else."""

from __future__ import annotations

from steelyard.arrays import IntArray
from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.modules.patterns import NoParams, buys, drawn_from, fitted, padded_rows
from steelyard.modules.registry import pattern_generator


@pattern_generator(
    "opportunity_first",
    version="1.0.0",
    params=NoParams,
    tags=("buy",),
    dependencies=(drawn_from("opportunity_buys"),),
)
def opportunity_first(ctx: Context, candidates: Candidates, params: NoParams) -> IntArray:
    """Buys of opportunities before any other buy, whatever the priority of the others; no sales."""
    depth = ctx.search.max_depth
    first = fitted(candidates, [], buys(candidates, "opportunity_buys"), depth)
    if not first:
        return padded_rows([], depth)
    rest = buys(candidates, "averaging_down", "rebalance_buys")
    return padded_rows([fitted(candidates, first, rest, depth)], depth)
