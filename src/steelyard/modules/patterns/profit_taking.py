"""Profit taking: trim the winners, put the money where it is short."""

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
    """How many winners are trimmed at once; half of the default depth leaves room for buys."""

    max_sells: MaxSells = 2

    def most_sequences(self, depth: int) -> int:
        """Each number of sales, in both sizes."""
        return 2 * min(self.max_sells, depth)


@pattern_generator(
    "profit_taking",
    version="1.0.0",
    params=Params,
    tags=("sell", "buy"),
    dependencies=(drawn_from("profit_taking"),),
)
def profit_taking(ctx: Context, candidates: Candidates, params: Params) -> IntArray:
    """Sales of winners, one more in each sequence, that pay for underweight and fallen names, then
    for whatever else is worth buying.
    """
    winners = sells(candidates, "profit_taking")
    short = reinvested(candidates, "averaging_down", "rebalance_buys")
    rows = sells_then_buys_in_both_sizes(ctx, candidates, winners, short, params.max_sells)
    return padded_rows(rows, ctx.search.max_depth)
