"""Prices from Parquet, wide or long: of its columns only those that are kept, a group at a time.

Needs pyarrow, the extra `parquet`; nothing imports it unless a file is Parquet. Lines are counted
as in the CSV that the file would be: the header is 1, the first row 2.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from steelyard.arrays import FloatArray
from steelyard.errors import InputError
from steelyard.importers import reading, values
from steelyard.importers.limits import FileLimits
from steelyard.importers.memory import Memory
from steelyard.importers.opening import Where
from steelyard.importers.prices import plain
from steelyard.importers.prices.grid import Contents, Grid
from steelyard.importers.prices.long import ALIASES, DATE, NEEDED, READABLE, VOLUME, Long
from steelyard.importers.prices.selection import Selection
from steelyard.importers.prices.wide import wide_symbols
from steelyard.importers.reading import Rejects
from steelyard.importers.values import NOTHING, BadCell

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

FIRST = 2
"""The line of the first row."""
AT_ONCE = 128 * 1024
"""Cells that are read at a time."""
INDEX = "__index_level_0__"
"""What pandas calls the column of an index without a name."""


def read_parquet(path: Where, selection: Selection, limits: FileLimits) -> Contents:
    """The prices of a Parquet file; raises InputError for no such file and without pyarrow."""
    try:
        import pyarrow as pa  # noqa: PLC0415 whoever has no Parquet needs none
        from pyarrow.parquet import ParquetFile  # noqa: PLC0415 likewise
    except ImportError as error:
        what = f"{path} is a Parquet file, and pyarrow, which reads those, is not installed"
        advice = "pip install 'pyarrow>=21', or Steelyard with its extra [parquet]"
        raise InputError(
            f"{what}. {NOTHING} Install it ({advice}), or give a CSV file.",
            code="missing_extra",
            place=str(path),
            hint=advice,
        ) from error
    try:
        source = io.BytesIO(path.content) if isinstance(path, Memory) else path
        with ParquetFile(source) as file:
            return _contents(file, selection, limits)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"{path} could not be read as Parquet: {reason}. {NOTHING}",
            code="bad_parquet",
            place=str(path),
            value=reason,
        ) from error


def _contents(file: ParquetFile, selection: Selection, limits: FileLimits) -> Contents:
    names = file.schema_arrow.names
    header = [DATE if name == INDEX else name for name in names]
    columns = [ALIASES.get(name, name) for name in map(reading.column_name, header)]
    grid = Grid(selection.file, limits)
    if set(NEEDED) <= set(columns):
        return _long(file, columns, grid, selection)
    # pandas writes its index as the last column
    dates = columns.index(DATE) if DATE in columns else 0
    order = [dates, *(k for k in range(len(header)) if k != dates)]
    rejects = Rejects(selection.file)
    symbols = wide_symbols([header[k] for k in order], rejects, selection)
    picked = {name: names[k] for k, (_, name) in zip(order[1:], symbols, strict=True) if name}
    cells = file.metadata.num_rows * len(picked)
    if cells > limits.max_cells:
        what = f"has {cells:,} closes of the symbols in use"
        raise limits.exceeded("max_cells", selection.file, what, cells)
    _Wide(file, picked, names[dates], grid, rejects).read()
    return Contents(grid, rejects)


class _Wide:
    """A wide file: the column of each name that is kept, and that of the dates."""

    def __init__(
        self, file: ParquetFile, columns: dict[str, str], dates: str, grid: Grid, rejects: Rejects
    ) -> None:
        self.file, self.columns, self.dates = file, columns, dates
        self.grid, self.rejects = grid, rejects

    def read(self) -> None:
        """Keep the closes of all groups of rows."""
        lines = dict[date, int]()
        for name in self.columns:
            self.grid.column(name)
        line = FIRST
        for group in range(self.file.metadata.num_row_groups):
            count = self.file.metadata.row_group(group).num_rows
            days = _texts(self.file.read_row_group(group, [self.dates]), self.dates)
            usable = self._days(days, line, lines)
            some = max(1, AT_ONCE // max(1, count))
            picked = list(self.columns)
            for first in range(0, len(picked), some):
                if not self.rejects.full:
                    self._keep(group, picked[first : first + some], usable, line)
            line += count
        self._drop_empty()

    def _days(self, texts: Sequence[str], first: int, lines: dict[date, int]) -> dict[int, date]:
        """Row -> its day, of those whose day can be used."""
        usable: dict[int, date] = {}
        for k, text in enumerate(texts):
            try:
                on = values.day(text, DATE)
                if lines.setdefault(on, first + k) != first + k:
                    raise BadCell(
                        f"{on} stands on line {lines[on]} already",
                        code="day_twice",
                        column=DATE,
                        value=str(on),
                    )
                usable[k] = on
            except BadCell as error:
                self.rejects.rows.append(error.row(self.rejects.file, first + k))
        return usable

    def _keep(self, group: int, picked: Sequence[str], usable: dict[int, date], first: int) -> None:
        """Keep some columns of a group of rows."""
        table = self.file.read_row_group(group, [self.columns[name] for name in picked])
        rows, places = np.array(list(usable), dtype=np.int64), self.grid.rows(usable.values())
        for name in picked:
            closes = self._closes(table, name, usable, first)
            self.grid.cells[places, self.grid.columns[name]] = closes[rows]

    def _closes(self, table: Any, name: str, usable: dict[int, date], first: int) -> FloatArray:
        """The closes (rows of the group,) of a column, NaN where there is none."""
        closes = _floats(table, self.columns[name])
        if closes is not None and plain.usable(closes):
            return closes
        texts = _texts(table, self.columns[name])
        closes = np.full(len(texts), np.nan)
        for k, text in enumerate(texts):
            try:
                if text:
                    price = values.positive(text, f"the price of {name}", values.MAX_PRICE)
                    closes[k] = float(price)
                    exact = plain.inexact(str(price), float(price))
                    if exact is not None and k in usable:
                        self.grid.exact[name, usable[k]] = exact
            except BadCell as error:
                self.rejects.rows.append(error.row(self.rejects.file, first + k))
        return closes

    def _drop_empty(self) -> None:
        """Forget the days without any close: they are no sessions."""
        for on, row in list(self.grid.days.items()):
            if np.isnan(self.grid.cells[row, : len(self.columns)]).all():
                del self.grid.days[on]


def _long(file: ParquetFile, columns: Sequence[str], grid: Grid, selection: Selection) -> Contents:
    names = file.schema_arrow.names
    reading.check_columns(selection.file, names, columns, NEEDED)
    warnings = tuple(reading.unknown_columns(selection.file, columns, READABLE))
    picked = [name for name in READABLE if name in columns and name != VOLUME]
    spelled = [names[columns.index(name)] for name in picked]
    long, line = Long(picked, grid, selection), FIRST
    for batch in file.iter_batches(AT_ONCE // 4, columns=spelled, use_threads=False):
        if not long.rejects.full:
            long.columns([_texts(batch, name) for name in spelled], line)
        line += batch.num_rows
    return Contents(grid, long.rejects, long.units, long.splits, warnings)


def _floats(table: Any, name: str) -> FloatArray | None:
    """A column of floats or integers, NaN where it is null; None for any other."""
    from pyarrow import types  # noqa: PLC0415 see `read_parquet`

    column = table.column(name)
    if not types.is_floating(column.type) and not types.is_integer(column.type):
        return None
    floats: FloatArray = column.to_numpy(zero_copy_only=False).astype(np.float64)
    return floats


def _texts(table: Any, name: str) -> list[str]:
    """A column as the texts of a CSV file: days as 2022-12-28, nothing for null and NaN."""
    import pyarrow as pa  # noqa: PLC0415 see `read_parquet`
    from pyarrow import compute, types  # noqa: PLC0415 see `read_parquet`

    column = table.column(name)
    if types.is_timestamp(column.type):
        naive = compute.local_timestamp(column) if column.type.tz else column
        column = naive.cast(pa.date32(), safe=False)
    return [_text(cell) for cell in column.to_pylist()]


def _text(cell: object) -> str:
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    return repr(cell) if isinstance(cell, float) else str(cell).strip(" \t\r\n")
