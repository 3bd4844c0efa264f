"""Sales: rounded down, no more than is there; an exit is the holding to its last digit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from steelyard.money import ZERO
from steelyard.rebalance.asked import Asked, Order
from steelyard.rebalance.records import Purse
from steelyard.rebalance.rounding import stepped
from steelyard.rebalance.rules import Thresholds


def sale(asked: Asked, rules: Thresholds) -> Order:
    """A sale, or why there is none; an exit is of everything that no open order has."""
    row = asked.position
    if asked.stopped is not None or row.price is None:
        return Order(ZERO, asked.stopped or "no_price")
    if asked.is_exit and row.available >= row.quantity:
        pays = -asked.gap > row.charges.of(-asked.gap)
        return Order(-row.quantity, "no_target") if pays else Order(ZERO, "costs_more")
    shares = stepped(min(-asked.gap / row.price, row.available), row.step)
    if not shares:
        return Order(ZERO, "rounds_to_zero")
    amount = shares * row.price
    if amount < rules.min_order_base:
        return Order(ZERO, "below_min_order")
    if amount <= row.charges.of(amount):
        return Order(ZERO, "costs_more")
    return Order(-shares, "no_target" if asked.is_exit else "over_target")


def brought(asked: Iterable[Asked], sales: Mapping[str, Order], purse: Purse) -> Decimal:
    """What all sales do to the cash that may pay, base currency."""
    return sum((_brings(a, sales.get(a.position.symbol), purse) for a in asked), ZERO)


def _brings(asked: Asked, order: Order | None, purse: Purse) -> Decimal:
    row = asked.position
    if order is None or not order.shares or row.price is None:
        return ZERO
    amount = -order.shares * row.price
    brings = amount - row.charges.of(amount)
    return min(brings, ZERO) if purse.settled_only else brings
