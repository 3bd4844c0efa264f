"""Transactions folded in order of time into positions with their lots, and cash.

In: entries, each with the line it stands on. Out: what is owned after the last of them. Shares are
exact fractions while they are folded: after a split of 3:1 and a sale of all nothing remains.
Lots are sold first in, first out, and their cost is the price without fees.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Context, Decimal, Inexact
from enum import Enum
from fractions import Fraction
from itertools import groupby

from steelyard.canonical import plain
from steelyard.errors import RejectedRow
from steelyard.importers.statement import Balance, Position
from steelyard.importers.values import BadCell
from steelyard.money import ZERO
from steelyard.notices import Notice

EXACT = Context(prec=200, traps=[Inexact])
ROUNDED = Context(prec=28)
"""For what has no end as a decimal, like a third of a share."""
BEGIN = "the export must begin with the first trade"


class Kind(Enum):
    """What an entry does to shares; its number is its turn among entries of one time."""

    SPLIT = 0
    BUY = 1
    IN = 2
    CASH = 3
    SELL = 4
    OUT = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One transaction.

    at         when; of two at one time, what adds shares comes first
    quantity   shares bought, sold or moved, above 0
    currency   of the price, major unit
    unit       in which it was quoted when that is a minor unit, like GBX
    price      per share; None = not known
    acquired   of shares moved in, where the file says it
    ratio      of a split: shares after for one before
    before     shares before a split, where the file says them; they must be what is owned
    cash       (currency, amount) by which cash changes
    opens      does it bring cash from outside, as the first row of an account does?
    """

    line: int
    at: datetime
    kind: Kind
    symbol: str = ""
    quantity: Decimal = ZERO
    currency: str = ""
    unit: str = ""
    price: Decimal | None = None
    acquired: date | None = None
    ratio: Fraction = Fraction(1)
    before: Decimal | None = None
    cash: tuple[tuple[str, Decimal], ...] = ()
    opens: bool = False
    account: str = ""
    name: str = ""
    isin: str = ""
    product_type: str = ""
    multiplier: Decimal | None = None


@dataclass(frozen=True)
class Folded:
    """What is owned after the last entry.

    positions   a lot each, oldest first; symbols sold out have one of quantity 0
    balances    of every currency that moved, with its account
    rejected    entries that cannot be: a sale of more than there is
    as_of       day of the last entry; None = there is none
    whole       does cash come first, and is it never below 0 at the end of a day?
    """

    positions: tuple[Position, ...]
    balances: tuple[Balance, ...]
    rejected: tuple[RejectedRow, ...]
    as_of: date | None
    whole: bool

    @property
    def cash_unknown(self) -> Notice:
        """Said where the entries do not tell what cash there is."""
        why = "its rows do not begin with a deposit, or would leave cash below 0"
        advice = f"To read cash too, {BEGIN}; or add CASH:CUR rows of your own."
        message = f"Cash is not known: {why}. No cash was read. {advice}"
        return Notice(code="cash_unknown", message=message, head=True)


@dataclass
class _Lot:
    line: int
    shares: Fraction
    cost: Fraction | None
    acquired: date | None


@dataclass
class _Stock:
    """One symbol of one account while it is folded; `shares` are those of its lots."""

    entry: Entry
    lots: deque[_Lot] = field(default_factory=deque)
    shares: Fraction = Fraction(0)
    last_bought: date | None = None
    last_sold: date | None = None
    sold_at_loss: bool = False
    lost_on: date | None = None


def fold(entries: Iterable[Entry], file: str) -> Folded:
    """What a file of transactions leaves: never a negative position, that is refused by line."""
    ordered = sorted(entries, key=lambda entry: (entry.at, entry.kind.value, entry.line))
    stocks, cash = dict[tuple[str, str], _Stock](), dict[tuple[str, str], Decimal]()
    rejected, overdrawn = list[RejectedRow](), False
    for _, day in groupby(ordered, key=lambda entry: entry.at.date()):
        for entry in day:
            try:
                _move(stocks, entry)
            except BadCell as error:
                rejected.append(error.row(file, entry.line))
            for currency, amount in entry.cash:
                key = entry.account, currency
                cash[key] = cash.get(key, ZERO) + amount
        overdrawn = overdrawn or any(amount < 0 for amount in cash.values())
    return Folded(
        tuple(row for stock in stocks.values() for row in _rows(stock)),
        _balances(cash, ordered),
        tuple(rejected),
        ordered[-1].at.date() if ordered else None,
        not overdrawn and any(entry.opens for entry in ordered if entry.at == ordered[0].at),
    )


def _move(stocks: dict[tuple[str, str], _Stock], entry: Entry) -> None:
    """Change the shares of a symbol; raises BadCell for what cannot be."""
    if entry.kind is Kind.CASH:
        return
    stock = stocks.setdefault((entry.account, entry.symbol), _Stock(entry))
    _one_security(stock, entry)
    stock.entry = _details(stock, entry)
    MOVES[entry.kind](stock, entry)


def _details(stock: _Stock, entry: Entry) -> Entry:
    """What names a stock: the first entry of its lots, and what it left out and others say."""
    first, later = (stock.entry, entry) if stock.lots else (entry, stock.entry)
    return replace(
        first,
        currency=first.currency or later.currency,
        unit=first.unit or later.unit,
        name=first.name or later.name,
        isin=entry.isin or stock.entry.isin,
        product_type=first.product_type or later.product_type,
    )


def _one_security(stock: _Stock, entry: Entry) -> None:
    """Two currencies or ISINs under one symbol are two securities, or one of them is wrong."""
    first = stock.entry
    pairs = {"currency": (first.currency, entry.currency)}
    if entry.kind is not Kind.SPLIT:  # a split may bring a new ISIN
        pairs["ISIN"] = first.isin, entry.isin
    for name, (old, new) in pairs.items():
        if stock.lots and old and new and old != new:
            reason = f"{entry.symbol} has the {name} {old} on line {first.line} and {new} here"
            raise BadCell(
                f"{reason}: two securities with one symbol, or one of the rows is wrong; "
                "write another symbol for one of them",
                code="two_securities",
                column=name.lower(),
                value=new,
                limit=old,
                hint="write another symbol for one of them",
            )


def _add(stock: _Stock, entry: Entry) -> None:
    acquired = entry.at.date() if entry.kind is Kind.BUY else entry.acquired
    cost = None if entry.price is None else Fraction(entry.price)
    stock.lots.append(_Lot(entry.line, Fraction(entry.quantity), cost, acquired))
    stock.shares += Fraction(entry.quantity)
    if entry.kind is Kind.BUY:
        stock.last_bought = entry.at.date()


def _remove(stock: _Stock, entry: Entry) -> None:
    """Take shares from the oldest lots; a loss on any of them is a sale at a loss."""
    rest, loss = Fraction(entry.quantity), False
    if rest > stock.shares:
        raise _short(entry, entry.quantity, stock.shares)
    stock.shares -= rest
    while rest:
        lot = stock.lots[0]
        part = min(rest, lot.shares)
        price = entry.price
        loss = loss or (lot.cost is not None and price is not None and price < lot.cost)
        rest, lot.shares = rest - part, lot.shares - part
        if not lot.shares:
            stock.lots.popleft()
    if entry.kind is Kind.SELL:
        stock.last_sold, stock.sold_at_loss = entry.at.date(), loss
        stock.lost_on = stock.last_sold if loss else stock.lost_on


def _split(stock: _Stock, entry: Entry) -> None:
    if entry.before is not None and Fraction(entry.before) != stock.shares:
        raise _short(entry, entry.before, stock.shares)
    stock.shares *= entry.ratio
    for lot in stock.lots:
        lot.shares *= entry.ratio
        lot.cost = None if lot.cost is None else lot.cost / entry.ratio


MOVES: Mapping[Kind, Callable[[_Stock, Entry], None]] = {
    Kind.BUY: _add,
    Kind.IN: _add,
    Kind.SELL: _remove,
    Kind.OUT: _remove,
    Kind.SPLIT: _split,
}


def _short(entry: Entry, quantity: Decimal, shares: Fraction) -> BadCell:
    verb = {Kind.SELL: "sells", Kind.OUT: "moves out", Kind.SPLIT: "splits"}[entry.kind]
    there = plain(as_decimal(shares))
    reason = f"{verb} {plain(quantity)} {entry.symbol} where the rows before it leave {there}"
    return BadCell(
        f"{reason}; {BEGIN}",
        code="negative_position",
        column="quantity",
        value=plain(quantity),
        limit=there,
        hint=BEGIN,
    )


def as_decimal(number: Fraction) -> Decimal:
    """The same number, exact where it ends as a decimal, else in 28 digits.

    >>> as_decimal(Fraction(5, 4)), as_decimal(Fraction(1, 3))
    (Decimal('1.25'), Decimal('0.3333333333333333333333333333'))
    """
    over, under = Decimal(number.numerator), Decimal(number.denominator)
    try:
        return EXACT.divide(over, under)
    except Inexact:
        return ROUNDED.divide(over, under)


def _rows(stock: _Stock) -> Iterable[Position]:
    """A row for each lot, or one of quantity 0 with the dates of what is sold out; lots of one day
    and cost are one lot.
    """
    empty = _Lot(stock.entry.line, Fraction(0), None, None)
    rows = dict[tuple[date | None, Fraction | None], _Lot]()
    for part in stock.lots or (empty,):
        row = rows.setdefault((part.acquired, part.cost), replace(part, shares=Fraction(0)))
        row.shares += part.shares
    for lot in rows.values():
        yield Position(
            line=lot.line,
            symbol=stock.entry.symbol,
            quantity=as_decimal(lot.shares),
            currency=stock.entry.currency,
            unit=stock.entry.unit,
            name=stock.entry.name,
            isin=stock.entry.isin,
            product_type=stock.entry.product_type,
            multiplier=stock.entry.multiplier,
            average_cost=None if lot.cost is None else as_decimal(lot.cost),
            acquired=lot.acquired,
            last_bought=stock.last_bought,
            last_sold=stock.last_sold,
            sold_at_loss=stock.sold_at_loss,
            lost_on=stock.lost_on,
            account=stock.entry.account,
        )


def _balances(
    cash: Mapping[tuple[str, str], Decimal], ordered: Sequence[Entry]
) -> tuple[Balance, ...]:
    """A balance for each account and currency, on the line that moved it last."""
    lines = {(entry.account, name): entry.line for entry in ordered for name, _ in entry.cash}
    return tuple(
        Balance(line=lines[key], currency=key[1], amount=amount, account=key[0])
        for key, amount in cash.items()
    )
