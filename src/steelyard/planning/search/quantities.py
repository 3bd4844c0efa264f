"""The best list of whole lots there is, of any size and any number of orders, and its proof.

1. relaxed optimum: every security on its envelope; its prices bound every list       relaxed
2. lists to start from: what each security does at those prices, and the seeds        response
3. repair what breaks a limit; climb by single orders                                 climb
4. close what the bound rules out; climb by pairs within what is left                 climb
5. branch and bound over what is left                                           lot_branching

Everything is measured on the model's arrays; the reference evaluator decides between the lists that
come back and is what is published.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from steelyard.arrays import IntArray, rounded_up
from steelyard.planning.keep import FEW, MOST_TIES, TIE
from steelyard.planning.search.climb import (
    Allowed,
    allowed_by,
    distinct,
    mended,
    pairs,
    repaired,
    singles,
)
from steelyard.planning.search.lot_branching import SLACK, Best, Node, branched, narrowed, node_of
from steelyard.planning.search.lots import NONE, Listed, LotList, LotProblem, LotProof, nothing
from steelyard.planning.search.moves import Cross, Curves, Field, Place, replaced
from steelyard.planning.search.relaxation import Relaxation, relaxation
from steelyard.planning.search.relaxed import begin
from steelyard.planning.search.response import Open
from steelyard.planning.search.stretches import Record, Watch

ROOT_STEPS, AGAIN_STEPS = 24, 8
PAIRED = 200
"""Securities of which all pairs are tried; of more those of largest slope."""
CLIMBED, SMALL = 2, 500
"""Starts that are climbed at least; of few securities more, as many as go into SMALL."""
FITTED_IN_PAIRS = 60
"""Orders up to which quantities are fitted by pairs too."""
LOOKED_AFTER = 2
"""Starts that are climbed by pairs too."""


@dataclass
class _Met:
    """The best lists met: the ties of the best, and a few more."""

    places: dict[bytes, Place] = field(default_factory=dict)

    def keep(self, place: Place) -> None:
        """Remember a list; forget the worst when there are far too many."""
        self.places[place.orders.key] = place
        if len(self.places) > 2 * MOST_TIES:
            best = self.ranked()
            self.places = {p.orders.key: p for p in best[:MOST_TIES]}

    def ranked(self) -> list[Place]:
        """Best first; of equals the canonical one."""
        return sorted(self.places.values(), key=lambda p: (-p.net, p.orders.key))


@dataclass(frozen=True)
class LotSearch:
    """A problem with its relaxed optimum: where the search, and questions after it, start from."""

    relaxed: Relaxation
    root: Node
    field: Field
    allowed: Allowed

    @classmethod
    def of(cls, problem: LotProblem, within: Open | None = None) -> LotSearch:
        """Solve the relaxed problem.

        within   what is searched; None = everything
        """
        relaxed = relaxation(problem)
        everything = within or Open.all(problem.ways, problem.n, problem.must)
        root = node_of(relaxed, everything, begin(relaxed), ROOT_STEPS)
        whole = Field.of(problem, Curves.of(problem), everything)
        return cls(relaxed, root, whole, allowed_by(problem))

    @property
    def problem(self) -> LotProblem:
        """What is searched."""
        return self.relaxed.problem

    def place(self, orders: LotList) -> Place:
        """A list with what its neighbours are measured from."""
        return Place.of(self.problem, orders, self.relaxed.hold)

    def run(
        self,
        seeds: Iterable[LotList],
        max_nodes: int,
        timed_out: Callable[[], bool] | None = None,
        record: Record | None = None,
    ) -> LotProof:
        """Search every list of whole lots.

        seeds       lists to start from too; those that break a limit are repaired, or passed over
        max_nodes   nodes to branch at most; 0 stops at the bound of the root
        timed_out   asked before each node; True stops the search
        record      where its nodes are stored, and read; None = nowhere
        """
        problem, root, met = self.problem, self.root, _Met()
        own = [root.bounded.exact.orders, _rounded(self)]
        places = _climbed(self, distinct([*own, *seeds, nothing(problem.n)]))
        for place in places:
            met.keep(place)
        best = Best(self.relaxed, self.allowed, met.keep, _net(problem, places))
        complete = _by_pairs(self, places, best)
        bound, nodes, stopped = _proven(self, best, max_nodes, timed_out, record)
        if stopped is not None and nodes:
            complete = _by_pairs(self, met.ranked()[:1], best)
        ranked = [p for p in met.ranked() if p.net > 0 or not problem.empty]
        near = sum(p.net >= best.net - TIE for p in ranked)
        return LotProof(
            lists=tuple(Listed(p.orders, p.net) for p in ranked[: max(FEW, min(near, MOST_TIES))]),
            bound=max(bound, best.net),
            root=rounded_up(root.bound),
            nodes=nodes,
            stopped=stopped,
            # the best of all is also the best of its neighbours
            local_optimum="pairs" if complete or stopped is None else "single",
        )

    def without(self, orders: LotList, i: int) -> Place | None:
        """About the best list that does not trade security i, from a list that does."""
        closed = self.field.node.without(self.problem.ways.security == i)
        again = node_of(self.relaxed, closed, self.root.spot, AGAIN_STEPS)
        search = replace(self, root=again, field=replaced(self.field, closed))
        rest = self.place(orders).with_order(i, NONE, 0)
        places = _climbed(search, distinct([rest, again.bounded.exact.orders]))
        if not places:
            return None
        best = Best(self.relaxed, self.allowed, lambda _: None, places[0].net)
        return _paired_up(search, places[0], best)[0]

    def with_order(self, orders: LotList, i: int, side: int) -> Place | None:
        """About the best list that buys security i (side 1), or sells it (-1), from another."""
        node, ways = self.field.node, self.problem.ways
        own = ways.security == i
        shut, none = own & (np.sign(ways.lot) != side), node.none.copy()
        none[i] = -np.inf
        some = np.flatnonzero(own & ~shut)
        if not len(some):
            return None
        closed = replace(node.without(shut), none=none)
        search = replace(self, field=replaced(self.field, closed))
        first = int(some[0])
        start = self.place(orders).with_order(i, first, int(node.least[first]))
        places = _climbed(search, [start])
        return places[0] if places else None

    def roughly(self, seeds: Iterable[LotList]) -> float:
        """Net of about the best list, by changes of single orders alone; nothing is 0."""
        own = [self.root.bounded.exact.orders, _rounded(self)]
        places = _climbed(self, distinct([*own, *seeds, nothing(self.problem.n)]))
        return _net(self.problem, places)

    def fitted(self, orders: LotList) -> Place | None:
        """About the best list of the same orders in other quantities, none of them dropped."""
        at = orders.traded
        closed = self.field.node.sides_of(self.problem.ways, orders)
        search = replace(self, field=replaced(self.field, closed))
        places = _climbed(search, [orders])
        if not places or len(at) > FITTED_IN_PAIRS:
            return places[0] if places else None
        return pairs(search.field, places[0], self.allowed, Cross.of(self.problem, at))[0]


def _net(problem: LotProblem, places: list[Place]) -> float:
    """Of the best place; doing nothing is one, but where a debt is due."""
    return max([0.0 if problem.empty else -np.inf, *(place.net for place in places)])


def _rounded(search: LotSearch) -> LotList:
    """The relaxed optimum in whole lots, orders of half the least size and more."""
    problem, change, node = search.problem, search.root.spot.change, search.field.node
    ways, empty = problem.ways, nothing(problem.n)
    way, lots = empty.way.copy(), empty.lots.copy()
    size = change[ways.security] / ways.lot if len(ways) else np.zeros(0)
    good = (size >= node.least / 2) & (np.rint(size) <= node.most) & (node.most >= node.least)
    for w in np.flatnonzero(good).tolist():
        i = int(ways.security[w])
        way[i], lots[i] = w, max(int(node.least[w]), int(np.rint(size[w])))
    return LotList(way, lots)


def _climbed(search: LotSearch, starts: list[LotList]) -> list[Place]:
    """The starts repaired, the best of them climbed by single orders, best first, each once."""
    begun = [repaired(search.field, search.place(orders)) for orders in starts]
    ready = sorted((place for place in begun if place is not None), key=lambda p: -p.net)
    places: dict[bytes, Place] = {}
    for start in ready[: max(CLIMBED, SMALL // max(1, search.problem.n))]:
        place = _climb(search, start)
        if place is not None:
            places[place.orders.key] = place
    return sorted(places.values(), key=lambda p: (-p.net, p.orders.key))


def _climb(search: LotSearch, start: Place) -> Place | None:
    """A start climbed by single orders, to a list that may be a plan."""
    place = singles(search.field, start, search.allowed)
    if search.allowed(place.orders):
        return place
    nearest = mended(search.field, place, search.allowed)
    return None if nearest is None else singles(search.field, nearest, search.allowed)


def _by_pairs(search: LotSearch, places: list[Place], best: Best) -> bool:
    """Climb the best places by pairs within what the bound leaves open; was every pair tried?"""
    complete = False
    for place in places[:LOOKED_AFTER]:
        new, tried = _paired_up(search, place, best)
        if best.allowed(new.orders):
            best.keep(new)
            if new.net >= best.net:
                complete = tried
            best.net = max(best.net, new.net)
    return complete


def _paired_up(search: LotSearch, place: Place, best: Best) -> tuple[Place, bool]:
    """A place climbed by pairs, and whether every pair that may be better was tried."""
    problem = search.problem
    node = narrowed(search.relaxed, search.root, best.net)
    some, all_pairs = _paired(problem, node, place)
    within = replace(search.field, node=node, live=_live(problem, node, some))
    new, tried = pairs(within, place, best.allowed, Cross.of(problem, some))
    return singles(search.field, new, best.allowed), tried and all_pairs


def _live(problem: LotProblem, node: Open, some: IntArray) -> IntArray:
    among = np.zeros(problem.n, dtype=np.bool_)
    among[some] = True
    return np.flatnonzero((node.most >= node.least) & among[problem.ways.security])


def _paired(problem: LotProblem, node: Open, place: Place) -> tuple[IntArray, bool]:
    """Securities of which pairs are tried: those that can still change, at most `PAIRED`."""
    ways, orders = problem.ways, place.orders
    options = np.where(node.none == 0, 1, 0)
    np.add.at(options, ways.security, np.maximum(node.most - node.least + 1, 0))
    # what a place has that the bound rules out may still be given up
    at = orders.traded
    way = orders.way[at]
    outside = (orders.lots[at] < node.least[way]) | (orders.lots[at] > node.most[way])
    options[at[outside]] = 2
    some = np.flatnonzero(options > 1)
    if len(some) <= PAIRED:
        return some, True
    rank = np.argsort(-np.abs(place.slope[some]), kind="stable")[:PAIRED]
    return np.sort(some[rank]), False


def _proven(
    search: LotSearch,
    best: Best,
    max_nodes: int,
    timed_out: Callable[[], bool] | None,
    record: Record | None,
) -> tuple[float, int, str | None]:
    """Branch until nothing is open."""
    relaxed, root = search.relaxed, search.root
    if root.bound <= best.net + SLACK:
        return best.net, 0, None
    again = node_of(relaxed, narrowed(relaxed, root, best.net), root.spot, ROOT_STEPS)
    first = replace(again, cap=root.bound)
    watch = None if record is None else Watch.of(relaxed, first, best, record)
    return branched(relaxed, first, best, max_nodes, timed_out, watch)
