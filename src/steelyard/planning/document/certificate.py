"""The certificate with the lists that are one change away from the plan."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from steelyard.orders import Side
from steelyard.planning import narrative
from steelyard.planning.document.outlook import sampled_shown
from steelyard.planning.neighbours import Near
from steelyard.planning.solve import Solution
from steelyard.plans.score import Certificate, Neighbour, OrderChange


def certificate_shown(m: Solution) -> Certificate:
    """With its neighbours, and what was drawn."""
    beside = {"neighbours": tuple(map(_neighbour, m.near)), "sampled": sampled_shown(m)}
    return m.certificate.model_copy(update=beside)


def _neighbour(near: Near) -> Neighbour:
    orders = tuple(_changed(near.changes))
    return Neighbour(
        change=narrative.changed(orders),
        orders=orders,
        improvement=near.net,
        feasible=near.feasible,
    )


def _changed(changes: dict[str, tuple[Decimal, Decimal]]) -> Iterable[OrderChange]:
    for symbol, (was, now) in changes.items():
        side = Side.SELL if (now or was) < 0 else Side.BUY
        yield OrderChange(side=side, symbol=symbol, quantity=abs(now), was=was or None)
