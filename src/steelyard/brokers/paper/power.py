"""What new buys may spend: money that is there, less what is on its way and what open buys bind."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

from steelyard.brokers.paper.book import Book
from steelyard.brokers.paper.desk import CENT, pay
from steelyard.money import ZERO
from steelyard.orders import Side

SLACK = 2 * CENT
"""What a part's conversions may cost more by rounding."""


def spendable(book: Book) -> dict[str, Decimal]:
    """By currency, >= 0; a balance that would be converted for an open buy is bound too."""
    late = book.arriving("settles_at" if book.script.settled_only else "spendable_at")
    pots = {c: max(amount - late.get(c, ZERO), ZERO) for c, amount in book.cash().items()}
    securities = book.securities()
    waiting: dict[int, Decimal] = {}
    for due in book.due():
        waiting[due.number] = waiting.get(due.number, ZERO) + due.quantity
    for number, quantity in sorted(waiting.items()):
        order = book.order(number)
        if order.side is Side.BUY:
            notional = order.limit_price * quantity * securities[order.symbol].multiplier
            need = cost(book, notional, order.currency, fixed=not order.fee)
            if pay(book.desk, pots, order.currency, need, SLACK * book.script.parts) is None:
                return dict.fromkeys(pots, ZERO)
    return pots


def cost(book: Book, notional: Decimal, currency: str, *, fixed: bool) -> Decimal:
    """An amount and its fees, in its currency, in cents, up."""
    charge = charged(book, notional, currency) if fixed else notional * book.fees.percent
    return (notional + charge).quantize(CENT, ROUND_CEILING)


def charged(book: Book, notional: Decimal, currency: str) -> Decimal:
    """Fees of an order of so much, in its currency, not rounded."""
    return book.fees.fixed / book.rates[currency] + notional * book.fees.percent


def bound(book: Book, symbol: str) -> Decimal:
    """Shares that open sales of a symbol hold."""
    sales = {order.number for order in book.orders("symbol = ? AND side = 'sell'", symbol)}
    return sum((due.quantity for due in book.due() if due.number in sales), ZERO)
