"""Wide prices: `date, AAA, BBB, …`, a row a day, an empty cell where there is no price.

Lines of nothing but digits, points, commas and hyphens take the short way: a block of them is
turned into numbers and judged at once. Whatever that finds suspicious is read cell by cell; the two
ways give the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from steelyard.errors import InputError
from steelyard.importers import reading, values
from steelyard.importers.prices import plain
from steelyard.importers.prices.grid import Grid
from steelyard.importers.prices.lines import Lines
from steelyard.importers.prices.selection import Selection
from steelyard.importers.reading import Rejects
from steelyard.importers.values import BadCell

DATE = "date"


def read_wide(lines: Lines, header: Sequence[str], grid: Grid, selection: Selection) -> Rejects:
    """Read all lines below the header into the grid; the lines that cannot be used."""
    rejects = Rejects(lines.name)
    wide = _Wide(wide_symbols(header, rejects, selection), grid, rejects)
    for name, _, _ in wide.columns:
        grid.column(name)
    while (chunk := lines.chunk()) and not rejects.full:
        count = wide.block(chunk, lines.line, lines.sign.encode())
        if count:
            lines.passed(count)
            continue
        lines.back(chunk)
        for line, row in lines.rows():
            wide.row(line, row)
    return rejects


def wide_symbols(
    header: Sequence[str], rejects: Rejects, selection: Selection
) -> list[tuple[str, str]]:
    """(symbol, name it is kept under) of each column of a wide header, "" where it is not.

    Raises InputError for no such header, and for a symbol that comes twice.
    """
    if reading.column_name(header[0]) != DATE or len(header) == 1:
        raise InputError(
            f"{selection.file} is not a price file: its first line reads "
            f"{values.shown(','.join(header))}. {values.NOTHING} Its header is `date,AAA,BBB,…` "
            "with a column for each symbol, or `date,symbol,close`.",
            code="no_price_file",
            place=f"{selection.file} line 1",
            value=values.shown(",".join(header)),
            hint="its header is date,AAA,BBB or date,symbol,close",
        )
    symbols: list[tuple[str, str]] = []
    for cell in header[1:]:
        try:
            symbol = values.symbol(cell)
        except BadCell as error:
            rejects.rows.append(error.row(selection.file, 1))
            symbols.append(("", ""))
            continue
        if symbol in selection.named:
            what = f"{selection.file} has the column {symbol} more than once"
            raise InputError(
                f"{what}. {values.NOTHING} Keep one of them.",
                code="column_twice",
                place=f"{selection.file} line 1, column {symbol}",
                hint="keep one of them",
            )
        symbols.append((symbol, selection.name(symbol) or ""))
    return symbols


class _Wide:
    """Columns of a wide file that are kept: (name, symbol of the file, place in its row)."""

    def __init__(self, symbols: Sequence[tuple[str, str]], grid: Grid, rejects: Rejects) -> None:
        self.grid, self.rejects, self.width = grid, rejects, len(symbols) + 1
        self.columns = [
            (name, symbol, place) for place, (symbol, name) in enumerate(symbols, 1) if name
        ]
        self.lines: dict[date, int] = {}

    def block(self, chunk: bytes, first: int, sign: bytes) -> int:
        """Keep plain lines at once, the first of them number `first`, their cells cut by `sign`.

        returns   how many they are; 0 = nothing was kept, they need a closer look
        """
        if sign != b",":
            if b"," in chunk:
                return 0
            chunk = chunk.replace(sign, b",")
        if chunk.translate(None, plain.PLAIN):
            return 0
        lines = chunk.splitlines()
        rows = [(first + i, *line.partition(b",")) for i, line in enumerate(lines) if line]
        commas = self.width - 1
        if any(cells.count(b",") != commas - 1 or not comma for _, _, comma, cells in rows):
            return 0
        try:
            days = [values.day(day.decode("ascii"), DATE) for _, day, _, _ in rows]
        except BadCell:
            return 0
        if len(set(days)) != len(days) or not self.lines.keys().isdisjoint(days):
            return 0
        # a row without prices is no session
        sessions = [
            (day, row[3]) for day, row in zip(days, rows, strict=True) if row[3].strip(b",")
        ]
        if sessions and not self._keep(*zip(*sessions, strict=True)):
            return 0
        self.lines.update((day, row[0]) for day, row in zip(days, rows, strict=True))
        return len(lines)

    def _keep(self, days: Sequence[date], rows: Sequence[bytes]) -> bool:
        """Keep the cells of the columns that are kept; False where one needs a closer look."""
        if not self.columns:
            self.grid.rows(days)
            return True
        if len(self.columns) < self.width - 1:
            places = [place - 1 for _, _, place in self.columns]
            split = [row.split(b",") for row in rows]
            rows = [b",".join([cells[place] for place in places]) for cells in split]
        block = plain.numbers(b",".join(rows))
        if block is None:
            return False
        closes, exact = block
        width = len(self.columns)
        places_of_days = self.grid.rows(days)
        self.grid.cells[places_of_days, :width] = closes.reshape(len(days), width)
        for k, price in exact.items():
            self.grid.exact[self.columns[k % width][0], days[k // width]] = price
        return True

    def row(self, line: int, cells: Sequence[str]) -> None:
        """Keep the cells of one row, each looked at."""
        if not reading.counted(line, cells, self.width, self.rejects):
            return
        try:
            on = values.day(cells[0], DATE)
            if self.lines.setdefault(on, line) != line:
                raise BadCell(
                    f"{on} stands on line {self.lines[on]} already",
                    code="day_twice",
                    column=DATE,
                    value=str(on),
                )
        except BadCell as error:
            self.rejects.rows.append(error.row(self.rejects.file, line))
            return
        for name, symbol, place in self.columns:
            try:
                if cells[place]:
                    price = values.positive(
                        cells[place], f"the price of {symbol}", values.MAX_PRICE
                    )
                    self.grid.put(on, name, price)
            except BadCell as error:
                self.rejects.rows.append(error.row(self.rejects.file, line))
        if any(cells[1:]):
            self.grid.rows([on])
