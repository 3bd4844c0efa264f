"""Best-first branch and bound over whole lots: the best list, and how far any is from it.

1. A node allows each security some lots of some ways, or none. Its bound is that of the relaxed
   problem with every security exact over its lots (`relaxed.bound`).
2. Options that the bound says cannot be in a better list are closed: what is left is few lots of
   few securities.
3. Branch where the envelope gives away most: trade or not, or on a number of lots; two ways that
   may not go together first.
4. Stop when no node is open (proven), or at the budget: then the highest open bound counts.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from steelyard.arrays import FloatArray, rounded_up
from steelyard.planning.search.clearing import GOOD, cash_range
from steelyard.planning.search.climb import Allowed
from steelyard.planning.search.lots import NONE, LotList
from steelyard.planning.search.moves import Place
from steelyard.planning.search.relaxation import Relaxation
from steelyard.planning.search.relaxed import Bounded, Spot, bound, improve
from steelyard.planning.search.response import Open

SLACK = 5e-10
"""A node whose bound is over the best list by no more is dropped: half of what counts as none."""
NODE_STEPS = 6
"""Proximal steps at a node: it starts where its parent ended."""
ROUGH = 1e-6
"""Misfit that will do at a node: any prices give a bound, and there are many nodes."""
CASH_SLACK = 1e-9
WHOLE = 1e-7
"""Lots this close to a whole number are whole."""


@dataclass(frozen=True)
class Node:
    """What is still allowed, where its bound was taken, and how its securities answered there.

    cap   the bound of the node that it is a part of: the smaller of the two is that of its lists,
          but only its own tells what an option costs, for the answers are of the same prices
    """

    open: Open
    spot: Spot
    bounded: Bounded
    cap: float = math.inf

    @property
    def bound(self) -> float:
        """On every list of the node."""
        return min(self.cap, self.bounded.bound)


@dataclass
class Best:
    """The lists met, the best of them, and which lists may be plans.

    lists   those that were offered and are near the best, in their order
    """

    relaxed: Relaxation
    allowed: Allowed
    keep: Callable[[Place], None]
    net: float
    lists: list[LotList] = field(default_factory=list)

    def offer(self, orders: LotList) -> None:
        """Keep a list that keeps every limit and is near the best."""
        place = Place.of(self.relaxed.problem, orders, self.relaxed.hold)
        if place.fits and place.net > self.net - SLACK and self.allowed(orders):
            self.keep(place)
            self.lists.append(orders)
            self.net = max(self.net, place.net)


@dataclass
class Tree:
    """A search as it stands.

    open    heap of (-bound, number, node): the largest bound first, of equals the older one
    nodes   branched by now
    count   number of the newest; the root is 0
    """

    open: list[tuple[float, int, Node]]
    nodes: int = 0
    count: int = 0


def node_of(relaxed: Relaxation, allowed: Open, spot: Spot, steps: int, good: float = GOOD) -> Node:
    """A node with its bound, from where its parent's was taken."""
    better = improve(relaxed, allowed, spot, steps, good)
    bounded = bound(relaxed, allowed, better)
    if not math.isfinite(bounded.bound) or better is spot:
        return Node(allowed, better, bounded)
    first = bound(relaxed, allowed, spot)
    return (
        Node(allowed, better, bounded)
        if bounded.bound <= first.bound
        else Node(allowed, spot, first)
    )


def narrowed(relaxed: Relaxation, node: Node, net: float) -> Open:
    """The node without the options that no list better than `net` has."""
    spare = node.bounded.bound - net + SLACK
    answer, was, ways = node.bounded.exact, node.open, relaxed.problem.ways
    if not len(ways) or not math.isfinite(spare):
        return was
    least_value = answer.value[ways.security] - spare
    alpha, beta, gamma = answer.alpha, answer.beta, answer.gamma
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.sqrt(alpha**2 - 4 * beta * (gamma + least_value))
        low = np.where(beta > 0, (alpha - root) / (2 * beta), -np.inf)
        high = np.where(beta > 0, (alpha + root) / (2 * beta), np.inf)
        line = (gamma + least_value) / alpha
        low = np.where((beta == 0) & (alpha > 0), line, low)
        high = np.where((beta == 0) & (alpha < 0), line, high)
    # `best_lots` answers for the way: nothing of it is left where even that is too little
    shut = answer.each < least_value
    slack = 1e-9 * np.maximum(1.0, was.most)
    low = np.where(np.isnan(low), was.least, np.ceil(np.maximum(low - slack, was.least)))
    high = np.where(np.isnan(high), was.most, np.floor(np.minimum(high + slack, was.most)))
    least = np.where(shut, 1, low).astype(np.int64)
    most = np.where(shut, 0, high).astype(np.int64)
    none = np.where(was.none < answer.value - spare, -np.inf, was.none)
    return turned(relaxed, Open(least, most, none, _cash(relaxed, node, spare)))


def _cash(relaxed: Relaxation, node: Node, spare: float) -> tuple[float, float]:
    """Cash outside of this costs more than is to spare: its part of the bound is a parabola too."""
    curve, start, (low, high) = float(relaxed.delta[-1]), float(relaxed.start[-1]), node.open.cash
    if curve <= 0:
        return low, high
    free, ends = start + node.bounded.cash, cash_range(relaxed, node.open)
    # where the parabola's top lies outside of what was allowed, what is lost is measured from there
    top = start + min(max(node.bounded.cash, ends[0]), ends[1])
    reach = math.sqrt(max(0.0, spare) / curve + (top - free) ** 2) + CASH_SLACK
    return max(low, free - reach), min(high, free + reach)


def turned(relaxed: Relaxation, allowed: Open) -> Open:
    """Without orders that pass their target where no cash that is allowed lets them."""
    problem = relaxed.problem
    if problem.turning is None or problem.turn_cash is None or not len(problem.ways):
        return allowed
    low, high = allowed.cash
    buys = problem.ways.lot > 0
    shut = np.where(
        buys, problem.turn_cash > high + CASH_SLACK, problem.turn_cash < low - CASH_SLACK
    )
    shut &= problem.turning > 0
    most = np.where(shut, np.minimum(allowed.most, problem.turning - 1), allowed.most)
    return replace(allowed, most=most)


def branched(
    relaxed: Relaxation,
    root: Node,
    best: Best,
    max_nodes: int,
    timed_out: Callable[[], bool] | None = None,
    watch: Callable[[Tree], None] | None = None,
) -> tuple[float, int, str | None]:
    """Search from the root: a bound over every list, nodes branched, and what stopped it.

    watch   given the search after each node; it may bring it forward
    """
    tree = Tree([(-root.bound, 0, root)])
    while tree.open and -tree.open[0][0] > best.net + SLACK:
        if tree.nodes >= max_nodes or (timed_out is not None and timed_out()):
            stopped = "nodes" if tree.nodes >= max_nodes else "seconds"
            return rounded_up(-tree.open[0][0]), tree.nodes, stopped
        _, _, node = heapq.heappop(tree.open)
        tree.nodes += 1
        for child in _children(relaxed, node, best):
            tree.count += 1
            heapq.heappush(tree.open, (-child.bound, tree.count, child))
        if watch is not None:
            watch(tree)
    return best.net, tree.nodes, None


def _children(relaxed: Relaxation, node: Node, best: Best) -> list[Node]:
    """The nodes that a node is split into, each with its bound; none where it is settled."""
    allowed = narrowed(relaxed, node, best.net)
    if _settled(relaxed, allowed, best):
        return []
    children = []
    for part in _split(relaxed, node, allowed):
        if not _possible(relaxed, part):
            continue
        child = replace(node_of(relaxed, part, node.spot, NODE_STEPS, ROUGH), cap=node.bound)
        if math.isnan(child.bound) or child.bound <= best.net + SLACK:
            continue
        best.offer(child.bounded.exact.orders)
        if child.bound > best.net + SLACK:
            children.append(child)
    return children


def _possible(relaxed: Relaxation, allowed: Open) -> bool:
    """Has every security an option?"""
    ways = relaxed.problem.ways
    some = allowed.none == 0
    some[ways.security[allowed.most >= allowed.least]] = True
    return bool(some.all())


def _settled(relaxed: Relaxation, allowed: Open, best: Best) -> bool:
    """Is one list left? Then it is offered. Or none?"""
    if not _possible(relaxed, allowed):
        return True
    ways = relaxed.problem.ways
    options = np.where(allowed.none == 0, 1, 0)
    np.add.at(options, ways.security, np.maximum(allowed.most - allowed.least + 1, 0))
    if (options > 1).any():
        return False
    live = np.flatnonzero(allowed.most >= allowed.least)
    way = np.full(relaxed.problem.n, NONE, dtype=np.int64)
    lots = np.zeros(relaxed.problem.n, dtype=np.int64)
    way[ways.security[live]], lots[ways.security[live]] = live, allowed.least[live]
    best.offer(LotList(way, lots))
    return True


def _split(relaxed: Relaxation, node: Node, allowed: Open) -> list[Open]:
    """Two parts that together are the node, less at most what may not be a plan."""
    return (
        _apart(relaxed, node, allowed)
        or _by_cash(relaxed, node, allowed)
        or _at_a_size(relaxed, node, allowed)
    )


def _by_cash(relaxed: Relaxation, node: Node, allowed: Open) -> list[Open]:
    """An order that passes its target though the cash is not there: one lot less, or the cash."""
    problem = relaxed.problem
    if problem.turning is None or problem.turn_cash is None or not len(problem.ways):
        return []
    ways, turn = problem.ways, problem.turning
    # the spot is the parent's: what has been ruled out since does not ask again
    cash = min(max(float(node.spot.point.z[-1]), allowed.cash[0]), allowed.cash[1])
    lots = node.spot.change[ways.security] / ways.lot
    past = (turn > 0) & (allowed.most >= turn) & (lots > turn - 1 + WHOLE)
    buys = ways.lot > 0
    short = np.where(buys, problem.turn_cash - cash, cash - problem.turn_cash)
    wrong = np.flatnonzero(past & (short > CASH_SLACK))
    if not len(wrong):
        return []
    # the side that asks for least: it shuts the others when it is refused
    w = int(wrong[np.argmin(short[wrong])])
    most = allowed.most.copy()
    most[w] = turn[w] - 1
    low, high = allowed.cash
    limit = float(problem.turn_cash[w])
    there = (max(low, limit), high) if buys[w] else (low, min(high, limit))
    # where the cash is not there, neither may those that ask for more of it
    away = (low, min(high, limit)) if buys[w] else (max(low, limit), high)
    if there[0] > there[1]:
        return [turned(relaxed, replace(allowed, most=most))]
    return [replace(allowed, cash=there), turned(relaxed, replace(allowed, most=most, cash=away))]


def _apart(relaxed: Relaxation, node: Node, allowed: Open) -> list[Open]:
    """Of two ways that may not go together and both are used, the first closed, or the second."""
    problem = relaxed.problem
    if not len(problem.conflicts):
        return []
    way = node.bounded.exact.orders.way
    used = np.zeros(len(problem.ways), dtype=np.bool_)
    used[way[way != NONE]] = True
    used |= problem.ways.lot * node.spot.change[problem.ways.security] > 0
    used &= allowed.most >= allowed.least
    clash = problem.conflicts[used[problem.conflicts].all(axis=1)]
    every = np.arange(len(problem.ways))
    return [allowed.without(every == w) for w in clash[0]] if len(clash) else []


def _at_a_size(relaxed: Relaxation, node: Node, allowed: Open) -> list[Open]:
    """The security whose envelope gives away most, at most at a size or over it."""
    i, below, above = _where(relaxed, node, allowed)
    ways = relaxed.problem.ways
    of_i = np.flatnonzero(ways.security == i)
    parts = []
    for low, high in ((-np.inf, below), (above, np.inf)):
        least, most, none = allowed.least.copy(), allowed.most.copy(), allowed.none.copy()
        for w in of_i.tolist():
            size = float(ways.lot[w])
            ends = sorted((low / size, high / size))
            least[w] = max(float(least[w]), math.ceil(ends[0] - WHOLE) if ends[0] > 0 else 1)
            if math.isfinite(ends[1]):
                most[w] = min(float(most[w]), math.floor(ends[1] + WHOLE))
            if most[w] < least[w]:
                least[w], most[w] = 1, 0
        if not low <= 0 <= high:
            none[i] = -np.inf
        parts.append(replace(allowed, least=least, most=most, none=none))
    return parts


def _where(relaxed: Relaxation, node: Node, allowed: Open) -> tuple[int, float, float]:
    """(security, size below, size above): where to split; sizes are changes of weight."""
    best, choice = -1.0, (0, 0.0, 0.0)
    for gap in _gaps(relaxed, node, allowed):
        if gap.loss > best:
            best, choice = gap.loss, (gap.security, gap.below, gap.above)
    return choice


@dataclass(frozen=True, slots=True)
class _Gap:
    """Two neighbouring options of a security around where it is, and what is given away there.

    Between options a and b the envelope gives away D (x - a)(b - x).
    """

    security: int
    below: float
    above: float
    loss: float


def _gaps(relaxed: Relaxation, node: Node, allowed: Open) -> Iterator[_Gap]:
    """Of each security with several options."""
    for i, sizes in _ends(relaxed, node, allowed).items():
        x, curve = float(node.spot.change[i]), max(float(relaxed.delta[i]), 1e-6)
        points = sorted({*sizes, *([0.0] if allowed.none[i] == 0 else [])})
        if len(points) < 2:  # noqa: PLR2004 one option is none
            continue
        far = _tangent(relaxed, node.bounded.exact.gamma, i, x, allowed)
        nearest = min((p for p in points if p * x > 0), key=abs, default=0.0)
        if 0.0 in points and nearest and 0 < abs(x) < max(far, abs(nearest)):
            far = max(far, abs(nearest))
            below, above = sorted((0.0, nearest))
            yield _Gap(i, below, above, curve * abs(x) * (far - abs(x)))
            continue
        k = min(max(sum(p <= x for p in points) - 1, 0), len(points) - 2)
        below, above = points[k], points[k + 1]
        loss = curve * max((x - below) * (above - x), 0.0)
        # where nothing is given away the widest range is what the tangent is worst over
        yield _Gap(i, below, above, loss + 1e-6 * curve * (points[-1] - points[0]) ** 2)


def _ends(relaxed: Relaxation, node: Node, allowed: Open) -> dict[int, list[float]]:
    """Of each security: the ends of its ways, what is next to them, and the whole lots around where
    it is. Between two neighbours of these where it may be split lies no other option.
    """
    ways = relaxed.problem.ways
    ends: dict[int, list[float]] = {}
    for w in np.flatnonzero(allowed.most >= allowed.least).tolist():
        i, size = int(ways.security[w]), float(ways.lot[w])
        least, most = int(allowed.least[w]), int(allowed.most[w])
        x = float(node.spot.change[i]) / size
        near = round(x)
        down = near if abs(x - near) <= WHOLE else math.floor(x)
        lots = (least, least + 1, down, down + 1, most - 1, most)
        ends.setdefault(i, []).extend(size * count for count in lots if least <= count <= most)
    return ends


def _tangent(relaxed: Relaxation, gamma: FloatArray, i: int, x: float, allowed: Open) -> float:
    """Where the envelope of security i leaves the line from nothing, on the side of x."""
    ways, delta = relaxed.problem.ways, float(relaxed.delta[i])
    side = (ways.security == i) & (ways.lot * x > 0) & (allowed.most >= allowed.least)
    if not side.any():
        return 0.0
    charge = max(float(gamma[side].max()), 0.0)
    return math.sqrt(charge / delta) if delta > 0 else math.inf
