"""Deep rebalance: the largest moves towards the targets, half of the steps for sales."""

from __future__ import annotations

from steelyard.arrays import IntArray
from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.modules.patterns import (
    NoParams,
    buys,
    drawn_from,
    every_size,
    fitted,
    padded_rows,
    sells,
)
from steelyard.modules.registry import pattern_generator


@pattern_generator(
    "deep_rebalance",
    version="1.0.0",
    params=NoParams,
    tags=("sell", "buy"),
    dependencies=(drawn_from("rebalance_sells"), drawn_from("rebalance_buys")),
)
def deep_rebalance(ctx: Context, candidates: Candidates, params: NoParams) -> IntArray:
    """The largest sales of what is overweight, half of the steps at most, then the largest buys."""
    depth = ctx.search.max_depth

    def size(row: int) -> float:
        return -abs(float(candidates.delta[row]))

    # the sorts are stable: of equal sizes the higher priority comes first
    over = sorted(_largest(candidates, sells(candidates, "rebalance_sells")), key=size)
    under = sorted(_largest(candidates, buys(candidates, "rebalance_buys")), key=size)
    start = fitted(candidates, [], over, depth // 2)
    sequence = fitted(candidates, start, under, depth)
    return padded_rows([sequence] if start and len(sequence) > len(start) else [], depth)


def _largest(candidates: Candidates, rows: list[int]) -> list[int]:
    """The largest size of each drawn order."""
    return [every_size(candidates, row)[0] for row in rows]
