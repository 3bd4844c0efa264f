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
from steelyard.planning.search.climb import Allowed, allowed_by, distinct, pairs, repaired, singles
from steelyard.planning.search.lot_branching import SLACK, Best, Node, branched, narrowed, node_of
from steelyard.planning.search.lots import Listed, LotList, LotProblem, LotProof, nothing
from steelyard.planning.search.moves import Cross, Curves, Field, Place
from steelyard.planning.search.relaxed import Relaxation, begin, relaxation
from steelyard.planning.search.response import Open

ROOT_STEPS = 24
PAIRED = 200
"""Securities of which all pairs are tried; of more those of largest gap or slope."""
LOOKED_AFTER = 3
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


def search_lots(
    problem: LotProblem,
    seeds: Iterable[LotList],
    *,
    max_nodes: int,
    timed_out: Callable[[], bool] | None = None,
) -> LotProof:
    """Search every list of whole lots.

    seeds       lists to start from too; those that break a limit are repaired, or passed over
    max_nodes   nodes to branch at most; 0 stops at the bound of the root
    timed_out   asked before each node; True stops the search
    """
    relaxed, met, allowed = relaxation(problem), _Met(), allowed_by(problem)
    everything = Open.all(problem.ways, problem.n)
    if not problem.empty:
        everything = _owing(problem)
    root = node_of(relaxed, everything, begin(relaxed), ROOT_STEPS)
    whole = Field.of(problem, Curves.of(problem), everything)
    starts = distinct(
        [root.bounded.exact.orders, _rounded(relaxed, root), *seeds, nothing(problem.n)]
    )
    places = _climbed(relaxed, whole, starts, allowed)
    for place in places:
        met.keep(place)
    best = Best(relaxed, allowed, met.keep, _net(problem, places))
    local = _by_pairs(relaxed, whole, root, (places, best))
    bound, nodes, stopped = _proven(relaxed, root, best, max_nodes, timed_out)
    ranked = [p for p in met.ranked() if p.net > 0 or not problem.empty]
    near = sum(p.net >= best.net - TIE for p in ranked)
    lists = tuple(Listed(p.orders, p.net) for p in ranked[: max(FEW, min(near, MOST_TIES))])
    return LotProof(lists, max(bound, best.net), rounded_up(root.bound), nodes, stopped, local)


def _owing(problem: LotProblem) -> Open:
    return Open.all(problem.ways, problem.n)


def _net(problem: LotProblem, places: list[Place]) -> float:
    """Of the best place; doing nothing is one, but where a debt is due."""
    return max([0.0 if problem.empty else -np.inf, *(place.net for place in places)])


def _rounded(relaxed: Relaxation, root: Node) -> LotList:
    """The relaxed optimum in whole lots, orders of half a tangent and more."""
    problem, change = relaxed.problem, root.spot.change
    ways = problem.ways
    chosen, lots = nothing(problem.n).way.copy(), nothing(problem.n).lots.copy()
    if not len(ways):
        return nothing(problem.n)
    size = change[ways.security[:]] / ways.lot
    good = (size >= ways.least / 2) & (np.rint(size) <= ways.most)
    for w in np.flatnonzero(good).tolist():
        i = int(ways.security[w])
        chosen[i], lots[i] = w, max(int(ways.least[w]), int(np.rint(size[w])))
    return LotList(chosen, lots)


def _climbed(
    relaxed: Relaxation, whole: Field, starts: list[LotList], allowed: Allowed
) -> list[Place]:
    """Each start repaired and climbed by single orders, best first, each once."""
    places: dict[bytes, Place] = {}
    for orders in starts:
        place = repaired(whole, Place.of(relaxed.problem, orders, relaxed.hold), relaxed.hold)
        if place is None:
            continue
        place = singles(whole, place, relaxed.hold, allowed)
        if allowed(place.orders):
            places[place.orders.key] = place
    return sorted(places.values(), key=lambda p: (-p.net, p.orders.key))


def _by_pairs(relaxed: Relaxation, whole: Field, root: Node, over: tuple[list[Place], Best]) -> str:
    """Climb the best places by pairs within what the bound leaves open; was every pair tried?"""
    places, best = over
    complete = False
    for place in places[:LOOKED_AFTER]:
        open_ = narrowed(relaxed, root, best.net)
        some, all_pairs = _paired(relaxed.problem, whole, open_, place)
        cross = Cross.of(relaxed.problem, some)
        within = replace(whole, node=open_, live=_live(relaxed.problem, open_, some))
        new, tried = pairs(within, place, relaxed.hold, best.allowed, cross)
        new = singles(whole, new, relaxed.hold, best.allowed)
        if best.allowed(new.orders):
            best.keep(new)
            if new.net >= best.net:
                complete = tried and all_pairs
            best.net = max(best.net, new.net)
    return "pairs" if complete else "single"


def _live(problem: LotProblem, node: Open, some: IntArray) -> IntArray:
    among = np.zeros(problem.n, dtype=np.bool_)
    among[some] = True
    return np.flatnonzero((node.most >= node.least) & among[problem.ways.security])


def _paired(problem: LotProblem, whole: Field, node: Open, place: Place) -> tuple[IntArray, bool]:
    """Securities of which pairs are tried: those that can still change, at most `PAIRED`."""
    ways = problem.ways
    options = np.where(node.none == 0, 1, 0)
    np.add.at(options, ways.security, np.maximum(node.most - node.least + 1, 0))
    # what a place has that the bound rules out may still be given up
    own = place.orders.way
    real = np.maximum(own, 0)
    outside = (own >= 0) & (
        ((place.orders.lots < node.least[real]) | (place.orders.lots > node.most[real]))
        if len(ways)
        else False
    )
    some = np.flatnonzero((options > 1) | outside)
    if len(some) <= PAIRED:
        return some, True
    rank = np.argsort(-np.abs(place.slope[some]), kind="stable")[:PAIRED]
    return np.sort(some[rank]), False


def _proven(
    relaxed: Relaxation,
    root: Node,
    best: Best,
    max_nodes: int,
    timed_out: Callable[[], bool] | None,
) -> tuple[float, int, str | None]:
    """Branch until nothing is open."""
    if root.bound <= best.net + SLACK:
        return best.net, 0, None
    again = node_of(relaxed, narrowed(relaxed, root, best.net), root.spot, ROOT_STEPS)
    capped = replace(again.bounded, bound=min(again.bound, root.bound))
    return branched(relaxed, replace(again, bounded=capped), best, max_nodes, timed_out)
