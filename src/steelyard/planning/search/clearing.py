"""The prices of cash and of the limits at which all securities' answers fit together.

Near a point y every security answers a price alone: the best size on its concave envelope, less
l/2 (size - y)^2. Newton's method from prices that are near; where that fails, one price after the
other between two ends.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from steelyard.arrays import BoolArray, FloatArray, IntArray
from steelyard.planning.search.relaxation import Relaxation
from steelyard.planning.search.response import Open

NEWTON_STEPS = 6
CLEARING_STEPS = 40
ROUNDS = 2
FITS = 1e-10
GOOD = 1e-7
"""Of value: answers that fit together but for so little will do: any price gives a bound."""
LEAST_PRICE, MOST_PRICE = 1e-3, 1e6
TINY = 1e-18
"""Keeps a division by a size or a curvature that is 0 finite."""


@dataclass(frozen=True, slots=True)
class Sides:
    """Buys (row 0) and sales (row 1) of each security as one stretch, all (2, n) or (p, 2, n).

    low, high   least and largest order; high 0 where closed
    charge      of an order, and rate per unit of weight
    use         of each limit by an order, and use_rate per unit of weight
    forced      no order is not allowed, and only this side is open
    cash        least and most change of cash
    """

    low: FloatArray
    high: FloatArray
    charge: FloatArray
    rate: FloatArray
    use: FloatArray
    use_rate: FloatArray
    forced: BoolArray
    cash: tuple[float, float]


def cash_range(relaxed: Relaxation, node: Open) -> tuple[float, float]:
    """Least and most change of cash in a node."""
    start = float(relaxed.start[-1])
    low, high = (
        max(relaxed.cash[0], node.cash[0] - start),
        min(relaxed.cash[1], node.cash[1] - start),
    )
    return min(low, high), max(low, high)


def sides_of(relaxed: Relaxation, node: Open) -> Sides:
    problem = relaxed.problem
    ways, n, p = problem.ways, problem.n, len(problem.limits)
    shape = (2, n)
    low, high = np.full(shape, np.inf), np.zeros(shape)
    charge, rate = np.zeros(shape), np.zeros(shape)
    use, use_rate = np.zeros((p, *shape)), np.zeros((p, *shape))
    live = np.flatnonzero(node.most >= node.least)
    side, i, size = (ways.lot[live] < 0).astype(int), ways.security[live], np.abs(ways.lot[live])
    np.minimum.at(low, (side, i), size * node.least[live])
    np.maximum.at(high, (side, i), size * node.most[live])
    # of several ways of one side the largest speaks for all: the point may be any, the bound is
    # exact
    order = np.argsort(size * node.most[live], kind="stable")
    at = side[order], i[order]
    charge[at], rate[at] = ways.charge[live][order], (ways.rate[live] / size)[order]
    use[:, at[0], at[1]] = ways.use[live][order].T
    use_rate[:, at[0], at[1]] = (ways.use_rate[live] / size[:, None])[order].T
    forced = np.isneginf(node.none) & (high > 0) & ~(high > 0).all(axis=0)
    cash = cash_range(relaxed, node)
    return Sides(np.minimum(low, high), high, charge, rate, use, use_rate, forced, cash)


SIGN = np.array([[1.0], [-1.0]])


@dataclass(frozen=True, slots=True)
class _Envelopes:
    """The envelopes at some prices of the limits, (2, n): straight from nothing to `tangent`, at
    `price` a unit; beyond it at `rate` and the curvature.
    """

    tangent: FloatArray
    price: FloatArray
    rate: FloatArray

    @classmethod
    def at(cls, sides: Sides, delta: FloatArray, limits: FloatArray) -> _Envelopes:
        charge, rate = sides.charge, sides.rate
        for j in np.flatnonzero(limits):
            charge = charge + limits[j] * sides.use[j]
            rate = rate + limits[j] * sides.use_rate[j]
        positive = np.maximum(charge, 0.0)
        touch = np.sqrt(positive / np.maximum(delta, TINY))
        tangent = np.minimum(np.maximum(touch, sides.low), sides.high)
        each = charge / np.maximum(tangent, TINY) * (tangent > 0)
        return cls(tangent, delta * tangent + rate + each, rate)


@dataclass(frozen=True, slots=True)
class _Answer:
    """How all securities and cash answer: u (2, n) sizes, their slopes, cash e and its slope, what
    is over (1 + p,) of cash and of the limits.
    """

    u: FloatArray
    slope: FloatArray
    beyond: BoolArray
    e: float
    cash_slope: float
    over: FloatArray

    def miss(self, limits: FloatArray) -> float:
        """How far the answers are from fitting together."""
        over = self.over[1:]
        unmet = np.where(limits > 0, np.abs(over), np.maximum(over, 0.0))
        return abs(float(self.over[0])) + float(unmet.sum())


@dataclass
class Market:
    """Finds the prices at which the answers near a point y (n + 1,) fit together.

    pull   (n + 1,)  slope of R at y, less what the start adds to the diagonal part
    """

    relaxed: Relaxation
    sides: Sides
    y: FloatArray
    pull: FloatArray
    good: float

    def __post_init__(self) -> None:
        prox, delta = self.relaxed.prox, self.relaxed.delta
        self.delta = delta[:-1]
        self.wish = SIGN * (self.pull[:-1] + prox * self.y[:-1])
        self.bend = 1 / (2 * self.delta + prox)
        self.cash_bend = 1 / (2 * float(delta[-1]) + prox)
        self.cash_wish = float(self.pull[-1] + prox * self.y[-1])

    def answer(self, cash: float, envelopes: _Envelopes) -> _Answer:
        """At a price of cash and the envelopes at the prices of the limits."""
        sides, prox, price = self.sides, self.relaxed.prox, self.wish - SIGN * cash
        line = (price - envelopes.price) / prox
        curve = (price - envelopes.rate) * self.bend
        beyond = (line > envelopes.tangent) | sides.forced
        bent = np.minimum(np.maximum(curve, envelopes.tangent), sides.high)
        u = np.where(beyond, bent, np.maximum(line, 0.0))
        free = (curve > envelopes.tangent) & (curve < sides.high)
        slope = np.where(beyond, free * self.bend, (line > 0) / prox)
        wish = (self.cash_wish - cash) * self.cash_bend
        e = min(max(wish, sides.cash[0]), sides.cash[1])
        share = np.where(beyond, u > 0, u / np.maximum(envelopes.tangent, TINY))
        used = (sides.use_rate * u + sides.use * share).sum(axis=(1, 2))
        fit = float(u[0].sum() - u[1].sum()) + e
        over = np.concatenate([[fit], used - self.relaxed.problem.limits])
        return _Answer(u, slope, beyond, e, self.cash_bend * (e == wish), over)

    def settle(self, cash: float, limits: FloatArray) -> tuple[float, FloatArray, _Answer]:
        """Prices of cash and of the limits at which the answers fit, and they.

        Newton's method from the prices given, which are near; else one price after the other.
        """
        near = self._together(cash, limits)
        return near if near[2].miss(near[1]) <= self.good else self._in_turn(cash, limits)

    def _together(self, cash: float, limits: FloatArray) -> tuple[float, FloatArray, _Answer]:
        envelopes = _Envelopes.at(self.sides, self.delta, limits)
        answer = self.answer(cash, envelopes)
        for _ in range(NEWTON_STEPS):
            miss = answer.miss(limits)
            if miss <= FITS:
                break
            active = np.flatnonzero((limits > 0) | (answer.over[1:] > 0))
            step = self._newton(answer, envelopes, active)
            cash += step[0]
            if len(active):
                limits = limits.copy()
                limits[active] = np.maximum(0.0, limits[active] + np.array(step[1:]))
                envelopes = _Envelopes.at(self.sides, self.delta, limits)
            answer = self.answer(cash, envelopes)
        return cash, limits, answer

    def _in_turn(self, cash: float, limits: FloatArray) -> tuple[float, FloatArray, _Answer]:
        """The price of cash for every price of a limit; limits that are over, one by one."""
        for _ in range(ROUNDS):
            for j in range(len(limits)):
                limits = self._priced(cash, limits, j)
                if limits[j] >= MOST_PRICE:
                    # the answers cannot keep it: that price is the proof, no other is asked for
                    break
            cash, answer = self._cleared(cash, limits)
            if answer.miss(limits) <= GOOD or hopeless(cash, limits):
                break
        return cash, limits, answer

    def _priced(self, cash: float, limits: FloatArray, j: int) -> FloatArray:
        """The prices of the limits with that at which limit j is kept, cash cleared."""
        tried = limits.copy()

        def over(price: float) -> float:
            nonlocal cash
            tried[j] = price
            cash, answer = self._cleared(cash, tried)
            return float(answer.over[1 + j])

        tried[j] = falling_root(over, float(limits[j]))
        return tried

    def _cleared(self, cash: float, limits: FloatArray) -> tuple[float, _Answer]:
        """The price of cash at which the changes sum to 0: Newton's method between two ends."""
        envelopes = _Envelopes.at(self.sides, self.delta, limits)
        low, high, step = -math.inf, math.inf, 1.0
        answer = self.answer(cash, envelopes)
        for _ in range(CLEARING_STEPS):
            over, slope = float(answer.over[0]), float(answer.slope.sum()) + answer.cash_slope
            if abs(over) <= FITS or math.copysign(cash, cash * over) >= MOST_PRICE:
                break
            low, high = (cash, high) if over > 0 else (low, cash)
            new = cash + over / slope if slope > TINY else math.inf
            if not low < new < high:
                ends = math.isfinite(low) and math.isfinite(high)
                step = step if ends else 4 * step
                new = (low + high) / 2 if ends else cash + math.copysign(step, over)
            cash, answer = new, self.answer(new, envelopes)
        return cash, answer

    def _newton(self, answer: _Answer, envelopes: _Envelopes, active: IntArray) -> list[float]:
        """Solve J step = over for the symmetric J of the active prices."""
        slope = answer.slope
        if not len(active):
            whole = float(slope.sum()) + answer.cash_slope
            return [float(answer.over[0]) / whole if whole > TINY else 0.0]
        spread = np.where(answer.beyond, 0.0, 1 / np.maximum(envelopes.tangent, TINY))
        rows = [
            np.broadcast_to(SIGN, slope.shape),
            *(self.sides.use_rate[j] + self.sides.use[j] * spread for j in active),
        ]
        J = [[float((a * slope * b).sum()) for b in rows] for a in rows]
        J[0][0] += answer.cash_slope
        return _solve(J, [float(answer.over[0]), *answer.over[1:][active].tolist()])


def hopeless(cash: float, limits: FloatArray) -> bool:
    """Are the prices those of answers that cannot fit together?"""
    return max(abs(cash), float(limits.max(initial=0.0))) >= MOST_PRICE


def _solve(J: list[list[float]], right: list[float]) -> list[float]:
    """Gauss for a small positive semidefinite system, in plain Python: alike on every machine.

    A price that nothing answers stays as it is, unless something is over: then it rises by 1.
    """
    size = len(right)
    rows = [[*row, value] for row, value in zip(J, right, strict=True)]
    scale = max(row[k] for k, row in enumerate(J)) or 1.0
    pivots = []
    for k in range(size):
        pivot = rows[k][k]
        if pivot <= 1e-11 * scale:
            continue
        pivots.append(k)
        for other in range(size):
            if other != k and rows[other][k] != 0:
                ratio = rows[other][k] / pivot
                rows[other] = [a - ratio * b for a, b in zip(rows[other], rows[k], strict=True)]
    return [
        rows[k][-1] / rows[k][k] if k in pivots else (1.0 if k and right[k] > 0 else 0.0)
        for k in range(size)
    ]


def falling_root(over: Callable[[float], float], near: float) -> float:
    """The price >= 0 at which a falling function of it is 0, 0 where it never is over.

    Regula falsi, the Illinois way.
    """
    low, at_low = 0.0, over(0.0)
    if at_low <= GOOD / 2:
        return 0.0
    high = max(near, LEAST_PRICE)
    at_high = over(high)
    while at_high > 0 and high < MOST_PRICE:
        low, at_low, high = high, at_high, 16 * high
        at_high = over(high)
    for _ in range(CLEARING_STEPS):
        if at_high > -GOOD / 2 or high - low <= LEAST_PRICE * 1e-6:
            break
        price = (low * at_high - high * at_low) / (at_high - at_low)
        value = over(price)
        if value > 0:
            low, at_low, at_high = price, value, at_high / 2
        else:
            high, at_high, at_low = price, value, at_low / 2
    return high
