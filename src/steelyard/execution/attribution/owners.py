"""Owners of orders, decided before anything is sent: books that want the same symbol share one.

What one book sells and another buys of a symbol changes hands inside the account, at the midpoint;
only the rest is sent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from steelyard.execution.attribution.allocate import STEP, finest, shared
from steelyard.execution.attribution.rules import Rules
from steelyard.money import ZERO
from steelyard.orders import Side

Parts = Mapping[str, Decimal]
"""Book -> shares."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a book wants to trade; quantity > 0."""

    book: str
    symbol: str
    side: Side
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class OwnedOrder:
    """One order for all books that want it; the quantities of its owners make it up."""

    symbol: str
    side: Side
    owners: Parts

    @property
    def quantity(self) -> Decimal:
        """Shares to trade."""
        return sum(self.owners.values(), ZERO)


@dataclass(frozen=True, slots=True)
class Transfer:
    """Shares that change hands inside the account; price in the currency of the security."""

    symbol: str
    seller: str
    buyer: str
    quantity: Decimal
    price: Decimal


@dataclass(frozen=True, slots=True)
class Netted:
    """Orders, sells first and then by symbol, and transfers."""

    orders: tuple[OwnedOrder, ...]
    transfers: tuple[Transfer, ...]


def netted(
    wishes: Iterable[Wish], midpoints: Mapping[str, Decimal], *, crossing: bool = True
) -> Netted:
    """One order for each symbol and side that is left when books have dealt with each other.

    midpoints   symbol -> reference price; without one nothing changes hands inside
    crossing    False: opposite wishes are two orders
    """
    sums: dict[str, dict[Side, dict[str, Decimal]]] = {}
    for wish in wishes:
        sides = sums.setdefault(wish.symbol, {Side.SELL: {}, Side.BUY: {}})
        before = sides[wish.side].get(wish.book, ZERO)
        sides[wish.side][wish.book] = before + wish.quantity
    orders: list[OwnedOrder] = []
    transfers: list[Transfer] = []
    for symbol in sorted(sums):
        sells, buys = sums[symbol][Side.SELL], sums[symbol][Side.BUY]
        price = midpoints.get(symbol)
        if crossing and price is not None:
            sells, buys, crossed = _crossed(symbol, sells, buys, price)
            transfers += crossed
        for side, parts in ((Side.SELL, sells), (Side.BUY, buys)):
            if parts:
                orders.append(OwnedOrder(symbol, side, dict(sorted(parts.items()))))
    orders.sort(key=lambda order: (order.side is Side.BUY, order.symbol))
    return Netted(tuple(orders), tuple(transfers))


def owners_of(symbol: str, quantity: Decimal, owner: str | Rules) -> dict[str, Decimal]:
    """Book -> shares of an order that one plan asks for.

    owner   the plan's bucket, or the rules that name a symbol's book, see `rules.owner_in`
    What a book sells and does not have is taken from what is unassigned, and told: see `books`.
    """
    return {book_of(symbol, owner): quantity}


def book_of(symbol: str, owner: str | Rules) -> str:
    """The book of a symbol."""
    return owner.book_of(symbol) if isinstance(owner, Rules) else owner


def _crossed(
    symbol: str, sells: Parts, buys: Parts, price: Decimal
) -> tuple[dict[str, Decimal], dict[str, Decimal], list[Transfer]]:
    """What is still to be sold and bought, and what changed hands."""
    sold, bought = sum(sells.values(), ZERO), sum(buys.values(), ZERO)
    inside = min(sold, bought)
    if not inside:
        return dict(sells), dict(buys), []
    step = finest(STEP, *sells.values(), *buys.values())
    given_up, received = shared(inside, sells, step), shared(inside, buys, step)
    transfers = [
        Transfer(symbol, seller, buyer, quantity, price)
        for seller, buyer, quantity in _paired(given_up, received)
        if seller != buyer
    ]
    return _less(sells, given_up), _less(buys, received), transfers


def _paired(giving: Parts, taking: Parts) -> Iterable[tuple[str, str, Decimal]]:
    """Sellers and buyers by name, each until it has dealt its part; one book deals with itself
    first, which is nothing at all."""
    gives, takes = dict(giving), dict(taking)
    for book in sorted(gives.keys() & takes.keys()):
        both = min(gives[book], takes[book])
        gives[book] -= both
        takes[book] -= both
    waiting: defaultdict[str, Decimal] = defaultdict(Decimal, takes)
    for seller in sorted(gives):
        for buyer in sorted(takes):
            quantity = min(gives[seller], waiting[buyer])
            if quantity:
                gives[seller] -= quantity
                waiting[buyer] -= quantity
                yield seller, buyer, quantity


def _less(parts: Parts, less: Parts) -> dict[str, Decimal]:
    rest = {book: parts[book] - less.get(book, ZERO) for book in parts}
    return {book: amount for book, amount in rest.items() if amount}
