"""Prices: daily closes, each in its security's own currency.

Wide (`date, AAA, BBB, …`, an empty cell where there is no price) or long (`date, symbol, close[,
volume]`, `price` for `close`), plain or gzip, rows in any order.

A wide file of nothing but digits, points, commas and hyphens takes the short way: whole columns are
turned into numbers and judged at once. Whatever that finds suspicious, and every other file, is
read cell by cell by the same rules as all forms; the two ways give the same table.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

import numpy as np

from steelyard.ages import DateArray
from steelyard.arrays import FloatArray
from steelyard.errors import InputError, RejectedRow
from steelyard.importers import reading, values
from steelyard.importers.reading import Rejects
from steelyard.importers.values import BadCell
from steelyard.market import Quote
from steelyard.notices import Notice

DATE = "date"
LONG = (DATE, "symbol", "close")
LONG_KNOWN = (*LONG, "volume")
ALIASES = {"price": "close"}
PLAIN = b"0123456789.,-\r\n"
"""All that a wide file of plain numbers has below its header."""


@dataclass(frozen=True, kw_only=True)
class PriceTable:
    """What a price file says; n symbols over T sessions.

    symbols    (n,)   in the order of `closes`
    dates      (T,)   datetime64[D], strictly increasing
    closes     (T, n) NaN where there is none; read-only
    lines      (T,)   the row of each date as text, cells by comma
    columns    symbol -> its cell in a line
    """

    file: str
    symbols: tuple[str, ...]
    dates: DateArray
    closes: FloatArray
    lines: tuple[str, ...]
    columns: Mapping[str, int]
    rejected: tuple[RejectedRow, ...] = ()
    warnings: tuple[Notice, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    splits: Mapping[str, Mapping[date, float]] = field(default_factory=dict)

    @property
    def named(self):
        return self.symbols

    def quote(self, symbol: str, as_of: date) -> Quote | None:
        """Newest price at or before a date, exactly as the file writes it; None without any."""
        if symbol not in self.columns:
            return None
        column = self.closes[: self.until(as_of), self.symbols.index(symbol)]
        priced = np.flatnonzero(~np.isnan(column))
        if not len(priced):
            return None
        newest = int(priced[-1])
        text = self.lines[newest].split(",")[self.columns[symbol]]
        return Quote(symbol, Decimal(text), self.dates[newest].astype(object))

    def until(self, as_of: date) -> int:
        """Number of sessions at or before a date."""
        return int(np.searchsorted(self.dates, np.datetime64(as_of, "D"), side="right"))


def read_prices(path: Path, *, names: object = None) -> PriceTable:
    """The prices of a file; raises InputError for no such table and for one without usable rows."""
    text = reading.read_text(path)
    return _plain(text, path.name) or _checked(text, path.name)


def _plain(text: str, file: str) -> PriceTable | None:
    """A wide file of plain numbers, the short way; None when anything in it needs a closer look."""
    header, _, body = text.partition("\n")
    plain = text.isascii() and '"' not in header and "," in header
    if not plain or body.encode("ascii").translate(None, PLAIN):
        return None
    names = [name.strip(" \t\r") for name in header.split(",")]
    usable = len(set(names)) == len(names) and all(map(values.SYMBOL.fullmatch, names[1:]))
    if reading.column_name(names[0]) != DATE or not usable:
        return None
    if set(LONG[1:]) <= {ALIASES.get(name, name) for name in map(reading.column_name, names)}:
        return None
    lines = [line for line in body.splitlines() if line]
    commas = len(names) - 1
    if not lines or any(line.count(",") != commas for line in lines):
        return None
    days, _, cells = zip(*(line.partition(",") for line in lines), strict=True)
    if any(len(day) != len("2022-12-28") for day in days):
        return None
    try:
        closes = _numbers(cells).reshape(len(lines), commas)
        dates = np.array(days, dtype="datetime64[D]")
    except ValueError:
        return None
    good = np.isnan(closes) | ((closes > 0) & (closes <= float(values.MAX_PRICE)))
    # a row without prices is no session, and a repeated or unsorted date needs the closer look
    increasing = (np.diff(dates) > np.timedelta64(0, "D")).all()
    if not good.all() or np.isnan(closes).all(axis=1).any() or not increasing:
        return None
    return _table(file, names[1:], dates, closes, lines)


def _numbers(cells: Sequence[str]) -> FloatArray:
    """The cells of all lines as numbers, one after the other; an empty one is NaN.

    Raises ValueError for a cell that is no number, or longer than any.
    """
    # twice: of two empty cells in a row the first pass sees every other comma
    text = f",{','.join(cells)},".replace(",,", ",nan,").replace(",,", ",nan,")
    if max(map(len, text.split(","))) > values.MAX_DIGITS:
        raise ValueError("a cell is longer than a number may be")
    return np.fromstring(text[1:-1], sep=",")


def _table(
    file: str, symbols: Sequence[str], dates: DateArray, closes: FloatArray, lines: Sequence[str]
) -> PriceTable:
    """The table with its columns sorted by symbol."""
    order = sorted(range(len(symbols)), key=symbols.__getitem__)
    sorted_closes = np.ascontiguousarray(closes[:, order])
    sorted_closes.setflags(write=False)
    dates.setflags(write=False)
    return PriceTable(
        file=file,
        symbols=tuple(symbols[i] for i in order),
        dates=dates,
        closes=sorted_closes,
        lines=tuple(lines),
        columns=MappingProxyType({symbol: i + 1 for i, symbol in enumerate(symbols)}),
    )


@dataclass(frozen=True, slots=True)
class _Cells:
    """Exact texts of the prices so far, date -> symbol -> text, and the lines that brought none."""

    prices: dict[date, dict[str, str]]
    rejects: Rejects

    def take(self, on: date, symbol: str, text: str) -> None:
        """Check and keep one price; raises BadCell."""
        values.positive(text, f"the price of {symbol}", values.MAX_PRICE)
        row = self.prices.setdefault(on, {})
        if symbol in row:
            raise BadCell(f"{symbol} has a price of {on} already")
        row[symbol] = text


def _checked(text: str, file: str) -> PriceTable:
    """Any price file, cell by cell."""
    rows = iter(reading.split(text, file))
    _, header = next(rows, (1, []))
    columns = [ALIASES.get(name, name) for name in map(reading.column_name, header)]
    cells = _Cells({}, Rejects(file))
    warnings: tuple[Notice, ...] = ()
    if set(LONG) <= set(columns):
        table = reading.table_of([(1, header), *rows], file, LONG, LONG_KNOWN, ALIASES)
        _read_long(table, cells)
        symbols = sorted({symbol for row in cells.prices.values() for symbol in row})
        warnings = table.warnings
    else:
        symbols = _wide_symbols(file, header, columns, cells.rejects)
        _read_wide(rows, symbols, cells)
    if cells.rejects.rows:
        rejected = tuple(sorted(cells.rejects.rows, key=lambda row: row.line))
        return _rejected(file, rejected, warnings)
    if not cells.prices:
        raise InputError(
            f"{file} has a header and no prices. {values.NOTHING} Give at least one day of closes."
        )
    return _assembled(file, symbols, cells.prices, warnings)


def _read_long(table: reading.Table, cells: _Cells) -> None:
    cells.rejects.rows.extend(table.rejected)
    for row in table.rows:
        try:
            symbol = values.symbol(row.get("symbol"))
            on = values.day(row.get(DATE), DATE)
            if not row.get("close"):
                rule = "leave the whole line out where there is no price"
                raise BadCell(f"the close of {symbol} is missing; {rule}")
            cells.take(on, symbol, row.get("close"))
        except BadCell as error:
            cells.rejects.add(row.line, str(error))


def _wide_symbols(
    file: str, header: Sequence[str], columns: Sequence[str], rejects: Rejects
) -> list[str]:
    """The symbols of a wide header; "" for a name that is not usable, which rejects line 1."""
    if columns[:1] != [DATE] or len(columns) == 1:
        raise InputError(
            f"{file} is not a price file: its first line reads {values.shown(','.join(header))}. "
            f"{values.NOTHING} Its header is `date,AAA,BBB,…` with a column for each symbol, or "
            "`date,symbol,close`."
        )
    symbols: list[str] = []
    for name in header[1:]:
        try:
            symbol = values.symbol(name)
        except BadCell as error:
            rejects.add(1, str(error))
            symbol = ""
        if symbol and symbol in symbols:
            raise InputError(
                f"{file} has the column {symbol} more than once. {values.NOTHING} Keep one of them."
            )
        symbols.append(symbol)
    return symbols


def _read_wide(
    rows: Iterable[tuple[int, list[str]]], symbols: Sequence[str], cells: _Cells
) -> None:
    lines: dict[date, int] = {}
    for line, row in rows:
        if not reading.counted(line, row, len(symbols) + 1, cells.rejects):
            continue
        try:
            on = values.day(row[0], DATE)
            if lines.setdefault(on, line) != line:
                raise BadCell(f"{on} stands on line {lines[on]} already")
        except BadCell as error:
            cells.rejects.add(line, str(error))
            continue
        for symbol, text in zip(symbols, row[1:], strict=True):
            try:
                if text and symbol:
                    cells.take(on, symbol, text)
            except BadCell as error:
                cells.rejects.add(line, str(error))


def _rejected(
    file: str, rejected: tuple[RejectedRow, ...], warnings: tuple[Notice, ...]
) -> PriceTable:
    """A table of nothing but its rejected lines."""
    none = np.empty(0, dtype="datetime64[D]")
    table = _table(file, (), none, np.empty((0, 0)), ())
    return replace(table, rejected=rejected, warnings=warnings)


def _assembled(
    file: str,
    symbols: Sequence[str],
    prices: Mapping[date, Mapping[str, str]],
    warnings: tuple[Notice, ...],
) -> PriceTable:
    days = sorted(prices)
    texts = [[prices[on].get(symbol, "") for symbol in symbols] for on in days]
    closes = np.array([[float(text) if text else math.nan for text in row] for row in texts])
    lines = [",".join([str(on), *row]) for on, row in zip(days, texts, strict=True)]
    table = _table(file, symbols, np.array(days, dtype="datetime64[D]"), closes, lines)
    return replace(table, warnings=warnings)
