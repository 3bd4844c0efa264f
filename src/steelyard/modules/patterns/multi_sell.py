"""Multi sell: several sales at once, nothing bought."""

from __future__ import annotations

from steelyard.arrays import IntArray
from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.modules.patterns import drawn_from, fitted, padded_rows, sells
from steelyard.modules.registry import ModuleParams, pattern_generator
from steelyard.settings import setting

SEVERAL = 2
"""A single sale is no sequence of several."""


class Params(ModuleParams):
    """How many holdings are sold together at most."""

    max_sells: int = setting(
        5, "most sales; each number of sales from two on has its sequence", ge=SEVERAL, le=10
    )

    def most_sequences(self, depth: int) -> int:
        """Each number of sales from two on."""
        return max(0, min(self.max_sells, depth) - 1)


@pattern_generator(
    "multi_sell",
    version="1.0.0",
    params=Params,
    tags=("sell",),
    dependencies=(drawn_from("profit_taking", "rebalance_sells"),),
)
def multi_sell(ctx: Context, candidates: Candidates, params: Params) -> IntArray:
    """Two and more sales of winners and of what is overweight, by priority; no buys."""
    depth = ctx.search.max_depth
    offered = sells(candidates, "profit_taking", "rebalance_sells")
    sequences = [
        fitted(candidates, [], offered, count)
        for count in range(SEVERAL, min(params.max_sells, depth) + 1)
    ]
    return padded_rows([sequence for sequence in sequences if len(sequence) >= SEVERAL], depth)
