"""Averaging down: buy more of what fell, with the cash that is there."""

from __future__ import annotations

from steelyard.arrays import IntArray
from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.modules.patterns import NoParams, buys, drawn_from, fitted, padded_rows
from steelyard.modules.registry import pattern_generator


@pattern_generator(
    "averaging_down",
    version="1.0.0",
    params=NoParams,
    tags=("buy",),
    dependencies=(drawn_from("averaging_down"),),
)
def averaging_down(ctx: Context, candidates: Candidates, params: NoParams) -> IntArray:
    """Buys of holdings below their cost that cash pays for, by priority; no sales."""
    depth = ctx.search.max_depth
    return padded_rows([fitted(candidates, [], buys(candidates, "averaging_down"), depth)], depth)
