"""The search over whole lots of a domain, first without what new money must buy: it seldom binds.

The best list of all mostly invests it by itself: then it is the best of those that must, and the
bound holds for them too. Where it does not, it is topped up and the search goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from steelyard.planning.domain import Domain
from steelyard.planning.search.lots import NONE, LotList, LotProof
from steelyard.planning.search.quantities import LotSearch
from steelyard.planning.search.stretches import Record
from steelyard.planning.ways import BUY


def searched(
    domain: Domain,
    seeds: Sequence[LotList],
    max_nodes: int,
    timed_out: Callable[[], bool],
    record_of: Callable[[str], Record] | None = None,
) -> tuple[LotSearch, LotProof]:
    """The search, and what it ended with: lists that the problem of the domain permits.

    record_of   name of a search -> where its nodes are stored; None = nowhere
    """
    record = None if record_of is None else record_of("all")
    if domain.wider is None:
        search = LotSearch.of(domain.problem)
        return search, search.run(seeds, max_nodes, timed_out, record)
    search = LotSearch.of(domain.wider)
    proof = search.run(seeds, max_nodes, timed_out, record)
    lists = tuple(listed for listed in proof.lists if domain.problem.permits(listed.orders))
    if lists and lists[0] is proof.lists[0]:
        return search, replace(proof, lists=lists)
    topped = [_topped(domain, listed.orders) for listed in proof.lists[:1]]
    narrow = LotSearch.of(domain.problem)
    starts = [*seeds, *(listed.orders for listed in lists), *topped]
    record = None if record_of is None else record_of("invested")
    again = narrow.run(starts, max_nodes, timed_out, record)
    # every list that may be a plan is one of the wider search too
    nodes, stopped = proof.nodes + again.nodes, again.stopped or proof.stopped
    bound = min(proof.bound, again.bound)
    return narrow, replace(again, bound=bound, nodes=nodes, stopped=stopped)


def _topped(domain: Domain, orders: LotList) -> LotList:
    """A list that buys more, in the largest lots first, until it invests what it must."""
    way, lots = orders.way.copy(), orders.lots.copy()
    trades, wider = domain.trades, domain.wider or domain.problem
    buys = np.flatnonzero(trades.kind == BUY)
    for w in buys[np.argsort(-trades.lot[buys], kind="stable")].tolist():
        i = int(trades.security[w])
        own = int(lots[i]) if way[i] == w else 0
        if way[i] not in (NONE, w):
            continue
        for count in range(int(trades.most[w]), max(own, int(trades.least[w]) - 1), -1):
            way[i], lots[i] = w, count
            if wider.permits(LotList(way.copy(), lots.copy())):
                break
        else:
            way[i], lots[i] = (w, own) if own else (NONE, 0)
        if domain.problem.permits(LotList(way.copy(), lots.copy())):
            break
    return LotList(way, lots)
