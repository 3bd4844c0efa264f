"""Long prices: `date, symbol, close`, a row a price; also `currency`, `split` and `volume`.

Lines without quotes, blanks and splits take the short way, a block of them at once; whatever
that finds suspicious is read row by row. The two ways give the same.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import compress

import numpy as np

from steelyard.arrays import FloatArray
from steelyard.importers import reading, values
from steelyard.importers.prices import plain
from steelyard.importers.prices.grid import Grid
from steelyard.importers.prices.lines import Lines
from steelyard.importers.prices.selection import Selection
from steelyard.importers.reading import Rejects
from steelyard.importers.values import BadCell, Unit

DATE, SYMBOL, CLOSE, CURRENCY, SPLIT = "date", "symbol", "close", "currency", "split"
NEEDED = (DATE, SYMBOL, CLOSE)
VOLUME = "volume"
READABLE = (*NEEDED, CURRENCY, SPLIT, VOLUME)
ALIASES = {"price": CLOSE, "stock_splits": SPLIT}
NO_SPLIT = frozenset({"", "0", "0.0", "1", "1.0"})
"""What stands where there was no split; some programs write 0."""
MOST_SPLIT = Decimal(10_000)
"""Largest factor of a split; its inverse is the smallest."""
CLOSER_LOOK = (b'"', b" ", b"\t", b"\0")
"""Where a block has one of these, its rows are read one by one."""


class Long:
    """Rows of a long file, into a grid.

    columns  as the header names them
    units    name -> in what its prices are written
    splits   name -> day -> shares after for one share before
    """

    def __init__(self, columns: Sequence[str], grid: Grid, selection: Selection) -> None:
        self.width = len(columns)
        self.place = {name: columns.index(name) for name in READABLE if name in columns}
        self.grid, self.selection, self.rejects = grid, selection, Rejects(selection.file)
        self.units: dict[str, Unit] = {}
        self.splits: dict[str, dict[date, float]] = {}
        self._names: dict[str, str | None] = {}
        self._days: dict[str, date] = {}

    def read(self, lines: Lines) -> None:
        """Read all lines below the header."""
        while (chunk := lines.chunk()) and not self.rejects.full:
            count = self.block(chunk, lines.sign)
            if count:
                lines.passed(count)
                continue
            lines.back(chunk)
            for line, cells in lines.rows():
                if reading.counted(line, cells, self.width, self.rejects):
                    self.row(line, cells)

    def block(self, chunk: bytes, sign: str) -> int:
        """Keep lines at once; how many they are, 0 = none was kept, they need a closer look."""
        if not chunk.isascii() or any(mark in chunk for mark in CLOSER_LOOK):
            return 0
        lines = chunk.decode("ascii").splitlines()
        rows = [row for row in csv.reader(lines, delimiter=sign) if row]
        if any(len(row) != self.width for row in rows):
            return 0
        return len(lines) if not rows or self._quick(list(zip(*rows, strict=True))) else 0

    def columns(self, columns: Sequence[Sequence[str]], first: int) -> None:
        """Keep the prices of columns of texts, the first row of them on line `first`."""
        if not self._quick(columns):
            for line, cells in enumerate(zip(*columns, strict=True), first):
                self.row(line, cells)

    def _quick(self, columns: Sequence[Sequence[str]]) -> bool:
        """Keep the prices of columns at once; False, with none kept, for a closer look."""
        try:
            return self._keep(columns)
        except BadCell:
            return False

    def _keep(self, columns: Sequence[Sequence[str]]) -> bool:
        names = {
            symbol: self._name(symbol) for symbol in dict.fromkeys(columns[self.place[SYMBOL]])
        }
        days = {day: self._day(day) for day in dict.fromkeys(columns[self.place[DATE]])}
        picked = [names[symbol] is not None for symbol in columns[self.place[SYMBOL]]]
        if any(picked):
            columns = [list(compress(column, picked)) for column in columns]
            texts = columns[self.place[CLOSE]]
            joined = ",".join(texts).encode()
            split = SPLIT in self.place and not NO_SPLIT.issuperset(columns[self.place[SPLIT]])
            if split or not all(texts) or joined.translate(None, plain.PLAIN):
                return False
            self._note_units(columns)
            block = plain.numbers(joined)
            symbols = [str(names[symbol]) for symbol in columns[self.place[SYMBOL]]]
            dates = [days[day] for day in columns[self.place[DATE]]]
            if block is None or not self._place(symbols, dates, *block):
                return False
        self.grid.rows(days.values())
        return True

    def _place(
        self,
        symbols: Sequence[str],
        days: Sequence[date],
        closes: FloatArray,
        exact: Mapping[int, Decimal],
    ) -> bool:
        """Keep prices (k,) of symbols and days; False, with none kept, where one comes twice."""
        grid = self.grid
        columns = np.array([grid.column(symbol) for symbol in symbols], dtype=np.int64)
        rows = grid.rows(days)
        once = len(np.unique(rows * len(grid.columns) + columns)) == len(rows)
        if not once or not np.isnan(grid.cells[rows, columns]).all():
            return False
        grid.cells[rows, columns] = closes
        grid.exact.update({(symbols[k], days[k]): price for k, price in exact.items()})
        return True

    def _note_units(self, columns: Sequence[Sequence[str]]) -> None:
        """Note the units of rows; raises BadCell."""
        if CURRENCY in self.place:
            symbols, codes = columns[self.place[SYMBOL]], columns[self.place[CURRENCY]]
            for symbol, code in dict.fromkeys(zip(symbols, codes, strict=True)):
                self._unit(symbol, code)

    def row(self, line: int, cells: Sequence[str]) -> None:
        """Keep the price of one row, looked at cell by cell."""
        text = {name: cells[place] for name, place in self.place.items()}
        try:
            if self._name(text[SYMBOL]) is None:
                self._session(text[DATE])
            else:
                self._price(text)
        except BadCell as error:
            self.rejects.rows.append(error.row(self.rejects.file, line))

    def _session(self, text: str) -> None:
        """Count the day of a row that is skipped; it is not judged."""
        try:
            self.grid.rows([self._day(text)])
        except BadCell:
            return

    def _price(self, text: Mapping[str, str]) -> None:
        symbol, name = values.symbol(text[SYMBOL]), str(self._name(text[SYMBOL]))
        on = self._day(text[DATE])
        if not text[CLOSE]:
            rule = "leave the whole line out where there is no price"
            raise BadCell(f"the close of {symbol} is missing; {rule}", code="missing", column=CLOSE)
        price = values.positive(text[CLOSE], f"the price of {symbol}", values.MAX_PRICE)
        if CURRENCY in text:
            self._unit(text[SYMBOL], text[CURRENCY])
        shares = None if text.get(SPLIT, "") in NO_SPLIT else factor(text[SPLIT])
        self.grid.put(on, name, price)
        if shares is not None:
            self.splits.setdefault(name, {})[on] = float(shares)

    def _name(self, text: str) -> str | None:
        if text not in self._names:
            self._names[text] = self.selection.name(values.symbol(text))
        return self._names[text]

    def _day(self, text: str) -> date:
        if text not in self._days:
            self._days[text] = values.day(text, DATE)
        return self._days[text]

    def _unit(self, symbol: str, code: str) -> None:
        """Note the unit of a row; raises BadCell where the symbol had another one."""
        unit = values.unit(code)
        first = self.units.setdefault(str(self._name(symbol)), unit)
        if first != unit:
            reason = f"{symbol} is quoted in {unit.code} here and in {first.code} before"
            raise BadCell(
                f"{reason}; a symbol has one unit in a file",
                code="two_units",
                column=CURRENCY,
                value=code,
                limit=first.code,
            )


def factor(text: str) -> Decimal:
    """Shares after a split for one before: 10, 10:1 and 10/1 are the same.

    >>> factor("3:2"), factor("0.1")
    (Decimal('1.5'), Decimal('0.1'))
    """
    after, _, before = text.replace("/", ":").partition(":")
    shares = values.positive(after.strip(), SPLIT, MOST_SPLIT)
    shares /= values.positive(before.strip(), SPLIT, MOST_SPLIT) if before else 1
    if not 1 / MOST_SPLIT <= shares <= MOST_SPLIT:
        limit = f"a factor from 1/{MOST_SPLIT} to {MOST_SPLIT}"
        reason = f"{SPLIT} {values.shown(text)} is not {limit}"
        raise BadCell(reason, code="bad_split", column=SPLIT, value=text, limit=limit)
    return shares
