"""Single best: the one order that gains most alone."""

from __future__ import annotations

import numpy as np

from steelyard.arrays import IntArray
from steelyard.ledger import feasible
from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.modules.patterns import NoParams, every_size, padded_rows
from steelyard.modules.registry import pattern_generator


@pattern_generator(
    "single_best",
    version="1.0.0",
    params=NoParams,
    tags=("buy", "sell"),
    dependencies=("opportunity_calculators",),
)
def single_best(ctx: Context, candidates: Candidates, params: NoParams) -> IntArray:
    """The order of largest gain alone, of every size, that cash and limits allow alone."""
    sizes = [j for row in candidates.pool for j in every_size(candidates, row)]
    every = np.array([j for j in sizes if candidates.alone[j] > 0], dtype=np.int64)
    alone = every[feasible(candidates.account, every[:, None])]
    best = alone[np.argsort(-candidates.alone[alone], kind="stable")[:1]]
    return padded_rows([best.tolist()], ctx.search.max_depth)
