"""The market of a paper account: time passes, parts are filled, cancels come true, days end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from functools import partial
from zoneinfo import ZoneInfo

from steelyard.brokers.broker import BrokerFill
from steelyard.brokers.opening import PaperPrice
from steelyard.brokers.paper.book import Book, Due, Execution, PaperOrder
from steelyard.brokers.paper.desk import CENT, pay
from steelyard.brokers.paper.power import charged
from steelyard.brokers.paper.quotes import STEP_S, out_of_reach, touch
from steelyard.brokers.paper.sessions import weekdays_after, written
from steelyard.money import ZERO
from steelyard.orders import TERMINAL, OrderStatus, Side

Event = tuple[datetime, int, int, Callable[[], None]]


def advance(book: Book, until: datetime) -> None:
    """Everything that is to happen until a time, in its order; the clock then stands there."""
    while events := _events(book, until):
        at, _, _, act = min(events, key=lambda event: event[:3])
        book.now = max(book.now, at)
        act()
    book.now = max(book.now, until)


def take_back(book: Book, order: PaperOrder) -> None:
    """A cancel was asked for: it comes true a little later, unless the order is over."""
    if order.state in TERMINAL or order.cancels_at is not None:
        return
    script = book.script
    late = script.seconds(script.cancel_after_s, "cancel", order.client_order_id)
    order.state = OrderStatus.CANCELLING
    order.cancels_at = book.now + timedelta(seconds=0.0 if script.instant else late)
    book.put(order)


def _events(book: Book, until: datetime) -> list[Event]:
    """What comes by then: the next fill, then cancels, then ends of days."""
    events: list[Event] = [
        (due.at, 0, due.number, partial(_try, book, due)) for due in book.next_due(until)
    ]
    for order in book.ending(until):
        if order.cancels_at is not None and order.cancels_at <= until:
            end = partial(_end, book, order, cancel=True)
            events.append((order.cancels_at, 1, order.number, end))
        if order.expires_at <= until:
            end = partial(_end, book, order, cancel=False)
            events.append((order.expires_at, 2, order.number, end))
    return events


def _end(book: Book, order: PaperOrder, *, cancel: bool) -> None:
    script, key, at = book.script, f"{order.client_order_id}#{order.number}", book.now
    if cancel and script.happens(script.late_cancel, "late", key):
        for due in book.due(order.number)[:1]:
            _fill(book, order, due, order.limit_price)
    if order.state is OrderStatus.FILLED:
        return
    order.state = OrderStatus.CANCELLED if cancel else OrderStatus.EXPIRED
    order.cancels_at = None
    book.put(order)
    rest = order.quantity - order.filled_quantity
    book.drop_due(order.number)
    odds = script.cancelled_that_filled if cancel else script.expired_that_fills
    if script.happens(odds, "ghost", key):
        later = at + timedelta(seconds=script.seconds(script.ghost_after_s, "ghost", key))
        book.put_due(Due(order.number, script.parts, later, rest, ghost=True))


def _try(book: Book, due: Due) -> None:
    """Fill a part if its order is marketable, else look again when the market comes to it."""
    order = book.order(due.number)
    security = book.security(order.symbol)
    price = order.limit_price if due.ghost else _price(book, order, security, book.now)
    if price is None:
        book.put_due(replace(due, at=_reached(book, order, security)))
    else:
        _fill(book, order, due, price)


def _reached(book: Book, order: PaperOrder, security: PaperPrice | None) -> datetime:
    """When the market next comes to an order; after its end, where it does not."""
    at = book.now
    if security is None or out_of_reach(book.script, security.price, order.side, order.limit_price):
        return order.expires_at + timedelta(seconds=STEP_S)
    while at <= order.expires_at:
        at += timedelta(seconds=STEP_S)
        if _price(book, order, security, at) is not None:
            break
    return at


def look_again(book: Book) -> None:
    """Prices changed: parts that waited for the old ones are tried with the new."""
    soon = book.now + timedelta(seconds=STEP_S)
    for due in book.due():
        if not due.ghost:
            book.put_due(replace(due, at=min(due.at, soon)))


def _price(
    book: Book, order: PaperOrder, security: PaperPrice | None, at: datetime
) -> Decimal | None:
    """At which it is filled then, never worse than its limit; None = it is not."""
    if security is None:
        return None
    quote = touch(book.script, order.symbol, security.price, at)
    far = quote.ask if order.side is Side.BUY else quote.bid
    if _reaches(order, far):
        return far
    key = f"{order.client_order_id}#{order.number}"
    inside = book.script.happens(book.script.midpoint, "midpoint", key)
    return order.limit_price if inside and _reaches(order, quote.middle) else None


def _reaches(order: PaperOrder, price: Decimal) -> bool:
    return order.limit_price >= price if order.side is Side.BUY else order.limit_price <= price


def _fill(book: Book, order: PaperOrder, due: Due, price: Decimal) -> None:
    """Shares and money change hands; where the money does not reach any more, the order ends."""
    security = book.security(order.symbol)
    multiplier = security.multiplier if security else Decimal(1)
    notional = order.notional + price * due.quantity * multiplier
    value = _cents(notional) - order.value
    fee = max(_cents(charged(book, notional, order.currency)) - order.fee, ZERO)
    book.drop_due(due.number, due.part)
    fee_paid = _settle(book, order, value, fee)
    if fee_paid is None:
        order.state = order.state if due.ghost else OrderStatus.CANCELLED
        order.reason = "insufficient buying power"
        book.drop_due(order.number)
        book.put(order)
        return
    shares = due.quantity if order.side is Side.BUY else -due.quantity
    book.put_position(order.symbol, book.positions().get(order.symbol, ZERO) + shares)
    order.notional, order.value, order.fee = notional, order.value + value, order.fee + fee_paid
    order.filled_quantity += due.quantity
    if not due.ghost:
        whole = order.filled_quantity == order.quantity
        partly = OrderStatus.PARTLY_FILLED
        if order.state is OrderStatus.CANCELLING:
            partly = OrderStatus.CANCELLING
        order.state = OrderStatus.FILLED if whole else partly
    book.put(order)
    _record(book, order, (due.quantity, price, value, fee_paid))


def _settle(book: Book, order: PaperOrder, value: Decimal, fee: Decimal) -> Decimal | None:
    """Move the money; returns the fee that was paid, None where a buy cannot be paid."""
    balances, currency, paid = book.cash(), order.currency, fee
    if order.side is Side.SELL:
        balances[currency] = balances.get(currency, ZERO) + value
        legs = pay(book.desk, balances, currency, fee)
        if legs is None:  # of a sale that brings less than it costs, with nothing beside it
            paid, legs = min(fee, value), ()
            balances[currency] -= paid
    else:
        legs = pay(book.desk, balances, currency, value + fee)
    if legs is None:
        return None
    book.convert(legs, book.now)
    book.put_cash(balances)
    return paid


def _record(
    book: Book, order: PaperOrder, terms: tuple[Decimal, Decimal, Decimal, Decimal]
) -> None:
    quantity, price, value, fee = terms
    number = book.count("executions") + 1
    script, key = book.script, f"{order.client_order_id}#{order.number}"
    settles = weekdays_after(
        book.now.astimezone(ZoneInfo(book.zone)).date(), script.settlement_days
    )
    fill = BrokerFill(
        exec_id=f"e{number}", client_order_id=order.client_order_id, symbol=order.symbol,
        side=order.side, quantity=quantity, price=price, value=value, fee=fee,
        currency=order.currency, at=book.now, settles=settles,
    )  # fmt: skip
    late = 0.0 if script.instant else script.seconds(script.told_after_s, "told", key, number)
    hidden = script.happens(script.hidden, "hidden", key, number)
    told_at = max(book.now + timedelta(seconds=late), order.seen_at)
    book.put_execution(Execution(fill, order.number, told_at, book.connects + hidden))
    if order.side is Side.SELL:
        opens = datetime.combine(settles, time(0), ZoneInfo(book.zone))
        book.write("arriving", {
            "exec_id": fill.exec_id, "currency": order.currency, "amount": str(value - fee),
            "spendable_at": written(book.now + timedelta(seconds=script.power_lag_s)),
            "settles_at": written(opens if script.settlement_days else book.now),
        })  # fmt: skip


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_EVEN)
