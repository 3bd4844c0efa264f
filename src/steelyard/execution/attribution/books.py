"""The books of an account, derived from all that happened in it: executions, transfers, splits.

The same happenings give the same books in whatever order and however often they are told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from steelyard.brokers.broker import Activity, BrokerFill
from steelyard.buckets.books import UNASSIGNED
from steelyard.canonical import plain
from steelyard.errors import NotExecuted
from steelyard.execution.attribution.allocate import MONEY_STEP, STEP, finest, of_fill, shared
from steelyard.execution.attribution.lots import Lot, Match, Method, matched
from steelyard.execution.attribution.owners import Transfer
from steelyard.money import ZERO
from steelyard.orders import Side

EARNED = frozenset({"DIVIDEND", "INTEREST", "FEE"})
"""Kinds of activity that are gain or loss of somebody."""
Owners = Mapping[str, Mapping[str, Decimal]]
"""Client order id -> book -> shares of the order, as decided before it was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """Shares that a book has without an execution: at the opening, or adopted by a person.

    currency   of the cost; "" = not known
    quantity   shares; < 0 for shares that turned out not to be there
    cost       paid for them in all; None = not known
    """

    entry_id: str
    book: str
    symbol: str
    currency: str
    quantity: Decimal
    cost: Decimal | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Transferred:
    """A transfer between two books, as it was booked."""

    transfer_id: str
    transfer: Transfer
    currency: str
    at: datetime


Happening = TypeVar("Happening", Entered, Activity, BrokerFill, Transferred)


@dataclass(frozen=True, slots=True, kw_only=True)
class Income:
    """Money that a book earned or paid without a trade; < 0 = paid."""

    book: str
    symbol: str
    kind: str
    currency: str
    amount: Decimal
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmatched:
    """Shares that a book sold and had no lot of: they are taken from what is unassigned."""

    book: str
    symbol: str
    quantity: Decimal
    source: str

    @property
    def text(self) -> str:
        """As a person reads it."""
        sold = f"{self.book} sold {plain(self.quantity)} {self.symbol} that it did not have"
        return f"{sold} (execution {self.source}): they are taken from what is unassigned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What every book has and had; `unmatched` is to be told to a person."""

    lots: tuple[Lot, ...]
    matches: tuple[Match, ...]
    income: tuple[Income, ...]
    unmatched: tuple[Unmatched, ...]

    @property
    def positions(self) -> dict[str, dict[str, Decimal]]:
        """Symbol -> book -> shares, what is 0 left out."""
        sums: dict[str, dict[str, Decimal]] = {}
        for lot in self.lots:
            of_symbol = sums.setdefault(lot.symbol, {})
            of_symbol[lot.book] = of_symbol.get(lot.book, ZERO) + lot.quantity
        shares = {
            symbol: {book: quantity for book, quantity in sorted(parts.items()) if quantity}
            for symbol, parts in sorted(sums.items())
        }
        return {symbol: parts for symbol, parts in shares.items() if parts}


def derive(
    entries: Iterable[Entered],
    fills: Iterable[BrokerFill],
    owners: Owners,
    transfers: Iterable[Transferred] = (),
    activities: Iterable[Activity] = (),
    *,
    method: Method = "fifo",
) -> Books:
    """The books. Raises NotExecuted for an execution that is told in two ways.

    activities   that the first entries do not count: one that is dated before them came after
    An order that is in no `owners` is nobody's of ours: its shares are unassigned.
    """
    pages = _Pages(owners, method)
    entered, acts = list(_once(entries, "entry_id")), _once(activities, "activity_id")
    begin = min((each.at for each in entered), default=None)
    happened: list[tuple[datetime, int, str, Entered | Activity | BrokerFill | Transferred]] = []
    happened += [(each.at, 0, each.entry_id, each) for each in entered]
    happened += [(max(each.at, begin or each.at), 1, each.activity_id, each) for each in acts]
    happened += [(fill.at, _rank(fill), fill.exec_id, fill) for fill in _once(fills, "exec_id")]
    happened += [(each.at, 3, each.transfer_id, each) for each in _once(transfers, "transfer_id")]
    for *_, each in sorted(happened, key=lambda row: row[:3]):
        pages.book(each)
    return pages.books()


def _rank(fill: BrokerFill) -> int:
    """Of what happens at one moment buys come before transfers and sales."""
    return 2 if fill.side is Side.BUY else 4


def _once(happenings: Iterable[Happening], key: str) -> Iterator[Happening]:
    """Each id once; raises NotExecuted where one of them says two things."""
    first: dict[str, Happening] = {}
    for each in happenings:
        name = getattr(each, key)
        if first.setdefault(name, each) != each:
            raise NotExecuted(
                f"{name} is told in two ways: {first[name]} and {each}. Nothing was attributed.",
                code="told_in_two_ways",
                place=name,
                hint="Reconcile the account before it trades again.",
            )
    yield from first.values()


class _Pages:
    """Books while they are written, happening by happening."""

    def __init__(self, owners: Owners, method: Method) -> None:
        self._owners, self._method = owners, method
        self._lots: dict[tuple[str, str], list[Lot]] = {}
        self._had: dict[str, dict[str, Decimal]] = defaultdict(dict)
        self._matches: list[Match] = []
        self._income: list[Income] = []
        self._unmatched: list[Unmatched] = []

    def books(self) -> Books:
        """All of it, as it stands."""
        lots = [lot for key in sorted(self._lots) for lot in self._lots[key] if lot.quantity]
        return Books(
            lots=tuple(lots),
            matches=tuple(self._matches),
            income=tuple(self._income),
            unmatched=tuple(self._unmatched),
        )

    def book(self, happening: Entered | Activity | BrokerFill | Transferred) -> None:
        """Write one of them."""
        match happening:
            case Entered():
                self._enter(happening)
            case BrokerFill():
                self._fill(happening)
            case Transferred():
                self._transfer(happening)
            case Activity():
                self._act(happening)

    def _enter(self, entry: Entered) -> None:
        self._change(
            Lot(
                book=entry.book,
                symbol=entry.symbol,
                currency=entry.currency,
                quantity=entry.quantity,
                cost=entry.cost,
                at=entry.at,
                source=entry.entry_id,
            )
        )

    def _fill(self, fill: BrokerFill) -> None:
        """Each owner's part of quantity, value and fee."""
        owners = self._owners.get(fill.client_order_id) or {UNASSIGNED: fill.quantity}
        had = self._had[fill.client_order_id]
        parts = of_fill(fill.quantity, owners, had)
        values = shared(fill.value, parts, MONEY_STEP)
        fees = shared(fill.fee, parts, MONEY_STEP)
        buys = fill.side is Side.BUY
        for book in sorted(parts):
            had[book] = had.get(book, ZERO) + parts[book]
            if parts[book]:
                lot = Lot(
                    book=book,
                    symbol=fill.symbol,
                    currency=fill.currency,
                    quantity=parts[book] if buys else -parts[book],
                    cost=(values[book] if buys else -values[book]) + fees[book],
                    at=fill.at,
                    source=fill.exec_id,
                )
                self._change(lot)

    def _transfer(self, booked: Transferred) -> None:
        """A sale of one book and a buy of another at the same price; no money leaves."""
        deal = booked.transfer
        bought = Lot(
            book=deal.buyer,
            symbol=deal.symbol,
            currency=booked.currency,
            quantity=deal.quantity,
            cost=deal.quantity * deal.price,
            at=booked.at,
            source=booked.transfer_id,
        )
        sold = replace(
            bought,
            book=deal.seller,
            quantity=-deal.quantity,
            cost=-deal.quantity * deal.price,
        )
        self._change(sold)
        self._change(bought)

    def _change(self, new: Lot) -> None:
        """Match with the lots of its book; a book never owes shares, what is unassigned may."""
        key = new.symbol, new.book
        rest, matches, more = matched(self._lots.get(key, []), new, self._method)
        self._matches += matches
        if more is not None and more.quantity < 0 and new.book != UNASSIGNED:
            lacking = Unmatched(
                book=new.book, symbol=new.symbol, quantity=-more.quantity, source=new.source
            )
            self._unmatched.append(lacking)
            self._lots[key] = rest
            self._change(replace(more, book=UNASSIGNED))
            return
        self._lots[key] = rest if more is None else [*rest, more]

    def _act(self, activity: Activity) -> None:
        if activity.shares and activity.symbol:
            self._restate(activity)
        if activity.kind in EARNED:
            for currency in sorted(activity.cash):
                self._earn(activity, currency)

    def _earn(self, activity: Activity, currency: str) -> None:
        """Money by holding of its symbol; of no symbol, or of one that is not there: nobody's."""
        holders: dict[str, Decimal] = {}
        for lot in self._of(activity.symbol):
            if lot.quantity > 0:
                holders[lot.book] = holders.get(lot.book, ZERO) + lot.quantity
        parts = shared(activity.cash[currency], holders or {UNASSIGNED: Decimal(1)}, MONEY_STEP)
        self._income += [
            Income(
                book=book,
                symbol=activity.symbol,
                kind=activity.kind,
                currency=currency,
                amount=amount,
                at=activity.at,
            )
            for book, amount in sorted(parts.items())
            if amount
        ]

    def _restate(self, activity: Activity) -> None:
        """A split: every lot has more or fewer shares and costs what it cost."""
        lots = self._of(activity.symbol)
        total = sum((lot.quantity for lot in lots), ZERO)
        if not lots:
            self._appear(activity)
        elif not (total > 0 and total + activity.shares > 0):
            self._vanish(activity, lots)
        else:
            weights = {f"{n:09d}": lot.quantity for n, lot in enumerate(lots)}
            step = finest(STEP, *weights.values())
            parts = shared(activity.shares, weights, step)
            more = iter(parts[name] for name in sorted(parts))
            for key in self._keys(activity.symbol):
                self._lots[key] = [
                    replace(lot, quantity=lot.quantity + next(more)) for lot in self._lots[key]
                ]

    def _appear(self, activity: Activity) -> None:
        """Shares of a symbol that no book has, by an action: nobody's, at a cost nobody knows."""
        self._change(
            Lot(
                book=UNASSIGNED,
                symbol=activity.symbol,
                currency="",
                quantity=activity.shares,
                cost=None,
                at=activity.at,
                source=activity.activity_id,
            )
        )

    def _vanish(self, activity: Activity, lots: list[Lot]) -> None:
        """All shares gone by an action, not by a sale: what they realised is not known."""
        for lot in lots:
            gone = replace(
                lot,
                quantity=-lot.quantity,
                cost=None,
                at=activity.at,
                source=activity.activity_id,
            )
            self._change(gone)
        over = activity.shares + sum((lot.quantity for lot in lots), ZERO)
        if over:
            self._appear(replace(activity, shares=over))

    def _keys(self, symbol: str) -> list[tuple[str, str]]:
        return sorted(key for key in self._lots if key[0] == symbol)

    def _of(self, symbol: str) -> list[Lot]:
        """Lots of all books in a symbol, in one order."""
        return [lot for key in self._keys(symbol) for lot in self._lots[key]]
