"""Cost optimized: where the best rebalance leads, by the cheapest way."""

from __future__ import annotations

import itertools

import numpy as np

from steelyard.arrays import PAD, BoolArray, FloatArray, IntArray, padded, row_sums
from steelyard.ledger import SAFETY, feasible
from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.modules.patterns import (
    OneSequence,
    buys,
    drawn_from,
    padded_rows,
    sells,
    sells_then_buys,
)
from steelyard.modules.registry import pattern_generator
from steelyard.modules.tables import evaluate
from steelyard.settings import setting


class Params(OneSequence):
    """What counts as the same end state. Cost is commission, half spread and conversion margin.

    Two lists end alike where half the sum of what their weights and cash differ is a small part of
    what the best rebalance moves: as much sold of another holding is another end.
    """

    tolerance: float = setting(
        0.05, "by which an end state may differ, a fraction of what is moved", ge=0, le=0.25
    )
    max_candidates: int = setting(6, "securities looked at on each side, by priority", ge=1, le=8)


@pattern_generator(
    "cost_optimized",
    version="2.0.0",
    params=Params,
    tags=("sell", "buy"),
    dependencies=(drawn_from("rebalance_sells"), drawn_from("rebalance_buys")),
)
def cost_optimized(ctx: Context, candidates: Candidates, params: Params) -> IntArray:
    """The list of least cost, not of fewest orders, that ends where the best rebalance does."""
    depth = ctx.search.max_depth
    over = sells(candidates, "rebalance_sells")[: params.max_candidates]
    under = buys(candidates, "rebalance_buys")[: params.max_candidates]
    simple = padded_rows(sells_then_buys(ctx, candidates, over, under, depth), depth)
    simple = simple[feasible(candidates.account, simple)]
    if not (len(simple) and under):
        return padded_rows([], depth)
    best = simple[evaluate(candidates.tables, simple).argmax()][None, :]
    # the best one may have smaller sizes than those that are drawn
    own = [int(row) for row in best[0] if row != PAD]
    rows = _every_list(list(dict.fromkeys([*over, *under, *own])), depth)
    rows = rows[_same_end(candidates, rows, best, params.tolerance)]
    # the best may be of smaller sizes than those drawn: it is one of its own kind then
    rows = np.concatenate([best, rows[feasible(candidates.account, rows)]])
    return padded_rows([_cheapest(candidates, rows)], depth)


def _every_list(offered: list[int], depth: int) -> IntArray:
    """Every list of at most `depth` of the offered orders, in the order of offering."""
    lists = [
        orders + (PAD,) * (depth - size)
        for size in range(1, depth + 1)
        for orders in itertools.combinations(offered, size)
    ]
    return np.array(lists, dtype=np.int64).reshape(-1, depth)


def _same_end(
    candidates: Candidates, rows: IntArray, best: IntArray, tolerance: float
) -> BoolArray:
    """(k,) True where a row ends where the best one (1, d) does, security by security."""
    securities = np.unique(candidates.security)
    own = candidates.security[:, None] == securities
    moves = padded(np.where(own, candidates.delta[:, None], 0.0))

    def moved(some: IntArray) -> FloatArray:
        """(k, s + 1) change of each weight, and of cash."""
        weights = np.zeros((len(some), len(securities)))
        for column in some.T:
            weights += moves[column]
        return np.column_stack([weights, -weights.sum(axis=1)])

    goal = moved(best)
    apart, size = np.abs(moved(rows) - goal).sum(axis=1), np.abs(goal).sum()
    return np.asarray(apart <= tolerance * size + SAFETY)


def _cheapest(candidates: Candidates, rows: IntArray) -> list[int]:
    """Of equal costs the list of higher net, then the shorter, then the first."""
    cost = np.round(row_sums(candidates.cost, rows), 12)
    net = np.round(evaluate(candidates.tables, rows), 12)
    first = np.lexsort(((rows >= 0).sum(axis=1), -net, cost))[0]
    return [int(row) for row in rows[first] if row != PAD]
