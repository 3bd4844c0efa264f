"""Rebalance: from what is over its target to what is under it."""

from __future__ import annotations

from steelyard.arrays import IntArray
from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.modules.patterns import (
    MaxSells,
    drawn_from,
    padded_rows,
    reinvested,
    sells,
    sells_then_buys_in_both_sizes,
)
from steelyard.modules.registry import ModuleParams, pattern_generator


class Params(ModuleParams):
    """How many overweight names are sold at once; half of the default depth is left for buys."""

    max_sells: MaxSells = 2

    def most_sequences(self, depth: int) -> int:
        """Each number of sales, in both sizes."""
        return 2 * min(self.max_sells, depth)


@pattern_generator(
    "rebalance",
    version="1.0.0",
    params=Params,
    tags=("sell", "buy"),
    dependencies=(drawn_from("rebalance_sells"),),
)
def rebalance(ctx: Context, candidates: Candidates, params: Params) -> IntArray:
    """Sales of what is overweight, one more in each sequence, then buys of what is underweight and
    of whatever else is worth buying.
    """
    over = sells(candidates, "rebalance_sells")
    under = reinvested(candidates, "rebalance_buys")
    rows = sells_then_buys_in_both_sizes(ctx, candidates, over, under, params.max_sells)
    return padded_rows(rows, ctx.search.max_depth)
