"""The relaxed problem: every security on its concave envelope, tied by cash and the limits.

    maximise  R(z) + sum of envelopes(d_i) - D_c (c + e)^2    over d and cash e = -sum d
    subject   use <= limits, spread along the envelopes

R is the score less its diagonal part (`curvature`), concave and smooth. Solved by accelerated
proximal steps: at y, R is its tangent less l/2 |z - y|^2, so that every security answers a price
alone; Newton's method finds the prices of cash and of the limits at which the answers fit together.
Any point and any prices give a valid bound (`bound`); those of the optimum give a tight one.
Source: Beck and Teboulle, A fast iterative shrinkage-thresholding algorithm (2009), restarted.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from steelyard.arrays import BoolArray, FloatArray, IntArray, dot
from steelyard.planning.score.model import Point
from steelyard.planning.search.curvature import inside
from steelyard.planning.search.lots import LotProblem
from steelyard.planning.search.response import Exact, Open, Prices, exact

NEAR = 1e-8
"""A step that moves no weight further than this is the last."""
NEWTON_STEPS = 6
CLEARING_STEPS = 40
ROUNDS = 2
FITS = 1e-10
GOOD = 1e-7
"""Of value: answers that fit together but for so little will do: any price gives a bound."""
POWER_STEPS = 8
ROOM = 1.2
"""Over the estimate of the largest curvature: few steps estimate it from below."""
LEAST_PROX = 1e-3
LEAST_PRICE, MOST_PRICE = 1e-3, 1e6
TINY = 1e-18
"""Keeps a division by a size or a curvature that is 0 finite."""


@dataclass(frozen=True)
class Relaxation:
    """A problem with what all of its nodes share.

    delta   (n + 1,)  curvature inside each security, and in cash
    first   (s,)      where each traded security's ways begin
    hold    F(start)
    prox    l, at least the largest curvature of R on changes that sum to 0
    cash    (2,)      least and most that cash may change
    """

    problem: LotProblem
    delta: FloatArray
    first: IntArray
    hold: float
    prox: float
    cash: tuple[float, float]

    @property
    def start(self) -> FloatArray:
        """(n + 1,) z of hold."""
        return self.problem.start


@dataclass(frozen=True, slots=True)
class Spot:
    """A point of the relaxation: change of z (n + 1,), its Point, price of cash, of limits (p,)."""

    change: FloatArray
    point: Point
    cash: float
    limits: FloatArray


def relaxation(problem: LotProblem) -> Relaxation:
    """What every node of the search shares."""
    ways, start = problem.ways, problem.start
    starts = np.flatnonzero(np.diff(ways.security, prepend=-1)) if len(ways) else np.zeros(0, int)
    reach = np.zeros((2, problem.n))
    np.maximum.at(
        reach, (np.where(ways.lot > 0, 0, 1), ways.security), np.abs(ways.lot) * ways.most
    )
    delta, point = inside(problem.model), Point.at(problem.model, start)
    return Relaxation(
        problem,
        delta,
        starts,
        point.value(),
        _steepest(problem, delta, point),
        (-float(reach[0].sum()), float(reach[1].sum())),
    )


def _steepest(problem: LotProblem, delta: FloatArray, point: Point) -> float:
    """About the largest curvature of R over changes that sum to 0, by power iteration."""
    size = len(delta)
    if size < 3:  # noqa: PLR2004 one security and cash move along one line
        return LEAST_PROX + 4 * float(np.abs(problem.model.slope).max(initial=0.0))
    v, most = np.where(np.arange(size) % 2, 1.0, -1.0) / np.arange(1, size + 1), 0.0
    for _ in range(POWER_STEPS):
        v = v - v.mean()
        v = v / math.sqrt(dot(v, v))
        d = Point.at(problem.model, v)
        pull = 2 * (d.products[0] - delta * v)
        for (k, _, variance), (_, along, _) in zip(point.norms, d.norms, strict=True):
            pull = pull + k * along / math.sqrt(max(variance, 1e-6))
        pull = pull - pull.mean()
        most = math.sqrt(dot(pull, pull))
        if most == 0:
            break
        v = pull
    return max(LEAST_PROX, ROOM * most)


@dataclass(frozen=True, slots=True)
class _Sides:
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


def _sides(relaxed: Relaxation, node: Open) -> _Sides:
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
    return _Sides(np.minimum(low, high), high, charge, rate, use, use_rate, forced, cash)


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
    def at(cls, sides: _Sides, delta: FloatArray, limits: FloatArray) -> _Envelopes:
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
class _Market:
    """Finds the prices at which the answers near a point y (n + 1,) fit together.

    pull   (n + 1,)  slope of R at y, less what the start adds to the diagonal part
    """

    relaxed: Relaxation
    sides: _Sides
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
            cash, answer = self._cleared(cash, limits)
            if answer.miss(limits) <= GOOD:
                break
        return cash, limits, answer

    def _priced(self, cash: float, limits: FloatArray, j: int) -> FloatArray:
        """The prices of the limits with that at which limit j is kept, cash cleared."""
        tried = limits.copy()

        def over(price: float) -> float:
            tried[j] = price
            return float(self._cleared(cash, tried)[1].over[1 + j])

        tried[j] = falling_root(over, float(limits[j]))
        return tried

    def _cleared(self, cash: float, limits: FloatArray) -> tuple[float, _Answer]:
        """The price of cash at which the changes sum to 0: Newton's method between two ends."""
        envelopes = _Envelopes.at(self.sides, self.delta, limits)
        low, high, step = -math.inf, math.inf, 1.0
        answer = self.answer(cash, envelopes)
        for _ in range(CLEARING_STEPS):
            over, slope = float(answer.over[0]), float(answer.slope.sum()) + answer.cash_slope
            if abs(over) <= FITS:
                break
            low, high = (cash, high) if over > 0 else (low, cash)
            new = cash + over / slope if slope > TINY else math.inf
            if not low < new < high:
                ends = math.isfinite(low) and math.isfinite(high)
                step = step if ends else 2 * step
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
        low, at_low, high = high, at_high, 4 * high
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


def begin(relaxed: Relaxation) -> Spot:
    """Where the first node starts: hold, nothing priced."""
    change = np.zeros(len(relaxed.start))
    point = Point.at(relaxed.problem.model, relaxed.start)
    return Spot(change, point, float(point.gradient()[-1]), np.zeros(len(relaxed.problem.limits)))


def improve(relaxed: Relaxation, node: Open, spot: Spot, steps: int, good: float = GOOD) -> Spot:
    """The optimum of the relaxation over a node, nearly: at most `steps` proximal steps.

    good   misfit of the answers, of value, that will do
    """
    sides = _sides(relaxed, node)
    y, here, momentum = spot, spot, 1.0
    for _ in range(steps):
        pull = _pull(relaxed, y)
        market = _Market(relaxed, sides, y.change, pull, good)
        cash, limits, answer = market.settle(here.cash, here.limits)
        change = np.append(answer.u[0] - answer.u[1], answer.e)
        point = Point.at(relaxed.problem.model, relaxed.start + change)
        new = Spot(change, point, cash, limits)
        moved = change - y.change
        if float(np.abs(moved).max(initial=0.0)) <= NEAR:
            return new
        ahead = change - here.change
        if dot(moved, ahead) < 0:
            momentum = 1.0
        later = (1 + math.sqrt(1 + 4 * momentum**2)) / 2
        y = _extrapolated(here, new, (momentum - 1) / later)
        here, momentum = new, later
    return here


def _extrapolated(before: Spot, new: Spot, share: float) -> Spot:
    if share == 0:
        return new
    point = new.point.moved(new.point, share).moved(before.point, -share)
    change = new.change + share * (new.change - before.change)
    return Spot(change, point, new.cash, new.limits)


def _pull(relaxed: Relaxation, spot: Spot) -> FloatArray:
    """(n + 1,) slope of R at a point, with the slope of the diagonal part at the start."""
    slope = spot.point.gradient() + 2 * relaxed.delta * spot.point.z
    return np.asarray(slope - 2 * relaxed.delta * relaxed.start)


@dataclass(frozen=True, slots=True)
class Bounded:
    """A bound on the net of every list of a node, how each security answers its prices, and the
    change of cash that answers its own.
    """

    bound: float
    exact: Exact
    cash: float


def bound(relaxed: Relaxation, node: Open, spot: Spot) -> Bounded:
    """No list of the node has a larger net, whatever the spot; that of the optimum is tight."""
    problem, delta, start = relaxed.problem, relaxed.delta, relaxed.start
    pull, z = _pull(relaxed, spot), spot.point.z
    tangent = spot.point.value() + dot(delta * z, z)
    tangent -= dot(pull + 2 * delta * start, spot.change) + dot(delta * start, start)
    slope, curve = float(pull[-1]) - spot.cash, float(delta[-1])
    free = slope / (2 * curve) if curve > 0 else math.copysign(math.inf, slope)
    low, high = cash_range(relaxed, node)
    e = min(max(free, low), high)
    answer = exact(
        problem.ways,
        relaxed.first,
        delta[:-1],
        Prices(pull[:-1] - spot.cash, spot.limits),
        node,
    )
    total = tangent - relaxed.hold + slope * e - curve * e * e
    total += math.fsum(answer.value.tolist()) + dot(spot.limits, problem.limits)
    return Bounded(total, answer, free)
