"""Every change of one order, and every second change after a first: exact, all at once.

k first changes · w ways. The score after a change is exact: the smooth part is quadratic, each norm
is a root of a quadratic. Of the lots of a way the best that the limits leave is taken: the score is
concave along them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from steelyard.arrays import FloatArray, IntArray, Matrix, block, column_of, diagonal_of, firsts
from steelyard.modules.terms import LEAST_VARIANCE
from steelyard.planning.score.model import Point, ScoreModel
from steelyard.planning.search.lots import NONE, LotList, LotProblem
from steelyard.planning.search.response import Open

TOLERANCE = 1e-12
"""Of a limit: what is on it but for rounding may be tried; `permits` has the last word."""

NEWTON_STEPS = 2


@dataclass(frozen=True)
class Place:
    """A list with what its neighbours are measured from.

    change (n,) of weight, used (p,) of the limits, charged (n,) by security, spent (n, p) likewise
    """

    problem: LotProblem
    orders: LotList
    change: FloatArray
    point: Point
    net: float
    hold: float

    @classmethod
    def of(cls, problem: LotProblem, orders: LotList, hold: float) -> Place:
        """The place of a list; `hold` is F(start)."""
        change = problem.change(orders)
        step = Point.at(problem.model, np.append(change, -change.sum()))
        point = problem.origin.moved(step, 1.0)
        net = point.value() - hold - problem.charged(orders)
        return cls(problem, orders, change, point, net, hold)

    def to(self, orders: LotList) -> Place:
        """The place of a list that differs in few orders: what it is worth follows the change."""
        change = self.problem.change(orders)
        by = change - self.change
        d = Point.at(self.problem.model, np.append(by, -by.sum()))
        point = self.point.moved(d, 1.0)
        net = point.value() - self.hold - self.problem.charged(orders)
        return Place(self.problem, orders, change, point, net, self.hold)

    @cached_property
    def charged(self) -> FloatArray:
        """(n,) score that each security's order is charged."""
        ways, at, way = self.problem.ways, self.orders.traded, self.orders.way
        charged = np.zeros(self.problem.n)
        charged[at] = ways.charge[way[at]] + ways.rate[way[at]] * self.orders.lots[at]
        return charged

    @cached_property
    def spent(self) -> FloatArray:
        """(n, p) of each limit by each security's order."""
        ways, at, way = self.problem.ways, self.orders.traded, self.orders.way
        spent = np.zeros((self.problem.n, len(self.problem.limits)))
        spent[at] = ways.use[way[at]] + ways.use_rate[way[at]] * self.orders.lots[at][:, None]
        return spent

    @cached_property
    def spare(self) -> FloatArray:
        """(p,) of each limit that is not used."""
        return np.asarray(self.problem.limits - self.spent.sum(axis=0) + TOLERANCE)

    @cached_property
    def slope(self) -> FloatArray:
        """(n,) of the smooth part along each change: into the security, out of cash."""
        model = self.problem.model
        slope = model.slope - 2 * self.point.products[0]
        return np.asarray(slope[:-1] - slope[-1])

    @cached_property
    def pulls(self) -> list[tuple[float, FloatArray, float]]:
        """Of each norm: k, slope (n,) of half its square along each change, its square."""
        return [(k, Vz[:-1] - Vz[-1], max(v, LEAST_VARIANCE)) for k, Vz, v in self.point.norms]

    @property
    def fits(self) -> bool:
        """Is every limit kept, but for rounding?"""
        return bool((self.spare >= 0).all())

    def with_order(self, i: int, way: int, lots: int) -> LotList:
        """The list with another order in security i; way NONE drops it."""
        ways, counts = self.orders.way.copy(), self.orders.lots.copy()
        ways[i], counts[i] = way, lots if way != NONE else 0
        return LotList(ways, counts)


@dataclass(frozen=True)
class Curves:
    """Curvature along changes of single securities: of H, and of each norm's V, all (n,)."""

    quadratic: FloatArray
    norms: tuple[FloatArray, ...]

    @classmethod
    def of(cls, problem: LotProblem) -> Curves:
        """From the model's matrices."""
        matrices = (problem.model.curvature, *(V for _, V in problem.model.norms))
        first, *others = (_own(M) for M in matrices)
        return cls(first, tuple(others))


def _own(M: Matrix) -> FloatArray:
    diagonal, cash = diagonal_of(M), column_of(M, -1)
    return np.asarray(diagonal[:-1] - 2 * cash[:-1] + cash[-1])


def along(model: ScoreModel, point: Point, security: IntArray, change: FloatArray) -> FloatArray:
    """(k,) of the score when security i (k,) moves by `change` (k,) out of cash, each alone."""
    own = [_own(M)[security] for M in (model.curvature, *(V for _, V in model.norms))]
    pull = model.slope - 2 * point.products[0]
    gain = change * (pull[security] - pull[-1] - change * own[0])
    for (k, Vz, v), bend in zip(point.norms, own[1:], strict=True):
        root = np.sqrt(max(v, LEAST_VARIANCE))
        after = v + change * (2 * (Vz[security] - Vz[-1]) + change * bend)
        gain = gain - k * (np.sqrt(np.maximum(after, LEAST_VARIANCE)) - root)
    return np.asarray(gain + apart(model, point.z[:-1], security, change))


def apart(
    model: ScoreModel, weights: FloatArray, security: IntArray, change: FloatArray
) -> FloatArray:
    """(k,) what shapes of one weight each add to `along`."""
    added = np.zeros(len(security))
    for k, shape in model.separables:
        before, rest = shape.each(weights), np.arange(len(security))
        while len(rest):
            # one change of each security at a time, since `each` sees all weights at once
            now = rest[firsts(security[rest])]
            moved = weights.copy()
            moved[security[now]] += change[now]
            added[now] += k * (shape.each(moved) - before)[security[now]]
            rest = np.setdiff1d(rest, now)
    return added


@dataclass(frozen=True)
class Cross:
    """Curvature between changes of some securities, all (s, s); `index` (n,) into them or -1."""

    index: IntArray
    quadratic: FloatArray
    norms: tuple[FloatArray, ...]

    @classmethod
    def of(cls, problem: LotProblem, some: IntArray) -> Cross:
        """Between the securities `some`."""
        matrices = (problem.model.curvature, *(V for _, V in problem.model.norms))
        first, *others = (_between(M, some) for M in matrices)
        index = np.full(problem.n, -1, dtype=np.int64)
        index[some] = np.arange(len(some))
        return cls(index, first, tuple(others))


def _between(M: Matrix, some: IntArray) -> FloatArray:
    cash = column_of(M, -1)
    return np.asarray(block(M, some, some) - cash[some][:, None] - cash[some] + cash[-1])


@dataclass(frozen=True)
class Firsts:
    """k first changes: security (k,), its way and lots, change (k,) of weight, gain (k,), what they
    use (k, p) of the limits. A security of -1 stands for no change at all.
    """

    security: IntArray
    way: IntArray
    lots: IntArray
    change: FloatArray
    gain: FloatArray
    use: FloatArray


@dataclass(frozen=True)
class Replies:
    """The best second change in each way after each first: gain (k, w) in all, lots (k, w), 0 for
    dropping what the way's security has; -inf where there is none.
    """

    gain: FloatArray
    lots: IntArray


def no_change(p: int) -> Firsts:
    """One first change that changes nothing."""
    none, nil = np.array([-1]), np.zeros(1)
    return Firsts(none, none, np.zeros(1, dtype=np.int64), nil, nil, np.zeros((1, p)))


@dataclass(frozen=True)
class Field:
    """What may be changed: a node's ways, the curves, and of pairs the cross curvature."""

    problem: LotProblem
    curves: Curves
    node: Open
    live: IntArray  # (v,) open ways

    @classmethod
    def of(cls, problem: LotProblem, curves: Curves, node: Open) -> Field:
        """The open ways of a node."""
        return cls(problem, curves, node, np.flatnonzero(node.most >= node.least))

    def gains(self, place: Place, i: IntArray, change: FloatArray) -> FloatArray:
        """(k,) of the score before charges when security i (k,) moves by `change` (k,) more."""
        gain = change * (place.slope[i] - change * self.curves.quadratic[i])
        for (k, pull, v), own in zip(place.pulls, self.curves.norms, strict=True):
            after = np.maximum(v + change * (2 * pull[i] + change * own[i]), LEAST_VARIANCE)
            gain = gain - k * (np.sqrt(after) - np.sqrt(v))
        return np.asarray(gain + apart(self.problem.model, place.point.z[:-1], i, change))

    def options(self, place: Place, most: int) -> tuple[Firsts, bool]:
        """Every change of one security within the node, and whether they are all there are.

        most   lots to either side of the place's own, or of the nearest end
        """
        ways, node, orders = self.problem.ways, self.node, place.orders
        way, lots, complete = list[int](), list[int](), True
        for w in self.live.tolist():
            i = int(ways.security[w])
            low, high = int(node.least[w]), int(node.most[w])
            own = int(orders.lots[i]) if orders.way[i] == w else low
            start, end = max(low, own - most), min(high, own + most)
            complete &= start == low and end == high
            for count in range(start, end + 1):
                if orders.way[i] != w or orders.lots[i] != count:
                    way.append(w)
                    lots.append(count)
        drops = orders.traded[node.none[orders.traded] == 0]
        w = np.array(way, dtype=np.int64)
        security = np.concatenate([ways.security[w], drops])
        w = np.concatenate([w, np.full(len(drops), NONE)])
        counts = np.concatenate([np.array(lots, dtype=np.int64), np.zeros(len(drops), np.int64)])
        return self.firsts(place, security, w, counts), complete

    def firsts(self, place: Place, i: IntArray, way: IntArray, lots: IntArray) -> Firsts:
        """Changes of security i (k,) to lots (k,) of a way (k,), NONE drops."""
        ways, real = self.problem.ways, np.maximum(way, 0)
        some = (way != NONE) * 1.0
        change = some * ways.lot[real] * lots - place.change[i]
        charge = some * (ways.charge[real] + ways.rate[real] * lots) - place.charged[i]
        use = some[:, None] * (ways.use[real] + ways.use_rate[real] * lots[:, None])
        gain = self.gains(place, i, change) - charge
        return Firsts(i, way, lots, change, gain, use - place.spent[i])

    def replies(self, place: Place, firsts: Firsts, cross: Cross | None = None) -> Replies:
        """The best second change in each open way after each first.

        cross   curvature between the securities of firsts and of the open ways
        """
        ways, live = self.problem.ways, self.live
        i, lot = ways.security[live], ways.lot[live]
        after = _After.of(self, place, firsts, i, cross)
        low, high = self._within(place, firsts)
        top = after.best(place.change[i], lot, ways.rate[live])
        centre = np.minimum(np.maximum(top, low), high)
        gains, counts = np.full(centre.shape, -np.inf), np.zeros(centre.shape, dtype=np.int64)
        for rounded in (np.floor(centre), np.ceil(centre)):
            inside = (rounded >= low) & (rounded <= high)
            change = lot * rounded - place.change[i]
            charge = ways.charge[live] + ways.rate[live] * rounded - place.charged[i]
            gain = np.where(inside, after.gain(change) - charge, -np.inf)
            gain += self._apart(place, i, change)
            better = gain > gains
            gains = np.where(better, gain, gains)
            counts = np.where(better, rounded, counts).astype(np.int64)
        same = firsts.security[:, None] == i
        gains = np.where(same, -np.inf, gains + firsts.gain[:, None])
        return self._or_dropped(place, firsts, after, Replies(gains, counts))

    def _apart(self, place: Place, i: IntArray, change: FloatArray) -> FloatArray | float:
        """`apart` of changes (k, v) of the securities i (v,)."""
        if not self.problem.model.separables:
            return 0.0
        flat = np.broadcast_to(i, change.shape).ravel()
        added = apart(self.problem.model, place.point.z[:-1], flat, change.ravel())
        return added.reshape(change.shape)

    def _within(self, place: Place, firsts: Firsts) -> tuple[FloatArray, FloatArray]:
        """(k, v) fewest and most lots that the node and the limits leave; low > high: none."""
        ways, node, live = self.problem.ways, self.node, self.live
        i = ways.security[live]
        shape = (len(firsts.security), len(live))
        low = np.broadcast_to(node.least[live] * 1.0, shape).copy()
        high = np.broadcast_to(node.most[live] * 1.0, shape).copy()
        for j in range(len(self.problem.limits)):
            rest = (
                place.spare[j] - firsts.use[:, j][:, None] + place.spent[i, j] - ways.use[live, j]
            )
            rate = ways.use_rate[live, j]
            with np.errstate(divide="ignore", invalid="ignore"):
                # a whole number of lots that meets the limit exactly is within it
                most = rest / rate * np.where(rate == 0, np.nan, 1.0)
            high = np.where(rate > 0, np.minimum(high, np.floor(most + 1e-9)), high)
            low = np.where(rate < 0, np.maximum(low, np.ceil(most - 1e-9)), low)
            high = np.where((rate == 0) & (rest < 0), -1.0, high)
        return low, high

    def _or_dropped(self, place: Place, firsts: Firsts, after: _After, replies: Replies) -> Replies:
        """Dropping the order of a way's security in place of another size, where that is better."""
        ways, live, orders = self.problem.ways, self.live, place.orders
        i = ways.security[live]
        own = (orders.way[i] == live) & (self.node.none[i] == 0)
        if not own.any():
            return replies
        gain = after.gain(np.broadcast_to(-place.change[i], replies.gain.shape))
        gain = gain + place.charged[i] + firsts.gain[:, None]
        gain = gain + self._apart(place, i, np.broadcast_to(-place.change[i], gain.shape))
        spare = place.spare[None, None, :] - firsts.use[:, None, :] + place.spent[i][None, :, :]
        may = own & (firsts.security[:, None] != i) & (spare >= 0).all(axis=2)
        better = may & (gain > replies.gain)
        return Replies(np.where(better, gain, replies.gain), np.where(better, 0, replies.lots))


@dataclass(frozen=True)
class _After:
    """The score along each open way's security after each first change: all (k, v)."""

    slope: FloatArray
    quadratic: FloatArray
    norms: list[tuple[float, FloatArray, FloatArray, FloatArray]]  # k, pull, own, square

    @classmethod
    def of(
        cls, field: Field, place: Place, firsts: Firsts, i: IntArray, cross: Cross | None
    ) -> _After:
        first = firsts.change[:, None]
        slope, norms = place.slope[i][None, :] + 0.0 * first, []
        if cross is not None:
            a, b = cross.index[firsts.security], cross.index[i]
            slope = slope - 2 * first * cross.quadratic[np.ix_(a, b)]
        for n, (k, pull, v) in enumerate(place.pulls):
            along, square = pull[i][None, :] + 0.0 * first, np.full(first.shape, v)
            if cross is not None:
                along = along + first * cross.norms[n][np.ix_(a, b)]
                own = field.curves.norms[n][firsts.security][:, None]
                square = square + first * (2 * pull[firsts.security][:, None] + first * own)
            square = np.maximum(square, LEAST_VARIANCE)
            norms.append((k, along, field.curves.norms[n][i], square))
        return cls(slope, field.curves.quadratic[i], norms)

    def gain(self, change: FloatArray) -> FloatArray:
        """(k, v) of the score before charges when each security moves by `change` more."""
        gain = change * (self.slope - change * self.quadratic)
        for k, pull, own, v in self.norms:
            after = np.maximum(v + change * (2 * pull + change * own), LEAST_VARIANCE)
            gain = gain - k * (np.sqrt(after) - np.sqrt(v))
        return np.asarray(gain)

    def best(self, before: FloatArray, lot: FloatArray, rate: FloatArray) -> FloatArray:
        """(k, v) lots, not whole, of the best size, by Newton's method on a concave line."""
        change = np.zeros(self.slope.shape)
        per_weight = rate / lot
        for _ in range(NEWTON_STEPS):
            first = self.slope - 2 * change * self.quadratic - per_weight
            second = -2 * self.quadratic + 0.0 * change
            for k, pull, own, v in self.norms:
                square = np.maximum(v + change * (2 * pull + change * own), LEAST_VARIANCE)
                root, along = np.sqrt(square), pull + change * own
                first = first - k * along / root
                second = second - k * (own / root - along**2 / (square * root))
            with np.errstate(divide="ignore", invalid="ignore"):
                step = np.where(second < 0, -first / second, np.sign(first) * np.inf)
            change = change + np.where(np.isnan(step), 0.0, step)
            if not np.isfinite(change).all():
                break
        return np.asarray((before + change) / lot)


def replaced(field: Field, node: Open) -> Field:
    """The same field over another node."""
    return replace(field, node=node, live=np.flatnonzero(node.most >= node.least))
