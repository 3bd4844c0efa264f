"""The lists that are one change away from a plan over whole lots: what a reader may try by hand.

Each changes one order, or two where not too many securities are traded; the score of each is the
reference evaluator's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice

import numpy as np

from steelyard.modules.context import Context
from steelyard.planning.choice import Choice
from steelyard.planning.domain import Domain, list_of_row, orders_of
from steelyard.planning.proof import ByLots
from steelyard.planning.score.objective import Objective
from steelyard.planning.scored import score_set
from steelyard.planning.search.climb import with_reply
from steelyard.planning.search.lots import NONE, LotList
from steelyard.planning.search.moves import Cross, Field, Firsts, Place

MOST = 20
BEYOND = 5
"""Lists shown that would be better and that a limit forbids."""
JUDGED = 40
"""Lists that are judged, the best by the arrays, to show the best of."""
IN_PAIRS = 200
"""Securities up to which pairs of changes are looked at too."""


@dataclass(frozen=True, slots=True)
class Near:
    """A list one change away: its net by the reference evaluator, and whether it may be a plan.

    changes   symbol -> signed shares of the plan and of the list, 0 = no order
    """

    changes: dict[str, tuple[Decimal, Decimal]]
    net: float
    feasible: bool


def neighbours(
    ctx: Context, objective: Objective, choice: Choice, lots: ByLots
) -> tuple[Near, ...]:
    """The best lists one change away, best first, after at most a few that a limit forbids."""
    place = place_of(choice, lots)
    lists = list(islice(_near(lots.search.field, place), JUDGED))
    orders, rows = orders_of(ctx, lots.domain, choice.orders, lists)
    hold, judged = choice.hold.evaluation.score, list[Near]()
    for changed, row in zip(lists, rows, strict=True):
        net = score_set(ctx, objective, orders, row, hold).net
        feasible = lots.search.place(changed).fits and lots.allowed(changed)
        changes = _changes(ctx, lots.domain, place.orders, changed)
        judged.append(Near(changes, net, feasible))
    judged.sort(key=lambda near: -near.net)
    beyond = [near for near in judged if not near.feasible and near.net > choice.plan.net][:BEYOND]
    within = [near for near in judged if near.feasible]
    return (*beyond, *within[: MOST - len(beyond)])


def place_of(choice: Choice, lots: ByLots) -> Place:
    """The plan as a place of the search."""
    return lots.search.place(list_of_row(lots.domain, choice.orders, choice.plan.row))


def least_loss(choice: Choice, lots: ByLots) -> float | None:
    """The smallest loss by one lot more or less of an order of the plan; None without one.

    Lots that no list may have, alone or for the limits, are not tested.
    """
    place, field = place_of(choice, lots), lots.search.field
    firsts, _ = field.options(place, 1)
    own, lots_now = place.orders.way[firsts.security], place.orders.lots[firsts.security]
    some = np.flatnonzero((firsts.way == own) & (np.abs(firsts.lots - lots_now) == 1))
    for k in some[np.argsort(-firsts.gain[some], kind="stable")].tolist():
        orders = place.with_order(int(firsts.security[k]), int(firsts.way[k]), int(firsts.lots[k]))
        if lots.search.place(orders).fits and lots.allowed(orders):
            return -float(firsts.gain[k])
    return None


def _near(field: Field, place: Place) -> Iterator[LotList]:
    """Lists one change away, or two, best first by the arrays."""
    firsts, _ = field.options(place, 1)
    alone = np.argsort(-firsts.gain, kind="stable")[: 2 * JUDGED].tolist()
    changes = [(float(firsts.gain[k]), k, NONE, 0) for k in alone]
    securities = np.unique(field.problem.ways.security)
    if changes and len(securities) <= IN_PAIRS:
        changes += _pairs(field, place, firsts, Cross.of(field.problem, securities))
    seen = {place.orders.key}
    for _, k, v, count in sorted(changes, key=lambda change: (-change[0], *change[1:])):
        orders = place.with_order(int(firsts.security[k]), int(firsts.way[k]), int(firsts.lots[k]))
        orders = orders if v == NONE else with_reply(field, orders, v, count)
        if orders.key not in seen:
            seen.add(orders.key)
            yield orders


def _pairs(
    field: Field, place: Place, firsts: Firsts, cross: Cross
) -> list[tuple[float, int, int, int]]:
    """(gain, first change, open way, lots) of the best pairs."""
    replies = field.replies(place, firsts, cross)
    gain, width = replies.gain.ravel(), len(field.live)
    best = np.argsort(-gain, kind="stable")[: 2 * JUDGED].tolist()
    lots = replies.lots.ravel()
    return [(float(gain[at]), *divmod(at, width), int(lots[at])) for at in best if gain[at] > -1]


def _changes(
    ctx: Context, domain: Domain, plan: LotList, other: LotList
) -> dict[str, tuple[Decimal, Decimal]]:
    """Symbol -> signed shares of the plan and of another list, where they differ."""
    differs = np.flatnonzero((plan.way != other.way) | (plan.lots != other.lots)).tolist()
    return {ctx.symbols[i]: (domain.signed(plan, i), domain.signed(other, i)) for i in differs}
