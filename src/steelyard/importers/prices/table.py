"""Prices: daily closes, each in its security's own currency.

Wide (`date, AAA, BBB, …`, an empty cell where there is no price), long (`date, symbol, close[,
currency][, split][, volume]`, `price` for `close`), plain, gzip or Parquet, rows in any order.

A file is read once, in pieces, and of it only the symbols in use: what is in memory is the closes
that are kept, never the text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import TypeVar

import numpy as np

from steelyard.ages import DateArray
from steelyard.arrays import FloatArray
from steelyard.errors import InputError, RejectedRow
from steelyard.importers import reading, values
from steelyard.importers.limits import LIMITS, FileLimits
from steelyard.importers.opening import Where
from steelyard.importers.prices.grid import Contents, Grid
from steelyard.importers.prices.lines import Lines, opened
from steelyard.importers.prices.long import ALIASES, NEEDED, READABLE, Long
from steelyard.importers.prices.selection import Names, Selection
from steelyard.importers.prices.wide import read_wide
from steelyard.market import Quote
from steelyard.notices import Notice

T = TypeVar("T")
PARQUET = b"PAR1"
"""How a Parquet file begins."""


@dataclass(frozen=True, kw_only=True)
class PriceTable:
    """What a price file says of the symbols that were asked for; n symbols over T sessions.

    symbols    (n,)   in the order of `closes`
    dates      (T,)   datetime64[D], strictly increasing: days on which the file has any price
    closes     (T, n) as the file quotes them, in `units`; NaN where there is none; read-only
    columns    symbol -> its column of `closes`
    exact      (symbol, day) -> price, where the float is another number
    named      every symbol that the file names, read or not
    units      symbol -> code in which the file quotes it, like GBp, where it has such a column
    splits     symbol -> day -> shares after for one share before, likewise
    """

    file: str
    symbols: tuple[str, ...]
    dates: DateArray
    closes: FloatArray
    columns: Mapping[str, int]
    exact: Mapping[tuple[str, date], Decimal] = field(default_factory=dict)
    named: tuple[str, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    splits: Mapping[str, Mapping[date, float]] = field(default_factory=dict)
    rejected: tuple[RejectedRow, ...] = ()
    warnings: tuple[Notice, ...] = ()

    def quote(self, symbol: str, as_of: date) -> Quote | None:
        """Newest price at or before a date, exactly as the file writes it, in the unit of the file;
        None without any.
        """
        if symbol not in self.columns:
            return None
        column = self.closes[: self.until(as_of), self.columns[symbol]]
        priced = np.flatnonzero(~np.isnan(column))
        if not len(priced):
            return None
        newest = int(priced[-1])
        on: date = self.dates[newest].astype(object)
        # the shortest text of a float is what was written, wherever `exact` does not say otherwise
        price = self.exact.get((symbol, on)) or Decimal(repr(float(column[newest])))
        return Quote(symbol, price, on, self.file)

    def of(self, names: Names) -> PriceTable:
        """Of a file that was read whole, what `read_prices` gives for some of its symbols.

        Only of one without rejected lines: a line that is wrong for a symbol which nobody asks for
        is not rejected. Raises InputError as `read_prices` does.
        """
        selection = Selection(self.file, names)
        kept_as = {symbol: name for symbol in self.named if (name := selection.name(symbol))}
        of_name = {kept_as[symbol]: symbol for symbol in self.symbols if symbol in kept_as}
        symbols = tuple(sorted(of_name))
        places = [self.columns[of_name[name]] for name in symbols]
        closes = np.ascontiguousarray(self.closes[:, places])
        closes.setflags(write=False)
        return replace(
            self,
            symbols=symbols,
            closes=closes,
            columns=MappingProxyType({name: k for k, name in enumerate(symbols)}),
            exact=_renamed_days(self.exact, kept_as),
            units=_renamed(self.units, kept_as),
            splits=_renamed(self.splits, kept_as),
        )

    def until(self, as_of: date) -> int:
        """Number of sessions at or before a date."""
        return int(np.searchsorted(self.dates, np.datetime64(as_of, "D"), side="right"))


def _renamed(values: Mapping[str, T], names: Mapping[str, str]) -> Mapping[str, T]:
    """Of the symbols that are kept, by the name they are kept under."""
    pairs = ((names[symbol], value) for symbol, value in values.items() if symbol in names)
    return MappingProxyType(dict(sorted(pairs, key=lambda pair: pair[0])))


def _renamed_days(
    exact: Mapping[tuple[str, date], Decimal], names: Mapping[str, str]
) -> Mapping[tuple[str, date], Decimal]:
    pairs = exact.items()
    return MappingProxyType({(names[s], on): price for (s, on), price in pairs if s in names})


def read_prices(
    path: Where, *, names: Names | None = None, limits: FileLimits = LIMITS
) -> PriceTable:
    """The prices of a file, of the symbols for which `names` gives a name to keep them under.

    names    symbol of the file -> name, or None to skip it; without it all are kept
    Raises InputError for no such table, for one without usable rows, and where two symbols of the
    file have one name; LimitExceeded for a file that is too large.
    """
    first, lines = opened(path, limits)
    selection = Selection(path.name, names)
    if first.startswith(PARQUET):
        from steelyard.importers.prices.parquet import read_parquet  # noqa: PLC0415 few files are

        return _table(read_parquet(path, selection, limits), selection)
    return _table(_text(lines, selection, limits), selection)


def _text(lines: Lines, selection: Selection, limits: FileLimits) -> Contents:
    header, grid = lines.header(), Grid(lines.name, limits)
    columns = [ALIASES.get(name, name) for name in map(reading.column_name, header)]
    if not set(NEEDED) <= set(columns):
        return Contents(grid, read_wide(lines, header, grid, selection))
    reading.check_columns(lines.name, header, columns, NEEDED)
    warnings = tuple(reading.unknown_columns(lines.name, columns, READABLE))
    long = Long(columns, grid, selection)
    long.read(lines)
    return Contents(grid, long.rejects, long.units, long.splits, warnings)


def _table(contents: Contents, selection: Selection) -> PriceTable:
    """The table of what was read; one of nothing but rejected lines where there are any."""
    grid, rows = contents.grid, contents.rejects.rows
    if rows:
        grid = Grid(grid.file, grid.limits)
    elif not grid.days:
        raise InputError(
            f"{grid.file} has a header and no prices. {values.NOTHING} Give at least one day of "
            "closes.",
            code="no_prices",
            place=grid.file,
            hint="give at least one day of closes",
        )
    symbols = sorted(grid.columns)
    dates, closes = grid.sorted(symbols)
    codes = {name: unit.code for name, unit in sorted(contents.units.items())}
    return PriceTable(
        file=grid.file,
        symbols=tuple(symbols),
        dates=dates,
        closes=closes,
        columns=MappingProxyType({symbol: k for k, symbol in enumerate(symbols)}),
        exact=MappingProxyType(grid.exact),
        named=tuple(selection.named),
        units=MappingProxyType(codes),
        splits=MappingProxyType(contents.splits),
        rejected=tuple(sorted(rows, key=lambda row: row.line)),
        warnings=contents.warnings,
    )
