"""Large price files: memory by the numbers that are kept, and hostile ones that never end."""

import gzip
import tracemalloc
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from steelyard.errors import InputError
from steelyard.importers import PriceTable, read_prices
from steelyard.importers.prices.selection import Names

ROWS, COLUMNS = 1_500, 1_000
FIRST = date(2018, 1, 1)
MOST_TIMES = 3
"""Peak memory over the closes that are kept."""


def large(folder: Path) -> Path:
    """A wide file of about 12 MB."""
    path = folder / "large.csv"
    prices = np.round(np.random.default_rng(1).uniform(10, 999, COLUMNS), 4).tolist()
    cells = ",".join(map(repr, prices)) + "\n"
    with path.open("w", encoding="ascii") as file:
        file.write("date," + ",".join(f"S{k}" for k in range(COLUMNS)) + "\n")
        file.writelines(f"{FIRST + timedelta(days=k)},{cells}" for k in range(ROWS))
    return path


def packed(path: Path) -> Path:
    target = path.with_suffix(".csv.gz")
    target.write_bytes(gzip.compress(path.read_bytes(), compresslevel=1))
    return target


def columnar(path: Path, table: PriceTable) -> Path:
    target = path.with_suffix(".parquet")
    columns = {"date": pa.array(table.dates)}
    columns |= {name: pa.array(table.closes[:, k]) for name, k in table.columns.items()}
    parquet.write_table(pa.table(columns), target, use_dictionary=False)
    return target


def peak(path: Path, names: Names | None = None) -> tuple[PriceTable, int]:
    """The table and the most bytes that Python, numpy and Arrow had at once while it was read."""
    pool = pa.proxy_memory_pool(pa.default_memory_pool())
    before = pa.default_memory_pool()
    pa.set_memory_pool(pool)
    tracemalloc.start()
    try:
        table = read_prices(path, names=names)
        return table, tracemalloc.get_traced_memory()[1] + (pool.max_memory() or 0)
    finally:
        tracemalloc.stop()
        pa.set_memory_pool(before)


def test_the_peak_of_memory_is_at_most_three_times_the_closes_that_are_kept(tmp_path: Path):
    path = large(tmp_path)
    table, most = peak(path)
    some = {name: name for name in table.symbols[::5]}
    cases = [
        ("gzip", packed(path), None),
        ("parquet", columnar(path, table), None),
        ("plain, a fifth of the symbols", path, some.get),
        ("parquet, a fifth of the symbols", path.with_suffix(".parquet"), some.get),
    ]

    ratios = {"plain": most / table.closes.nbytes}
    for form, file, names in cases:
        part, most = peak(file, names)
        columns = [table.columns[name] for name in part.symbols]
        assert np.array_equal(part.closes, table.closes[:, columns])
        ratios[form] = most / part.closes.nbytes

    assert table.closes.shape == (ROWS, COLUMNS)
    assert {form: ratio for form, ratio in ratios.items() if ratio > MOST_TIMES} == {}


def test_a_line_without_an_end_is_refused_without_being_kept(tmp_path: Path):
    path = tmp_path / "endless.csv.gz"
    path.write_bytes(gzip.compress(b"date,AAA\n2022-12-28," + b"1" * 200_000_000, compresslevel=1))
    tracemalloc.start()

    with pytest.raises(InputError, match=r"line 2 has more than 4,194,304 bytes"):
        read_prices(path)

    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


def test_a_file_of_nothing_but_wrong_lines_is_not_read_to_its_end(tmp_path: Path):
    path = tmp_path / "wrong.csv"
    path.write_text("date,AAA\n" + "x,1\n" * 1_000_000, encoding="ascii")

    rejected = read_prices(path).rejected

    assert 10_000 <= len(rejected) < 50_000
