"""Lists of whole lots that a search for the score alone does not bring back: for another aim.

The best lists of the score are near each other. Who weighs risk, diversification or cost more
finds theirs elsewhere, so the search is asked again with each of these counting several times as
much. Every list is one that the plan's own problem permits, and is worth what the score says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from steelyard.planning.proof import ByLots
from steelyard.planning.score.model import ScoreModel, build_model
from steelyard.planning.score.objective import Objective
from steelyard.planning.search.lots import NONE, Listed, LotList, LotProblem
from steelyard.planning.search.quantities import LotSearch

MORE = 4.0
NODES = 0
"""Branched for each aim: the best list that climbing reaches, without a proof."""


@dataclass(frozen=True, slots=True)
class Aim:
    """How many times a term, every norm and every charge count."""

    term: str = ""
    times: float = 1.0
    norms: float = 1.0
    charges: float = 1.0


AIMS = (
    Aim("diversification", MORE),
    Aim("total_return", MORE),
    Aim(norms=MORE),
    Aim(norms=MORE**2),
    Aim("diversification", MORE, norms=MORE),
    Aim(charges=MORE),
    Aim(charges=MORE**2),
    Aim(charges=MORE**3),
)


def wider(objective: Objective, lots: ByLots) -> Iterator[Listed]:
    """The best lists for other aims, and the best of the score without each of its orders."""
    first = lots.proof.lists[0].orders if lots.proof.lists else None
    seeds = [] if first is None else [first]
    lists: dict[bytes, LotList] = {}
    for aim in AIMS:
        search = LotSearch.of(_tilted(objective, lots.domain.problem, aim))
        for listed in search.run(seeds, NODES).lists:
            lists.setdefault(listed.orders.key, listed.orders)
    for orders in map(partial(_without, first), first.traded.tolist()) if first is not None else ():
        lists.setdefault(orders.key, orders)
    for orders in lists.values():
        if len(orders.traded) and lots.allowed(orders):
            yield Listed(orders, lots.search.place(orders).net)


def _tilted(objective: Objective, problem: LotProblem, aim: Aim) -> LotProblem:
    ways = problem.ways
    return replace(
        problem,
        model=_model(objective, len(problem.start), aim),
        ways=replace(ways, charge=ways.charge * aim.charges, rate=ways.rate * aim.charges),
    )


def _model(objective: Objective, size: int, aim: Aim) -> ScoreModel:
    weights = {
        name: weight * (aim.times if name == aim.term else 1.0)
        for name, weight in objective.weights.items()
    }
    model = build_model(objective.terms, weights, size)
    return replace(model, norms=tuple((k * aim.norms, V) for k, V in model.norms))


def _without(orders: LotList, i: int) -> LotList:
    way, count = orders.way.copy(), orders.lots.copy()
    way[i], count[i] = NONE, 0
    return LotList(way, count)
