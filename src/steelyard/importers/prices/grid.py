"""Closes by day and symbol while a file is read: a matrix that grows with what is kept.

It grows by a quarter at a time, so that with its copy in the order of days and symbols it is never
more than three times the numbers themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from steelyard.ages import DateArray
from steelyard.arrays import FloatArray
from steelyard.importers.limits import FileLimits
from steelyard.importers.prices.plain import inexact
from steelyard.importers.reading import Rejects
from steelyard.importers.values import BadCell, Unit
from steelyard.notices import Notice

MORE = 4
"""The matrix grows by one part in so many."""
LEAST = 16
"""Rows or columns by which it grows at least."""
IntArray = npt.NDArray[np.int64]


class Grid:
    """What was kept of a file so far.

    days      day -> its row
    columns   symbol -> its column
    cells     at least as large as both; NaN where there is no close
    exact     (symbol, day) -> price, where the float is another number
    """

    def __init__(self, file: str, limits: FileLimits) -> None:
        self.file, self.limits = file, limits
        self.days: dict[date, int] = {}
        self.columns: dict[str, int] = {}
        self.exact: dict[tuple[str, date], Decimal] = {}
        self.cells: FloatArray = np.empty((0, 0))

    def rows(self, days: Iterable[date]) -> IntArray:
        """The rows of days, new ones at the end."""
        rows = [self.days.setdefault(day, len(self.days)) for day in days]
        self._fit()
        return np.array(rows, dtype=np.int64)

    def column(self, symbol: str) -> int:
        """The column of a symbol, a new one at the end; there is room in it after `rows`."""
        return self.columns.setdefault(symbol, len(self.columns))

    def put(self, on: date, symbol: str, price: Decimal) -> None:
        """Keep one price; raises BadCell where there is one already."""
        column, row = self.column(symbol), self.days.setdefault(on, len(self.days))
        self._fit()
        if not np.isnan(self.cells[row, column]):
            raise BadCell(
                f"{symbol} has a price of {on} already",
                code="price_twice",
                column=symbol,
                value=str(price),
            )
        self.cells[row, column] = close = float(price)
        exact = inexact(str(price), close)
        if exact is not None:
            self.exact[symbol, on] = exact

    def _fit(self) -> None:
        """Make room for all days and columns."""
        needs, room = (len(self.days), len(self.columns)), self.cells.shape
        if needs[0] * needs[1] > self.limits.max_cells:
            what = f"gives more than {self.limits.max_cells:,} closes of the symbols in use"
            raise self.limits.exceeded("max_cells", self.file, what)
        rows, columns = (_grown(*pair) for pair in zip(needs, room, strict=True))
        if columns > room[1]:
            larger = np.full((rows, columns), np.nan)
            larger[: room[0], : room[1]] = self.cells
            self.cells = larger
        elif rows > room[0]:
            # in place, where the system can: the old and the new are never there at once
            self.cells.resize((rows, columns), refcheck=False)
            self.cells[room[0] :] = np.nan

    def sorted(self, symbols: Sequence[str]) -> tuple[DateArray, FloatArray]:
        """Dates in order, and closes of the symbols in theirs; the grid is empty afterwards."""
        days = sorted(self.days)
        rows = np.array([self.days[day] for day in days], dtype=np.int64)
        columns = np.array([self.columns[symbol] for symbol in symbols], dtype=np.int64)
        closes = self.cells[np.ix_(rows, columns)]
        self.cells = np.empty((0, 0))
        dates = np.array(days, dtype="datetime64[D]")
        closes.setflags(write=False)
        dates.setflags(write=False)
        return dates, closes


def _grown(needs: int, room: int) -> int:
    return room if needs <= room else max(needs, room + room // MORE + LEAST)


@dataclass(frozen=True, slots=True)
class Contents:
    """What was read of a file of prices.

    units    symbol -> in what its prices are written, where the file says so
    splits   symbol -> day -> shares after for one share before
    """

    grid: Grid
    rejects: Rejects
    units: Mapping[str, Unit] = field(default_factory=dict)
    splits: Mapping[str, Mapping[date, float]] = field(default_factory=dict)
    warnings: tuple[Notice, ...] = ()
