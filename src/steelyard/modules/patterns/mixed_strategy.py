"""Mixed strategy: one or two sales with one or two buys, whoever proposed them."""

from __future__ import annotations

import itertools

from steelyard.arrays import IntArray
from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.modules.patterns import (
    both_sizes,
    buys,
    drawn_from,
    fitted,
    padded_rows,
    sells,
)
from steelyard.modules.registry import ModuleParams, pattern_generator

ONE_OR_TWO = (1, 2)
BOTH_SIZES = 2


class Params(ModuleParams):
    """None."""

    def most_sequences(self, depth: int) -> int:  # noqa: ARG002 - it does not depend on it
        """Each mix, in both sizes."""
        return BOTH_SIZES * len(ONE_OR_TWO) ** 2


@pattern_generator(
    "mixed_strategy",
    version="1.0.0",
    params=Params,
    tags=("sell", "buy"),
    dependencies=(
        drawn_from("profit_taking", "rebalance_sells"),
        drawn_from("averaging_down", "rebalance_buys", "opportunity_buys"),
    ),
)
def mixed_strategy(ctx: Context, candidates: Candidates, params: Params) -> IntArray:
    """One or two sales of any kind, by priority, with one or two buys; each mix is a sequence."""
    depth = ctx.search.max_depth
    mixed = []
    for sales, purchases in both_sizes(
        candidates,
        sells(candidates, "profit_taking", "rebalance_sells"),
        buys(candidates, "averaging_down", "rebalance_buys", "opportunity_buys"),
    ):
        for sold, bought in itertools.product(ONE_OR_TWO, ONE_OR_TWO):
            start = fitted(candidates, [], sales, sold)
            most = min(len(start) + bought, depth)
            sequence = fitted(candidates, start, purchases, most)
            if start and len(sequence) > len(start):
                mixed.append(sequence)
    return padded_rows(mixed, depth)
