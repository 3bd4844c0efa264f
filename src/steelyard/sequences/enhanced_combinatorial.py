"""Enhanced combinatorial: combinations of sales and buys, the better candidates more often."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from steelyard.context import PAD, Candidates, Context, IntArray, canonical, frozen
from steelyard.ledger import feasible
from steelyard.money import FloatArray
from steelyard.registry import ModuleParams, sequence_generator
from steelyard.sequences import generator

NAME = "enhanced_combinatorial"

ATTEMPTS = 8
"""Draws for each combination wanted: most of those that fail lack cash, and more draws would not mend that."""
DRAWN_AT_ONCE = 1024
YIELDED_AT_ONCE = 256
LEAST_WEIGHT = 0.1
"""Of the last candidate in sampling; the first has 1.1, eleven times as much."""


class Params(ModuleParams):
    """How many sequences, how large and from how many securities."""

    max_sells: Annotated[int, Field(ge=0, le=10, description="most sales in a sequence")] = 4
    max_buys: Annotated[int, Field(ge=0, le=10, description="most buys in a sequence")] = 4
    max_candidates: Annotated[int, Field(ge=1, le=50, description="securities drawn from on each side, by priority")] = 12
    max_combinations: Annotated[int, Field(ge=1, le=100_000, description="most sequences")] = 1000
    sizes: Annotated[
        Literal["best", "all"], Field(description="orders drawn for a security: the one of highest priority, or all of its sizes")
    ] = "all"


@dataclass(frozen=True, slots=True)
class Pick:
    """One side to draw from; s securities, at most r orders in one.

    rows      (s, r)  candidate indices, PAD at the end
    counts    (s,)    orders of each security
    weights   (s,)    of each security in sampling
    most      securities in one sequence
    """

    rows: IntArray
    counts: IntArray
    weights: FloatArray
    most: int

    def ways(self) -> list[int]:
        """Number of ways to take 0, 1, …, `most` securities with one order each."""
        ways = [1] + [0] * self.most
        for count in self.counts.tolist():
            for taken in range(self.most, 0, -1):
                ways[taken] += ways[taken - 1] * count
        return ways


@sequence_generator(NAME, version="1.0.0", params=Params, tags=("buy", "sell"))
def enhanced_combinatorial(ctx: Context, candidates: Candidates, seeds: IntArray, params: Params) -> Iterator[IntArray]:
    """Distinct feasible combinations of sales and buys: all of them if few, else a seeded sample by priority."""
    depth = ctx.search.max_depth
    sides = _pick(candidates, params, depth, buys=False), _pick(candidates, params, depth, buys=True)
    shapes = _shapes(*sides, depth)
    if sum(shapes.values()) <= params.max_combinations:
        blocks = _enumerated(*sides, shapes, depth)
    else:
        blocks = _sampled(generator(ctx, NAME), *sides, shapes, depth, params.max_combinations)
    return _distinct(blocks, candidates, seeds, params.max_combinations)


def _pick(candidates: Candidates, params: Params, depth: int, *, buys: bool) -> Pick:
    """The securities of one side that have the highest priorities, with the orders to draw in each."""
    best = [row for row in candidates.pool if candidates.is_buy[row] == buys][: params.max_candidates]
    orders = [_orders(candidates, row, params.sizes) for row in best]
    rows = np.full((len(best), max(map(len, orders), default=1)), PAD, dtype=np.int64)
    for line, found in zip(rows, orders, strict=True):
        line[: len(found)] = found
    most = min(params.max_buys if buys else params.max_sells, len(best), depth)
    return Pick(rows, (rows >= 0).sum(axis=1), sampling_weights(candidates.priority[best]), most)


def _orders(candidates: Candidates, best: int, sizes: Literal["best", "all"]) -> list[int]:
    if sizes == "best":
        return [best]
    same = (candidates.security == candidates.security[best]) & (candidates.is_buy == candidates.is_buy[best])
    return [int(row) for row in np.flatnonzero(same)]


def sampling_weights(priorities: FloatArray) -> FloatArray:
    """How often each security is drawn: quadratic in its priority, never 0; uniform if all are equal.

    priorities, returns   (s,); the weights sum to 1
    """
    if not priorities.size:
        return np.zeros(0)
    least, spread = priorities.min(), np.ptp(priorities)
    raw = (priorities - least) / spread if spread > 0 else np.zeros_like(priorities)
    weights = raw**2 + LEAST_WEIGHT
    return np.asarray(weights / weights.sum())


def _shapes(sells: Pick, buys: Pick, depth: int) -> dict[tuple[int, int], int]:
    """(sales, buys) -> number of combinations of that shape; sale-only and buy-only are shapes too."""
    ways = itertools.product(enumerate(sells.ways()), enumerate(buys.ways()))
    return {(s, b): sold * bought for (s, sold), (b, bought) in ways if 1 <= s + b <= depth}


def _enumerated(sells: Pick, buys: Pick, shapes: dict[tuple[int, int], int], depth: int) -> Iterator[IntArray]:
    """Every combination, one block for each shape."""
    for s, b in shapes:
        combined = [sold + bought for sold in _combinations(sells, s) for bought in _combinations(buys, b)]
        yield np.array([row + (PAD,) * (depth - s - b) for row in combined], dtype=np.int64).reshape(-1, depth)


def _combinations(side: Pick, size: int) -> list[tuple[int, ...]]:
    orders: list[list[int]] = [line[:count] for line, count in zip(side.rows.tolist(), side.counts.tolist(), strict=True)]
    return [found for taken in itertools.combinations(orders, size) for found in itertools.product(*taken)]


def _sampled(
    random: np.random.Generator, sells: Pick, buys: Pick, shapes: dict[tuple[int, int], int], depth: int, wanted: int
) -> Iterator[IntArray]:
    """Blocks of random combinations: first the shape, then securities without replacement, then the order in each."""
    # a shape with few members is drawn seldom, so that draws are not wasted on repeats
    likely = np.array([min(count, wanted) for count in shapes.values()], dtype=np.float64)
    counts = np.array(list(shapes), dtype=np.int64)
    for _ in range(math.ceil(ATTEMPTS * wanted / DRAWN_AT_ONCE)):
        drawn = counts[random.choice(len(counts), size=DRAWN_AT_ONCE, p=likely / likely.sum())]
        pads = np.full((DRAWN_AT_ONCE, depth), PAD, dtype=np.int64)
        rows = np.concatenate([_draw(random, sells, drawn[:, 0]), _draw(random, buys, drawn[:, 1]), pads], axis=1)
        # a shape has at most `depth` orders: behind them, in falling order, are pads only
        yield -np.sort(-rows, axis=1)[:, :depth]


def _draw(random: np.random.Generator, side: Pick, counts: IntArray) -> IntArray:
    """Draw `counts` securities a row, weighted and without replacement, and one order in each.

    counts    (k,)
    returns   (k, most), PAD where a row takes fewer
    The smallest of exponential times with these rates are a weighted draw without replacement
    (Efraimidis & Spirakis, Weighted random sampling with a reservoir, 2006).
    """
    if not side.most:
        return np.full((len(counts), 0), PAD, dtype=np.int64)
    times = random.standard_exponential((len(counts), len(side.weights))) / side.weights
    taken = np.argsort(times, axis=1, kind="stable")[:, : side.most]
    order = (random.random(taken.shape) * side.counts[taken]).astype(np.int64)
    return np.where(np.arange(side.most) < counts[:, None], side.rows[taken, order], PAD)


def _distinct(blocks: Iterator[IntArray], candidates: Candidates, seeds: IntArray, wanted: int) -> Iterator[IntArray]:
    """The first `wanted` feasible rows that no earlier row and no seed equals as a set."""
    seen = set(map(bytes, canonical(seeds, candidates.m)))
    left = wanted
    for block in blocks:
        rows = canonical(block, candidates.m)
        rows = rows[feasible(candidates.account, rows)]
        fresh: list[int] = []
        for i, key in enumerate(map(bytes, rows)):
            if key not in seen:
                seen.add(key)
                fresh.append(i)
        rows = rows[fresh[:left]]
        left -= len(rows)
        for start in range(0, len(rows), YIELDED_AT_ONCE):
            yield frozen(rows[start : start + YIELDED_AT_ONCE].copy())
        if not left:
            return
