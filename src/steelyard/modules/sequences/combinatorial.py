"""Combinatorial: combinations of sales and buys, the most promising first, every mix in turn."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np

from steelyard.arrays import PAD, FloatArray, IntArray, canonical_rows, frozen
from steelyard.ledger import feasible
from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.modules.registry import ModuleParams, sequence_generator
from steelyard.settings import setting

ATTEMPTS = 32
"""Combinations looked at for each one wanted: where cash pays for few, more would not mend it."""

Ranks = tuple[int, ...]


class Params(ModuleParams):
    """How many sequences, how large and from how many securities."""

    max_sells: int = setting(3, "most sales in a sequence", ge=0, le=10)
    max_buys: int = setting(3, "most buys in a sequence", ge=0, le=10)
    max_candidates: int = setting(
        12, "securities drawn from on each side, by priority", ge=1, le=50
    )
    max_combinations: int = setting(50, "most sequences", ge=1, le=1000)

    def most_sequences(self, depth: int) -> int:  # noqa: ARG002 - it does not depend on it
        """As many as it is told."""
        return self.max_combinations


@sequence_generator(
    "combinatorial",
    version="1.0.0",
    params=Params,
    tags=("buy", "sell"),
    on=False,
    dependencies=("opportunity_calculators",),
)
def combinatorial(
    ctx: Context, candidates: Candidates, seeds: IntArray, params: Params
) -> Iterator[IntArray]:
    """Feasible combinations of sales and buys, most promising first, each number of either in turn.

    Promise is the sum of what the orders are worth at most. A turn takes one combination of each
    number of sales and buys, so that neither the first sale nor the largest sequences use up what
    is wanted.
    """
    depth, quota = ctx.search.max_depth, params.max_combinations
    seen = set(map(bytes, canonical_rows(seeds, candidates.m)))
    for block in _turns(candidates, params, depth):
        rows = canonical_rows(block, candidates.m)
        rows = rows[feasible(candidates.account, rows)]
        fresh = [k for k, key in enumerate(map(bytes, rows)) if key not in seen][:quota]
        seen.update(bytes(rows[k]) for k in fresh)
        quota -= len(fresh)
        if fresh:
            yield frozen(rows[fresh])
        if not quota:
            return


def _turns(candidates: Candidates, params: Params, depth: int) -> Iterator[IntArray]:
    """Blocks of one combination of each shape, most promising first; their number is bounded."""
    worth = promise(candidates)
    sells, buys = (_side(candidates, worth, params, buys=side) for side in (False, True))
    numbers = itertools.product(
        range(min(params.max_sells, len(sells)) + 1), range(min(params.max_buys, len(buys)) + 1)
    )
    lanes = [
        _best_first(worth, sells, buys, sold, bought)
        for sold, bought in numbers
        if 1 <= sold + bought <= depth
    ]
    looked_at = 0
    while looked_at < ATTEMPTS * params.max_combinations:
        firsts = (next(lane, None) for lane in lanes)
        drawn = sorted(first for first in firsts if first is not None)
        if not drawn:
            return
        looked_at += len(drawn)
        yield np.array([row + (PAD,) * (depth - len(row)) for _, row in drawn], dtype=np.int64)


def promise(candidates: Candidates) -> FloatArray:
    """(m,) what an order is worth at most, alone or with one of the other side, never under 0."""
    return np.maximum(np.maximum(candidates.alone, candidates.paired), 0.0)


def _side(candidates: Candidates, worth: FloatArray, params: Params, *, buys: bool) -> list[int]:
    """The best order of each of the first securities of one side, most promising first."""
    drawn = [row for row in candidates.pool if bool(candidates.is_buy[row]) is buys]
    return sorted(drawn[: params.max_candidates], key=lambda row: -worth[row])


def _best_first(
    worth: FloatArray, sells: Sequence[int], buys: Sequence[int], sold: int, bought: int
) -> Iterator[tuple[float, Ranks]]:
    """(minus the sum of worth, rows) of every combination of so many sales and buys, best first.

    Both sides are sorted by worth, so moving any one choice down its list never raises the sum: a
    combination is reached from one that is no worse, and the heap gives them in order.
    """
    sides = (*[sells] * sold, *[buys] * bought)
    # a place stops before its right neighbour on the same side, else at the end of the list
    last = {sold - 1, sold + bought - 1}

    def entry(ranks: Ranks) -> tuple[float, Ranks]:
        rows = (side[rank] for side, rank in zip(sides, ranks, strict=True))
        return -math.fsum(float(worth[row]) for row in rows), ranks

    first = (*range(sold), *range(bought))
    heap, reached = [entry(first)], {first}
    while heap:
        negative, ranks = heapq.heappop(heap)
        yield negative, tuple(side[rank] for side, rank in zip(sides, ranks, strict=True))
        for place, rank in enumerate(ranks):
            limit = len(sides[place]) if place in last else ranks[place + 1]
            lower = (*ranks[:place], rank + 1, *ranks[place + 1 :])
            if rank + 1 < limit and lower not in reached:
                reached.add(lower)
                heapq.heappush(heap, entry(lower))
