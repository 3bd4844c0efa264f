"""The quantities of the chosen orders fitted: what a table's few sizes left to be had.

The same securities on the same sides, each with an order: only how much. The bound and the gap are
of the set before.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from steelyard.modules.candidates import Orders
from steelyard.modules.context import Context
from steelyard.planning.choice import Choice
from steelyard.planning.domain import Domain, orders_of, seed_of
from steelyard.planning.score.objective import Objective
from steelyard.planning.scored import score_set
from steelyard.planning.search.climb import LEAST_GAIN
from steelyard.planning.search.quantities import LotSearch
from steelyard.planning.search.response import Open

NODES = 200
"""Branched at most: few orders, few lots."""


def refined(ctx: Context, objective: Objective, choice: Choice, domain: Domain) -> Choice:
    """The choice with the quantities of its plan fitted, where that is better.

    Not where a black box ranks: the search does not see it. Nor where an order is none that the
    search may make.
    """
    plan = seed_of(domain, choice.orders, choice.plan.row) if choice.acts else None
    if plan is None or objective.black_boxes:
        return choice
    problem = domain.problem
    within = Open.all(problem.ways, problem.n).sides_of(problem.ways, plan)
    proof = LotSearch.of(problem, within).run([plan], NODES)
    best = proof.lists[0] if proof.lists else None
    if best is None or best.net <= choice.plan.net + LEAST_GAIN:
        return choice
    orders, (row,) = orders_of(ctx, domain, choice.orders, [best.orders])
    fitted = _as_refined(orders, choice.plan.row, row)
    scored = score_set(ctx, objective, fitted, row, choice.hold.evaluation.score)
    more = scored.net - choice.plan.net
    return replace(choice, orders=fitted, plan=scored, refined=more) if more > 0 else choice


def _as_refined(orders: Orders, before: tuple[int, ...], row: tuple[int, ...]) -> Orders:
    """Orders that came of a candidate keep its name and who asked for it, and say its size."""
    was = {int(orders.security[j]): j for j in before}
    ids, proposals = list(orders.ids), list(orders.proposals)
    sizes: list[Decimal | None] = [None] * orders.m
    for j in row:
        first = was[int(orders.security[j])]
        if j != first:
            ids[j], proposals[j] = orders.ids[first], orders.proposals[first]
            sizes[j] = orders.quantity[first]
    return replace(orders, ids=tuple(ids), proposals=tuple(proposals), refined_from=tuple(sizes))
