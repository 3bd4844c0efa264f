"""Single best: the one order that is worth most on its own."""

from __future__ import annotations

import numpy as np

from steelyard.arrays import IntArray
from steelyard.ledger import feasible
from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.modules.patterns import NoParams, padded_rows
from steelyard.modules.registry import pattern_generator


@pattern_generator(
    "single_best",
    version="1.0.0",
    params=NoParams,
    tags=("buy", "sell"),
    dependencies=("opportunity_calculators",),
)
def single_best(ctx: Context, candidates: Candidates, params: NoParams) -> IntArray:
    """The order of highest priority that cash and limits allow alone."""
    pool = np.array(candidates.pool, dtype=np.int64)
    alone = pool[feasible(candidates.account, pool[:, None])]
    return padded_rows([alone[:1].tolist()], ctx.search.max_depth)
