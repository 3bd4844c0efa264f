"""What becomes of an order that comes in: accepted with a schedule of fills, or refused."""

from __future__ import annotations

from datetime import timedelta
from decimal import ROUND_FLOOR, Decimal

from steelyard.brokers.broker import Accepted, Rejected, Reply, Ticket
from steelyard.brokers.opening import PaperPrice
from steelyard.brokers.paper.book import Book, Due, PaperOrder
from steelyard.brokers.paper.desk import CENT, pay
from steelyard.brokers.paper.power import SLACK, bound, cost, spendable
from steelyard.brokers.paper.quotes import tick_of
from steelyard.brokers.paper.sessions import session_at
from steelyard.money import ZERO
from steelyard.orders import OrderStatus, Side


def admit(book: Book, ticket: Ticket) -> Reply:
    """Accept an order or refuse it; a copy of one that is there is that one."""
    copies = book.orders("client_order_id = ?", ticket.client_order_id)
    if copies and book.script.dedups:
        if _same(copies[0], ticket):
            return Accepted(copies[0].shown())
        return Rejected("DUPLICATE", "client_order_id must be unique")
    refusal = _refusal(book, ticket)
    script, key = book.script, (ticket.client_order_id, book.requests)
    if refusal is None and script.happens(script.rejects, "reject", *key):
        refusal = Rejected("OTHER", "rejected by the exchange")
    if refusal is not None:
        return refusal
    order = _placed(book, ticket)
    if script.happens(script.errors_in_success, "error", *key):
        order.state, order.reason = OrderStatus.REJECTED, "rejected by the exchange"
    else:
        _schedule(book, order)
    book.put(order)
    return Accepted(order.shown())


def _same(order: PaperOrder, ticket: Ticket) -> bool:
    terms = (order.symbol, order.side, order.quantity, order.limit_price)
    return terms == (ticket.symbol, ticket.side, ticket.quantity, ticket.limit_price)


def _refusal(book: Book, ticket: Ticket) -> Rejected | None:
    security = book.security(ticket.symbol)
    if security is None:
        return Rejected("NOT_TRADABLE", f"{ticket.symbol} is not traded here")
    if session_at(book.now, book.zone) is None:
        return Rejected("SESSION", "the market is closed")
    figures = ticket.quantity, ticket.limit_price
    if not all(figure.is_finite() and figure > 0 for figure in figures):
        return Rejected("QUANTITY", "quantity and limit price must be above 0")
    if ticket.currency != security.currency:
        return Rejected("NOT_TRADABLE", f"{ticket.symbol} is traded in {security.currency}")
    if ticket.quantity % security.lot_size and not _exits(book, ticket):
        return Rejected("NOT_FRACTIONAL", f"quantity must be a multiple of {security.lot_size}")
    if ticket.limit_price % tick_of(ticket.limit_price):
        return Rejected("PRICE", "sub-penny increment does not fulfill minimum pricing criteria")
    return _unfunded(book, ticket, security)


def _exits(book: Book, ticket: Ticket) -> bool:
    """Does it sell all that is there? That may be no whole lot."""
    there = book.positions().get(ticket.symbol, ZERO) - bound(book, ticket.symbol)
    return ticket.side is Side.SELL and ticket.quantity == there


def _unfunded(book: Book, ticket: Ticket, security: PaperPrice) -> Rejected | None:
    notional = ticket.quantity * ticket.limit_price * security.multiplier
    if notional < CENT:
        return Rejected("BELOW_MINIMUM", "the amount must be at least 0.01")
    if ticket.side is Side.SELL:
        there = book.positions().get(ticket.symbol, ZERO) - bound(book, ticket.symbol)
        if ticket.quantity > there:
            return Rejected("QUANTITY", f"insufficient qty available for order: {there}")
        return None
    need = cost(book, notional, ticket.currency, fixed=True)
    slack = SLACK * book.script.parts
    if pay(book.desk, spendable(book), ticket.currency, need, slack) is None:
        return Rejected("FUNDS", f"insufficient buying power for {need} {ticket.currency}")
    return None


def _placed(book: Book, ticket: Ticket) -> PaperOrder:
    number = book.count("orders") + 1
    session = session_at(book.now, book.zone)
    shown = number
    if book.script.reissued_ids:  # as numbers of a session that a restart begins again
        shown = len(book.orders("connect = ?", book.connects)) + 1
    return PaperOrder(
        number=number, client_order_id=ticket.client_order_id, broker_id=str(shown),
        symbol=ticket.symbol, side=ticket.side, quantity=ticket.quantity,
        limit_price=ticket.limit_price, currency=ticket.currency, state=OrderStatus.WORKING,
        created_at=book.now, expires_at=session.closes if session else book.now,
        seen_at=book.now + timedelta(seconds=book.script.visible_after_s), connect=book.connects,
    )  # fmt: skip


def _schedule(book: Book, order: PaperOrder) -> None:
    """When its parts are to be filled; the parts are whole lots and come to the order."""
    script, key = book.script, f"{order.client_order_id}#{order.number}"
    at = book.now
    if not script.instant:
        at += timedelta(seconds=script.seconds(script.fill_after_s, "first", key))
    for part, quantity in enumerate(_parts(book, order, key)):
        book.put_due(Due(order.number, part, at, quantity, ghost=False))
        at += timedelta(seconds=script.seconds(script.part_gap_s, "gap", key, part))


def _parts(book: Book, order: PaperOrder, key: str) -> list[Decimal]:
    script, security = book.script, book.security(order.symbol)
    count = 1
    if not script.instant and script.happens(script.partial, "partial", key):
        count = 2 + int(script.chance("parts", key) * max(script.parts - 1, 0))
    lot = security.lot_size if security else order.quantity
    lots, rest, parts = order.quantity / lot, order.quantity, []
    for part in range(min(count, script.parts) - 1):
        share = Decimal(repr(0.2 + 0.4 * script.chance("share", key, part)))
        some = (lots * share).to_integral_value(ROUND_FLOOR) * lot
        if min(some, rest - some) * order.limit_price >= 1:
            parts.append(some)
            rest -= some
    return [*parts, rest]
