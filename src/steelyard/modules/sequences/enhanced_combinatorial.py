"""Enhanced combinatorial: combinations of sales and buys, the better candidates more often."""

from __future__ import annotations

import itertools
import math
import operator
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Literal

import numpy as np

from steelyard.arrays import PAD, FloatArray, IntArray, canonical_rows, frozen
from steelyard.ledger import feasible
from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context, Grouping
from steelyard.modules.registry import ModuleParams, sequence_generator
from steelyard.modules.sequences import generator
from steelyard.settings import setting

NAME = "enhanced_combinatorial"

ATTEMPTS = 8
"""Draws for each combination wanted: those that fail mostly lack cash, more would not mend that."""
ENOUGH_ASIDE = 2
"""Alike ones for each combination still wanted at which drawing ends."""
RECENT = 10
"""Combinations that came last, with which another is compared."""
DRAWN_AT_ONCE = 1024
YIELDED_AT_ONCE = 256
LEAST_WEIGHT = 0.1
"""Of the last candidate in sampling; the first has 1.1, eleven times as much."""

Sizes = Literal["best", "all"]


class Params(ModuleParams):
    """How many sequences, how large and from how many securities."""

    max_sells: int = setting(4, "most sales in a sequence", ge=0, le=10)
    max_buys: int = setting(4, "most buys in a sequence", ge=0, le=10)
    max_candidates: int = setting(
        12, "securities drawn from on each side, by priority", ge=1, le=50
    )
    max_combinations: int = setting(1000, "most sequences", ge=1, le=100_000)
    max_likeness: float = setting(
        0.8,
        "part of all sectors, and of all countries, that it may share with a recent combination "
        "before it comes last",
        ge=0,
        le=1,
    )
    sizes: Sizes = setting(
        "all", "drawn for a security: its first order, or all of them in half of the draws"
    )

    def most_sequences(self, depth: int) -> int:  # noqa: ARG002 - it does not depend on it
        """As many as it is told."""
        return self.max_combinations


@dataclass(frozen=True, slots=True)
class Pick:
    """One side to draw from; s securities, at most r orders in one.

    rows      (s, r)  candidate indices, PAD at the end
    counts    (s,)    orders of each security
    weights   (s,)    of each security in sampling
    chances   (s, r)  cumulative chance of each order within its security, 1 from the last one on
    most      securities in one sequence
    """

    rows: IntArray
    counts: IntArray
    weights: FloatArray
    chances: FloatArray
    most: int

    def ways(self) -> list[int]:
        """Number of ways to take 0, 1, …, `most` securities with one order each."""
        ways = [1] + [0] * self.most
        for count in self.counts.tolist():
            for number in range(self.most, 0, -1):
                ways[number] += ways[number - 1] * count
        return ways


Sides = tuple[Pick, Pick]
"""Sales and buys."""
Shapes = dict[tuple[int, int], int]
"""(sales, buys) -> number of combinations."""


@sequence_generator(
    NAME,
    version="2.0.0",
    params=Params,
    tags=("buy", "sell"),
    dependencies=("opportunity_calculators",),
)
def enhanced_combinatorial(
    ctx: Context, candidates: Candidates, seeds: IntArray, params: Params
) -> Iterator[IntArray]:
    """Distinct feasible combinations of sales and buys: all if few, else a sample by priority.

    Half of a sample draws only the best order of each security, the other half all sizes: the best
    sizes go together where targets say how large an order is, other sizes are needed where only
    cash limits it. A combination whose sectors and countries are both like those of a recent one
    comes only after all that are more varied.
    """
    random, depth, most = generator(ctx, NAME), ctx.search.max_depth, params.max_combinations
    seen = set(map(bytes, canonical_rows(seeds, candidates.m)))
    kinds = Kinds.of(ctx, candidates, params.max_likeness)
    excluded = len(seen)
    stages = [_sides(candidates, params, depth, "best")]
    if params.sizes == "all":
        every = _sides(candidates, params, depth, "all")
        few = sum(_shapes(every, depth).values()) <= most
        stages = [every] if few else [*stages, every]
    for stage, sides in enumerate(stages, start=1):
        quota = most * stage // len(stages) - (len(seen) - excluded)
        combined = _combined(random, sides, depth, quota)
        yield from _distinct(combined, candidates, seen, quota, kinds)


def _sides(candidates: Candidates, params: Params, depth: int, sizes: Sizes) -> Sides:
    def side(*, buys: bool, most: int) -> Pick:
        best = [row for row in candidates.pool if bool(candidates.is_buy[row]) is buys]
        pick = _pick(candidates, best[: params.max_candidates], sizes)
        return replace(pick, most=min(most, pick.most, depth))

    return side(buys=False, most=params.max_sells), side(buys=True, most=params.max_buys)


def _pick(candidates: Candidates, best: list[int], sizes: Sizes) -> Pick:
    """The securities of some orders, with the orders to draw in each."""
    orders = [_orders(candidates, row, sizes) for row in best]
    rows = np.full((len(best), max(map(len, orders), default=1)), PAD, dtype=np.int64)
    chances = np.ones(rows.shape)
    for line, chance, sizes_of in zip(rows, chances, orders, strict=True):
        line[: len(sizes_of)] = sizes_of
        weights = sampling_weights(candidates.pull[sizes_of])
        chance[: len(sizes_of) - 1] = np.cumsum(weights)[:-1]
    return Pick(
        rows,
        (rows >= 0).sum(axis=1),
        sampling_weights(candidates.pull[best]),
        chances,
        len(best),
    )


def _orders(candidates: Candidates, best: int, sizes: Sizes) -> list[int]:
    if sizes == "best":
        return [best]
    same = (candidates.security == candidates.security[best]) & (
        candidates.is_buy == candidates.is_buy[best]
    )
    return [int(row) for row in np.flatnonzero(same)]


def sampling_weights(priorities: FloatArray) -> FloatArray:
    """How often each security is drawn: quadratic in priority, never 0; uniform if all are equal.

    priorities, returns   (s,); the weights sum to 1
    """
    if not priorities.size:
        return np.zeros(0)
    least, spread = priorities.min(), np.ptp(priorities)
    raw = (priorities - least) / spread if spread > 0 else np.zeros_like(priorities)
    weights = raw**2 + LEAST_WEIGHT
    return np.asarray(weights / weights.sum())


def _shapes(sides: Sides, depth: int) -> Shapes:
    """Every shape and its number of combinations; sales alone and buys alone are shapes too."""
    ways = itertools.product(*(enumerate(side.ways()) for side in sides))
    return {(s, b): sold * bought for (s, sold), (b, bought) in ways if 1 <= s + b <= depth}


def _combined(
    random: np.random.Generator, sides: Sides, depth: int, most: int
) -> Iterator[IntArray]:
    """Blocks of combinations: every one if there are not more than `most`, else random ones."""
    shapes = _shapes(sides, depth)
    if sum(shapes.values()) <= most:
        return _enumerated(sides, shapes, depth)
    return _sampled(random, sides, shapes, depth, most)


def _enumerated(sides: Sides, shapes: Shapes, depth: int) -> Iterator[IntArray]:
    """Every combination, one block for each shape."""
    sells, buys = sides
    for s, b in shapes:
        combined = [
            sold + bought for sold in _combinations(sells, s) for bought in _combinations(buys, b)
        ]
        rows = [row + (PAD,) * (depth - s - b) for row in combined]
        yield np.array(rows, dtype=np.int64).reshape(-1, depth)


def _combinations(side: Pick, size: int) -> list[tuple[int, ...]]:
    orders: list[list[int]] = [
        line[:count] for line, count in zip(side.rows.tolist(), side.counts.tolist(), strict=True)
    ]
    return [
        row
        for securities in itertools.combinations(orders, size)
        for row in itertools.product(*securities)
    ]


def _sampled(
    random: np.random.Generator, sides: Sides, shapes: Shapes, depth: int, most: int
) -> Iterator[IntArray]:
    """Blocks of random combinations: the shape, distinct securities, an order in each."""
    sells, buys = sides
    # a shape with few members is drawn seldom, so that draws are not wasted on repeats
    likely = np.array([min(count, most) for count in shapes.values()], dtype=np.float64)
    counts = np.array(list(shapes), dtype=np.int64)
    for _ in range(math.ceil(ATTEMPTS * most / DRAWN_AT_ONCE)):
        drawn = counts[random.choice(len(counts), size=DRAWN_AT_ONCE, p=likely / likely.sum())]
        pads = np.full((DRAWN_AT_ONCE, depth), PAD, dtype=np.int64)
        rows = np.concatenate(
            [_draw(random, sells, drawn[:, 0]), _draw(random, buys, drawn[:, 1]), pads], axis=1
        )
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
    first = np.argsort(times, axis=1, kind="stable")[:, : side.most]
    order = (random.random(first.shape)[:, :, None] >= side.chances[first]).sum(axis=2)
    return np.where(np.arange(side.most) < counts[:, None], side.rows[first, order], PAD)


def _distinct(
    blocks: Iterator[IntArray],
    candidates: Candidates,
    seen: set[bytes],
    quota: int,
    kinds: Kinds,
) -> Iterator[IntArray]:
    """The first `quota` feasible rows whose set is not `seen` yet, those like recent ones last;
    each one that is yielded joins `seen`.
    """
    aside: list[IntArray] = []
    for block in blocks:
        rows = canonical_rows(block, candidates.m)
        rows = rows[feasible(candidates.account, rows)]
        fresh: list[int] = []
        for i, key in enumerate(map(bytes, rows)):
            if key in seen or len(fresh) == quota:
                continue
            seen.add(key)
            if kinds.is_like_a_recent(rows[i]):
                aside.append(rows[i])
            else:
                fresh.append(i)
        quota -= len(fresh)
        yield from _in_pieces(rows[fresh])
        if quota <= 0 or len(aside) >= ENOUGH_ASIDE * quota:
            break
    seen.difference_update(map(bytes, aside[quota:]))
    if aside[:quota]:
        yield from _in_pieces(np.array(aside[:quota]))


def _in_pieces(rows: IntArray) -> Iterator[IntArray]:
    for start in range(0, len(rows), YIELDED_AT_ONCE):
        yield frozen(rows[start : start + YIELDED_AT_ONCE])


@dataclass
class Kinds:
    """Which sectors and countries combinations trade in, and those of the last ones that came.

    masks   dimension -> (m,) the groups of each order as bits
    """

    masks: tuple[list[int], ...]
    most: float
    recent: deque[tuple[int, ...]] = field(default_factory=lambda: deque(maxlen=RECENT))

    @classmethod
    def of(cls, ctx: Context, candidates: Candidates, most: float) -> Kinds:
        """Of the dimensions that say something: with fewer than two groups nothing is like."""
        dimensions = [g for g in (ctx.sectors, ctx.countries) if g.counts]
        return cls(tuple(_bits(g, candidates) for g in dimensions), most)

    def is_like_a_recent(self, row: IntArray) -> bool:
        """Does a row trade in much the same groups of every dimension? One that does not is noted.

        Likeness is the share that two sets of groups have in common of all that either has
        (Jaccard).
        """
        orders = row[row >= 0].tolist()
        own = tuple(reduce(operator.or_, (bits[j] for j in orders), 0) for bits in self.masks)
        if own and any(
            all(_likeness(a, b) > self.most for a, b in zip(own, other, strict=True))
            for other in self.recent
        ):
            return True
        self.recent.append(own)
        return False


def _bits(grouping: Grouping, candidates: Candidates) -> list[int]:
    """(m,) the groups that each order's security is labelled with, as bits."""
    shares = (grouping.shares > 0) & grouping.labelled[:, None]
    own = [sum(1 << int(g) for g in np.flatnonzero(row)) for row in shares]
    return [own[i] for i in candidates.security.tolist()]


def _likeness(a: int, b: int) -> float:
    either = (a | b).bit_count()
    return (a & b).bit_count() / either if either else 1.0
