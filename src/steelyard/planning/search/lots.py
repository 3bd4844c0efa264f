"""The problem over whole lots as arrays: every quantity of every security, not rows of a table.

    maximise  F(start + sum of changes) - F(start) - charges      F of `score.model`, concave
    over      per security nothing, or one way to trade it and a whole number of lots of it
    subject   use <= limits, pairs of ways that may not go together, `permits`

n securities · w ways, by security · p limits. A change of weight d moves the weight of a security
by d and cash by -d; the score's cash is before costs, so costs stand in `charge` and in `use`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from steelyard.arrays import BoolArray, FloatArray, IntArray, frozen
from steelyard.planning.score.model import Point, ScoreModel

NONE = -1
"""In place of a way: the security is not traded."""


@dataclass(frozen=True, kw_only=True)
class Ways:
    """The ways to trade, w of them, sorted by security; of one security no two orders at once.

    A security has at most a buy, a sale (or one for each stretch of its tax lots), and a full exit:
    that is one lot of its own, for what is held need not be whole lots.

    security   (w,)    index of the security
    lot        (w,)    signed change of weight of one lot, never 0
    least      (w,)    fewest lots of an order, >= 1
    most       (w,)    most lots, >= least
    charge     (w,)    score that an order is charged whatever its size
    rate       (w,)    score per lot besides
    use        (w, p)  of each limit by an order whatever its size
    use_rate   (w, p)  of each limit per lot
    """

    security: IntArray
    lot: FloatArray
    least: IntArray
    most: IntArray
    charge: FloatArray
    rate: FloatArray
    use: FloatArray
    use_rate: FloatArray

    def __len__(self) -> int:
        return len(self.security)


@dataclass(frozen=True, slots=True)
class LotList:
    """A list of orders: way (n,) of each security or NONE, lots (n,) of it (0 where NONE)."""

    way: IntArray
    lots: IntArray

    @property
    def traded(self) -> IntArray:
        """(d,) securities with an order."""
        return np.flatnonzero(self.way != NONE)

    @property
    def key(self) -> bytes:
        """The list as a key of a dict."""
        return self.way.tobytes() + self.lots.tobytes()


def nothing(n: int) -> LotList:
    """The empty list."""
    return LotList(frozen(np.full(n, NONE, dtype=np.int64)), frozen(np.zeros(n, dtype=np.int64)))


@dataclass(frozen=True, kw_only=True)
class LotProblem:
    """What is searched.

    start      (n + 1,)  z of hold: weights and cash
    limits     (p,)      each use may be at most this, but for rounding
    names      (p,)      of the limits, for people: cash, turnover, orders, due, …
    conflicts  (c, 2)    pairs of ways that may not go together
    permits    may a list be a plan, exactly? Asked of every list before it is kept; it may only
               forbid what the arrays allow, but for rounding
    empty      may doing nothing be the plan? Not where a debt is due
    must       (n,)      securities that every list trades; None = none
    turning    (w,)      lots from which on an order passes its target; 0 where none does
    turn_cash  (w,)      cash (of value, after) at which it may: a buy at this and more, a sale at
               this and less; `permits` judges it exactly. Both left out where nothing turns
    """

    model: ScoreModel
    start: FloatArray
    ways: Ways
    limits: FloatArray
    names: tuple[str, ...]
    conflicts: IntArray
    permits: Callable[[LotList], bool]
    empty: bool = True
    turning: IntArray | None = None
    turn_cash: FloatArray | None = None
    must: BoolArray | None = None

    @property
    def n(self) -> int:
        """Number of securities."""
        return len(self.start) - 1

    @cached_property
    def origin(self) -> Point:
        """Where every list starts: few entries move from there."""
        return Point.at(self.model, self.start)

    def change(self, orders: LotList) -> FloatArray:
        """(n,) change of weight of a list."""
        way = np.maximum(orders.way, 0)
        if not len(self.ways):
            return np.zeros(self.n)
        return np.where(orders.way == NONE, 0.0, self.ways.lot[way] * orders.lots)

    def turned_back(self, orders: LotList, sign: int) -> LotList:
        """The list with orders that pass their target one lot shorter of it: buys (sign 1), sales
        (-1), or both (0); what is then under its least size is dropped.
        """
        if self.turning is None or not len(self.ways):
            return orders
        way = np.maximum(orders.way, 0)
        turn = self.turning[way]
        past = (orders.way != NONE) & (turn > 0) & (orders.lots >= turn)
        past &= (sign == 0) | (np.sign(self.ways.lot[way]) == sign)
        lots = np.where(past, turn - 1, orders.lots)
        gone = past & (lots < self.ways.least[way])
        return LotList(np.where(gone, NONE, orders.way), np.where(gone, 0, lots))

    def charged(self, orders: LotList) -> float:
        """Score that a list is charged."""
        at = orders.traded
        way = orders.way[at]
        return float((self.ways.charge[way] + self.ways.rate[way] * orders.lots[at]).sum())


@dataclass(frozen=True, slots=True)
class Listed:
    """A list with its net improvement over hold."""

    orders: LotList
    net: float


@dataclass(frozen=True, slots=True)
class LotProof:
    """What the search over quantities ended with.

    lists          the best lists met, best first, all permitted, ties of the best before others;
                   empty where nothing is better than nothing
    bound          no permitted list has a larger net; equals the best one's when proven
    root           the bound before branching
    nodes          branched
    stopped        None when the search was exhausted, else which budget ended it: "nodes" or
                   "seconds"
    local_optimum  pairs: no change of two orders improves the best list; single: of one
    """

    lists: tuple[Listed, ...]
    bound: float
    root: float
    nodes: int
    stopped: str | None
    local_optimum: Literal["pairs", "single"]

    @property
    def proven(self) -> bool:
        """Is the best list (or doing nothing) proven best?"""
        return self.stopped is None
