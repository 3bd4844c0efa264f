"""What each security does at a price, alone: exactly over its whole lots, or relaxed to any size.

With the diagonal D inside, a security's part of the score is separable: at a price pi for its
change of weight d, less what an order is charged and uses,

    exact     max over nothing and every way's lots of   pi d - delta d^2 - charge(d)
    relaxed   the same over the concave envelope: an order smaller than where the envelope leaves
              the line from nothing is part of an order
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from steelyard.arrays import BoolArray, FloatArray, IntArray
from steelyard.planning.search.lots import NONE, LotList, Ways


@dataclass(frozen=True, slots=True)
class Open:
    """What a node still allows: fewest and most lots (w,) of each way, no order (n,) at all, and
    least and most cash after.
    """

    least: IntArray
    most: IntArray
    none: FloatArray
    cash: tuple[float, float] = (-np.inf, np.inf)

    @classmethod
    def all(cls, ways: Ways, n: int, must: BoolArray | None = None) -> Open:
        """Everything; `none` is 0 where doing nothing is allowed and -inf where it is not.

        must   (n,) where it is not
        """
        none = np.zeros(n)
        if must is not None and len(must):
            none[must] = -np.inf
        return cls(ways.least, ways.most, none)

    def without(self, shut: BoolArray) -> Open:
        """Some ways (w,) closed."""
        least, most = np.where(shut, 1, self.least), np.where(shut, 0, self.most)
        return replace(self, least=least, most=most)

    def sides_of(self, ways: Ways, orders: LotList) -> Open:
        """Only what trades the securities of a list on its sides; each must have an order."""
        side, at, none = np.zeros(len(self.none)), orders.traded, self.none.copy()
        side[at], none[at] = np.sign(ways.lot[orders.way[at]]), -np.inf
        shut = np.sign(ways.lot) != side[ways.security]
        return replace(self.without(shut), none=none)

    @property
    def ways(self) -> FloatArray:
        """(w,) 0 where the way is open, -inf where it is closed."""
        return np.where(self.most >= self.least, 0.0, -np.inf)


@dataclass(frozen=True, slots=True)
class Prices:
    """security (n,): of a change of weight; limits (p,) >= 0: of using them."""

    security: FloatArray
    limits: FloatArray


@dataclass(frozen=True, slots=True)
class Exact:
    """Per security the best value (n,) and the list (way, lots) that has it; per way its best (w,).

    alpha, beta, gamma (w,): alpha L - beta L^2 - gamma is the value of L lots.
    """

    value: FloatArray
    orders: LotList
    each: FloatArray
    alpha: FloatArray
    beta: FloatArray
    gamma: FloatArray


def of_lots(ways: Ways, delta: FloatArray, prices: Prices) -> tuple[FloatArray, ...]:
    """alpha, beta, gamma (w,) of every way."""
    gamma = ways.charge.copy()
    alpha = ways.lot * prices.security[ways.security] - ways.rate
    for j in np.flatnonzero(prices.limits):
        gamma += prices.limits[j] * ways.use[:, j]
        alpha -= prices.limits[j] * ways.use_rate[:, j]
    return alpha, delta[ways.security] * ways.lot**2, gamma


def best_lots(alpha: FloatArray, beta: FloatArray, least: IntArray, most: IntArray) -> IntArray:
    """(w,) the whole number of lots that is worth most; nonsense where a way is closed."""
    with np.errstate(divide="ignore", invalid="ignore"):
        top = np.where(beta > 0, alpha / (2 * beta), np.where(alpha > 0, np.inf, -np.inf))
    return np.asarray(np.rint(np.minimum(np.maximum(top, least), most)).astype(np.int64))


def exact(ways: Ways, first: IntArray, delta: FloatArray, prices: Prices, node: Open) -> Exact:
    """The best of each security over what a node allows.

    first   (s,) where each traded security's ways begin
    """
    alpha, beta, gamma = of_lots(ways, delta, prices)
    lots = best_lots(alpha, beta, node.least, node.most)
    each = alpha * lots - beta * lots**2.0 - gamma + node.ways
    value, way = node.none.copy(), np.full(len(node.none), NONE, dtype=np.int64)
    if len(ways):
        security = ways.security[first]
        top = np.maximum.reduceat(each, first)
        better = top > value[security]
        # the first way of the best value: of equals the one that comes first
        at_top = np.where(
            each == np.repeat(top, np.diff(first, append=len(ways))),
            np.arange(len(ways)),
            len(ways),
        )
        pick = np.minimum.reduceat(at_top, first)
        value[security] = np.maximum(top, value[security])
        way[security[better]] = pick[better]
    chosen = np.where(way == NONE, 0, lots[np.maximum(way, 0)] if len(ways) else 0)
    return Exact(value, LotList(way, chosen), each, alpha, beta, gamma)
