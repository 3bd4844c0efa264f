"""Executions by id, and each order of ours against what the broker sums up of it: exactly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from steelyard.brokers.broker import BrokerFill, BrokerOrder
from steelyard.canonical import plain
from steelyard.execution.ids import ORDER_SIGNS, PREFIX
from steelyard.execution.reconcile.records import GRAIN, Break, Ours, Theirs
from steelyard.money import ZERO

LEAST_DIGITS = 2
"""Of an average price: a broker that tells 100 may mean 100.004, and never 100.4."""
OUR_SIGNS = len(PREFIX) + ORDER_SIGNS


def order_breaks(ours: Ours, theirs: Theirs) -> Iterator[Break]:
    """Each execution and each order on which the sides differ, but for what was acknowledged."""
    for broken in _every(ours, theirs):
        if broken.mark not in ours.opening.seen:
            yield broken


def _every(ours: Ours, theirs: Theirs) -> Iterator[Break]:
    yield from _executions(ours, theirs)
    booked = defaultdict(list)
    for fill in ours.fills:
        booked[fill.client_order_id].append(fill)
    at_broker = {order.client_order_id: order for order in theirs.orders}
    for order_id in sorted(ours.orders):
        if order_id in at_broker:
            yield from _order(at_broker[order_id], booked[order_id])
        elif any(fill.exec_id not in ours.opening.seen for fill in booked[order_id]):
            why = f"the broker does not list order {order_id}, of which executions are booked"
            yield Break(level="order", code="order_absent", subject=order_id, why=why)
    for order_id in sorted(at_broker):
        if is_ours(order_id) and order_id not in ours.orders:
            why = f"order {order_id} is of this program's making and is in no journal of it"
            yield Break(level="order", code="order_not_journalled", subject=order_id, why=why)


def is_ours(client_order_id: str) -> bool:
    """Does an id look like those that this program makes?"""
    return client_order_id.startswith(PREFIX) and len(client_order_id) == OUR_SIGNS


def foreign(ours: Ours, theirs: Theirs) -> tuple[BrokerFill, ...]:
    """Executions of orders of others since the opening, each once."""
    once = {fill.exec_id: fill for fill in theirs.fills}
    others = (fill for fill in once.values() if fill.client_order_id not in ours.orders)
    return tuple(
        sorted(
            (
                fill
                for fill in others
                if fill.exec_id not in ours.opening.seen and not is_ours(fill.client_order_id)
            ),
            key=lambda fill: (fill.at, fill.exec_id),
        )
    )


def _executions(ours: Ours, theirs: Theirs) -> Iterator[Break]:
    booked = {fill.exec_id: fill for fill in ours.fills}
    at_broker: dict[str, BrokerFill] = {}
    for fill in theirs.fills:
        first = at_broker.setdefault(fill.exec_id, fill)
        yield from _same(first, fill, "the broker tells it twice, and differently")
    mine = {
        exec_id: fill
        for exec_id, fill in at_broker.items()
        if fill.client_order_id in ours.orders or is_ours(fill.client_order_id)
    }
    for exec_id in sorted(booked.keys() | mine.keys()):
        yield from _both(exec_id, booked, mine, ours)


def _both(
    exec_id: str, booked: Mapping[str, BrokerFill], mine: Mapping[str, BrokerFill], ours: Ours
) -> Iterator[Break]:
    """One execution of ours: on both sides, and alike."""
    if exec_id in booked and exec_id in mine:
        yield from _same(booked[exec_id], mine[exec_id], "the broker tells it otherwise")
    elif exec_id in mine and exec_id not in ours.opening.seen:
        why = f"execution {exec_id} of {mine[exec_id].symbol} is not booked"
        quantity = mine[exec_id].quantity
        yield Break(level="order", code="not_booked", subject=exec_id, why=why, broker=quantity)
    elif exec_id in booked and exec_id not in ours.opening.seen:
        why = f"execution {exec_id} of {booked[exec_id].symbol} is booked and not at the broker"
        quantity = booked[exec_id].quantity
        yield Break(level="order", code="not_at_broker", subject=exec_id, why=why, ours=quantity)


def _same(ours: BrokerFill, broker: BrokerFill, what: str) -> Iterator[Break]:
    """Is an execution the same on both sides?"""
    figures = (
        ("quantity", ours.quantity, broker.quantity, ZERO),
        ("value", ours.value, broker.value, GRAIN / 2),
        ("fee", ours.fee, broker.fee, GRAIN / 2),
    )
    words = (
        ("symbol", ours.symbol, broker.symbol),
        ("side", ours.side.value, broker.side.value),
        ("order", ours.client_order_id, broker.client_order_id),
        ("currency", ours.currency, broker.currency),
    )
    for name, first, second, tolerance in figures:
        if not abs(first - second) <= tolerance:
            sides = f"{name} {plain(first)} and {plain(second)}"
            why = f"execution {ours.exec_id}: {what}: {sides}"
            yield _differs("execution_differs", ours.exec_id, why, (first, second))
    for name, mine, theirs in words:
        if mine != theirs:
            why = f"execution {ours.exec_id}: {what}: {name} {mine} and {theirs}"
            yield Break(level="order", code="execution_differs", subject=ours.exec_id, why=why)


def _order(order: BrokerOrder, fills: Iterable[BrokerFill]) -> Iterator[Break]:
    """What the broker sums up against the sum of its executions, by price or by rounded value."""
    rows = tuple(fills)
    quantity = sum((fill.quantity for fill in rows), ZERO)
    order_id = order.client_order_id
    if order.filled_quantity != quantity:
        why = f"{plain(quantity)} {order.symbol} are booked, the broker filled "
        why += plain(order.filled_quantity)
        yield _differs("filled_quantity", order_id, why, (quantity, order.filled_quantity))
    elif order.average_price is not None and quantity:
        by_price = sum((fill.quantity * fill.price for fill in rows), ZERO) / quantity
        by_value = sum((fill.value for fill in rows), ZERO) / quantity
        digit = _last_digit(order.average_price)
        if not min(abs(each - order.average_price) for each in (by_price, by_value)) < digit:
            why = f"{order.symbol} is booked at {by_price:.6f}, at the broker at "
            why += plain(order.average_price)
            yield _differs("average_price", order_id, why, (by_price, order.average_price))


def _last_digit(price: Decimal) -> Decimal:
    """One unit of the last digit that is told: brokers round, and do not say which way."""
    exponent = price.as_tuple().exponent
    digits = -exponent if isinstance(exponent, int) else LEAST_DIGITS
    return Decimal(1).scaleb(-max(digits, LEAST_DIGITS))


def _differs(code: str, subject: str, why: str, sides: tuple[Decimal, Decimal]) -> Break:
    ours, broker = sides
    return Break(level="order", code=code, subject=subject, why=why, ours=ours, broker=broker)
