"""Holdings: what is owned, lot by lot, and the cash.

`symbol, quantity` and optionally `price, average_cost, acquired, last_bought, last_sold, currency,
bucket`. Rows of one symbol with different `acquired` are its lots; `CASH:USD` is a balance, which
may be negative. A file with only a header is an all-cash account.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

from steelyard.errors import InputError, RejectedRow
from steelyard.importers import reading, values
from steelyard.importers.reading import Row
from steelyard.importers.values import BadCell
from steelyard.notices import Notice
from steelyard.portfolio import Holding, TaxLot

REQUIRED = ("symbol", "quantity")
DATES = ("acquired", "last_bought", "last_sold")
COLUMNS = (*REQUIRED, "price", "average_cost", *DATES, "currency", "bucket")
OF_CASH = (*REQUIRED, "currency", "bucket")
CASH = "CASH:"


@dataclass(frozen=True, slots=True)
class Dated:
    """A date of the file and where: one after the as-of date is rejected by its line."""

    line: int
    column: str
    on: date


@dataclass(frozen=True, kw_only=True)
class HoldingsFile:
    """What a holdings file says.

    holdings     by symbol, sorted; lots oldest first, a lot without a date before the others
    cash         currency -> balance
    currencies   symbol -> currency, where the file names one
    bucket       the one bucket that the file names; None when it names none
    dates        every date with its line
    rejected     lines that cannot be used: nothing may be planned while there is one
    """

    file: str
    holdings: tuple[Holding, ...]
    cash: Mapping[str, Decimal]
    currencies: Mapping[str, str]
    bucket: str | None = None
    dates: tuple[Dated, ...] = ()
    rejected: tuple[RejectedRow, ...] = ()
    warnings: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class _LotRow:
    """One row of the file, checked."""

    symbol: str
    lot: TaxLot
    price: Decimal | None
    last_bought: date | None
    last_sold: date | None
    currency: str | None


@dataclass
class _Book:
    """What the rows so far add up to."""

    rows: dict[str, list[_LotRow]] = field(default_factory=dict)
    cash: dict[str, Decimal] = field(default_factory=dict)
    lines: dict[tuple[str, date | None], int] = field(default_factory=dict)
    buckets: set[str] = field(default_factory=set)
    dates: list[Dated] = field(default_factory=list)

    def take(self, row: Row) -> None:
        """Add one row; raises BadCell."""
        if row.get("symbol").upper().startswith(CASH):
            self._take_cash(row)
        else:
            self._take_lot(row)
        if row.get("bucket"):
            self.buckets.add(row.get("bucket"))

    def _take_cash(self, row: Row) -> None:
        currency = values.currency(row.get("symbol")[len(CASH) :], "cash symbol")
        if row.get("currency") and values.currency(row.get("currency")) != currency:
            other = values.shown(row.get("currency"))
            raise BadCell(f"the row is of {currency} but its currency is {other}")
        extra = [column for column in COLUMNS if column not in OF_CASH and row.get(column)]
        if extra and not (extra == ["price"] and values.number(row.get("price"), "price") == 1):
            rule = "a cash row has a quantity and nothing else"
            raise BadCell(f"{rule}; empty its {', '.join(extra)}")
        balance = values.amount(row.get("quantity"), "quantity")
        self._once(CASH + currency, None, row.line)
        self.cash[currency] = balance

    def _take_lot(self, row: Row) -> None:
        parsed = _lot_row(row)
        _agree(parsed, self.rows.get(parsed.symbol, []))
        self._once(parsed.symbol, parsed.lot.acquired, row.line)
        self.rows.setdefault(parsed.symbol, []).append(parsed)
        for column in DATES:
            on = row.optional(column, values.day)
            if on is not None:
                self.dates.append(Dated(row.line, column, on))

    def _once(self, symbol: str, acquired: date | None, line: int) -> None:
        first = self.lines.setdefault((symbol, acquired), line)
        if first != line:
            when = f"acquired {acquired}" if acquired else "without a date of acquisition"
            which = f"{symbol} {when}" if not symbol.startswith(CASH) else symbol
            rule = "lots of one symbol need different dates in `acquired`"
            raise BadCell(f"{which} stands on line {first} already; {rule}")


def read_holdings(path: Path) -> HoldingsFile:
    """The holdings of a file; raises InputError for no such table, and for several buckets."""
    table = reading.read_table(path, required=REQUIRED, readable=COLUMNS)
    book = _Book()
    rejected = reading.parse_rows(table, book.take)
    if len(book.buckets) > 1:
        listed = ", ".join(values.shown(name) for name in sorted(book.buckets))
        raise InputError(
            f"{table.file} holds several buckets ({listed}); one is planned at a time. "
            f"{values.NOTHING} Give one file per bucket."
        )
    lots = [row for rows in book.rows.values() for row in rows]
    currencies = {row.symbol: row.currency for row in lots if row.currency}
    return HoldingsFile(
        file=table.file,
        holdings=tuple(_holding(symbol, rows) for symbol, rows in sorted(book.rows.items())),
        cash=MappingProxyType(dict(sorted(book.cash.items()))),
        currencies=MappingProxyType(dict(sorted(currencies.items()))),
        bucket=next(iter(book.buckets), None),
        dates=tuple(book.dates),
        rejected=rejected,
        warnings=table.warnings,
    )


def _lot_row(row: Row) -> _LotRow:
    acquired = row.optional("acquired", values.day)
    cost = row.optional("average_cost", values.positive, values.MAX_PRICE)
    quantity = values.positive(row.get("quantity"), "quantity", values.MAX_QUANTITY)
    return _LotRow(
        symbol=values.symbol(row.get("symbol")),
        lot=TaxLot(quantity, acquired, cost),
        price=row.optional("price", values.positive, values.MAX_PRICE),
        # who names no purchase bought when the lot was acquired
        last_bought=row.optional("last_bought", values.day) or acquired,
        last_sold=row.optional("last_sold", values.day),
        currency=row.optional("currency", values.currency),
    )


def _agree(new: _LotRow, others: list[_LotRow]) -> None:
    """Lots of one symbol have one price and one currency; a lot may leave either to the others."""
    for other in others:
        if new.price and other.price and new.price != other.price:
            here = f"{new.symbol} has the price {new.price} here"
            raise BadCell(f"{here} and {other.price} in another lot")
        if new.currency and other.currency and new.currency != other.currency:
            here = f"{new.symbol} is in {new.currency} here"
            raise BadCell(f"{here} and in {other.currency} in another lot")


def _holding(symbol: str, rows: list[_LotRow]) -> Holding:
    ordered = sorted(rows, key=lambda row: row.lot.acquired or date.min)
    return Holding(
        symbol=symbol,
        quantity=sum((row.lot.quantity for row in ordered), Decimal(0)),
        lots=tuple(row.lot for row in ordered),
        price=next((row.price for row in rows if row.price), None),
        last_bought=max((row.last_bought for row in rows if row.last_bought), default=None),
        last_sold=max((row.last_sold for row in rows if row.last_sold), default=None),
    )
