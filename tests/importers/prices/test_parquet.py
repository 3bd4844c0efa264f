"""Prices from Parquet: wide and long, of every type that writers choose, only what is kept."""

import sys
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from steelyard.errors import InputError, LimitExceeded
from steelyard.importers import PriceTable, read_prices
from steelyard.importers.limits import FileLimits

DAYS = [date(2022, 12, 28), date(2022, 12, 27), date(2022, 12, 29)]
NEW_YORK = timezone(timedelta(hours=-5))


def written(folder: Path, columns: dict[str, object], **options: object) -> Path:
    path = folder / "prices.parquet"
    parquet.write_table(pa.table(columns), path, **options)
    return path


def read(folder: Path, columns: dict[str, object]) -> PriceTable:
    return read_prices(written(folder, columns))


def test_a_wide_table_is_read_whatever_its_types_are(tmp_path: Path):
    decimals = pa.array([Decimal("11.50"), Decimal("10.25"), None], pa.decimal128(30, 20))
    forms: dict[str, dict[str, object]] = {
        "days and floats": {"date": DAYS, "AAA": [11.5, 10.25, None], "BBB": [2.0, 3.0, None]},
        "times": {
            "date": np.array([f"{d}T16:30" for d in DAYS], dtype="datetime64[s]"),
            "AAA": decimals,
            "BBB": pa.array([2, 3, None], pa.int32()),
        },
        "times of a zone": {
            # late in the evening there it is the next day in London
            "date": pa.array(
                [datetime(d.year, d.month, d.day, 22, tzinfo=NEW_YORK) for d in DAYS],
                pa.timestamp("us", "America/New_York"),
            ),
            "AAA": [11.5, 10.25, float("nan")],
            "BBB": pa.array([2, 3, None], pa.float32()),
        },
        "texts": {
            "Date": [str(d) for d in DAYS],
            "aaa": ["11.50", "10.25", ""],
            "BBB": ["2", "3.", None],
        },
        "the index last": {
            "AAA": [11.5, 10.25, None], "BBB": [2, 3, None], "__index_level_0__": DAYS,
        },
    }  # fmt: skip

    wrong = {}
    for name, columns in forms.items():
        table = read(tmp_path, columns)
        # a row without any price is no session
        same = table.dates.tolist() == sorted(DAYS)[:2] and table.symbols == ("AAA", "BBB")
        if not same or table.closes.tolist() != [[10.25, 3], [11.5, 2]] or table.rejected:
            wrong[name] = table
    assert not wrong


def test_a_decimal_that_no_float_holds_stays_exact(tmp_path: Path):
    price = Decimal("12345678.12345678912345678900")
    cells = pa.array([price], pa.decimal128(38, 20))

    table = read(tmp_path, {"date": DAYS[:1], "AAA": cells})
    long = read(tmp_path, {"date": DAYS[:1], "symbol": ["AAA"], "close": cells})

    for quote in (table.quote("AAA", DAYS[0]), long.quote("AAA", DAYS[0])):
        assert quote is not None
        assert (quote.price, quote.source) == (price, "prices.parquet")


def test_a_long_table_has_units_and_splits(tmp_path: Path):
    rows = {
        "symbol": pa.array(["AAA", "BRK-B", "AAA"]).dictionary_encode(),
        "date": [DAYS[0], DAYS[0], DAYS[1]],
        "close": [10.0, 350.25, 99.0],
        "currency": ["GBp", "USD", "GBp"],
        "split": [10.0, 0.0, None],
        "volume": [5, 6, 7],
    }

    table = read(tmp_path, rows)

    assert table.symbols == ("AAA", "BRK-B")
    assert np.array_equal(table.closes, [[99, np.nan], [10, 350.25]], equal_nan=True)
    assert table.units == {"AAA": "GBp", "BRK-B": "USD"}
    assert table.splits == {"AAA": {DAYS[0]: 10}}
    assert not table.warnings


def test_only_the_columns_in_use_are_read_in_groups_of_rows(tmp_path: Path):
    days = [DAYS[1] + timedelta(days=k) for k in range(100)]
    columns: dict[str, object] = {"date": days}
    columns |= {f"S{k:02d}": [float(k + row + 1) for row in range(100)] for k in range(20)}
    columns["BAD"] = ["no price"] * 100
    path = written(tmp_path, columns, row_group_size=30)

    table = read_prices(path, names={"S03": "S03", "S17": "OTHER"}.get)

    assert table.symbols == ("OTHER", "S03")
    assert table.closes.T.tolist() == [
        [k + 1.0 for k in range(17, 117)],
        [k + 1.0 for k in range(3, 103)],
    ]
    assert len(table.named) == 21
    with pytest.raises(LimitExceeded, match="has 2,000 closes of the symbols in use"):
        read_prices(
            path, names=lambda name: name if name != "BAD" else None,
            limits=FileLimits(max_cells=1_999),
        )  # fmt: skip


def test_what_is_no_price_or_day_is_told_by_line(tmp_path: Path):
    table = read(
        tmp_path,
        {
            "date": [*DAYS, DAYS[0], None],
            "AAA": [1.0, float("inf"), -1.0, 1.0, 1.0],
            "BBB": ["x", "1", "1", "1", "1"],
        },
    )

    assert [(row.line, row.reason.partition(";")[0]) for row in table.rejected] == [
        (2, "the price of BBB 'x' is not a number"),
        (3, "the price of AAA 'inf' is not a finite number"),
        (4, "the price of AAA '-1.0' must be above 0"),
        (5, "2022-12-28 stands on line 2 already"),
        (6, "date is missing"),
    ]


def test_a_damaged_file_and_one_of_something_else_are_refused(tmp_path: Path):
    path = written(tmp_path, {"date": DAYS, "AAA": [1.0, 2.0, 3.0]})
    whole = path.read_bytes()
    for content in (whole[:-20], whole[:4] + b"\0" * 40, b"PAR1PAR1", whole[:200]):
        path.write_bytes(content)
        with pytest.raises(InputError, match="could not be read as Parquet"):
            read_prices(path)
    with pytest.raises(InputError, match="is not a price file"):
        read(tmp_path, {"name": ["x"], "AAA": [1.0]})


def test_without_pyarrow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = written(tmp_path, {"date": DAYS, "AAA": [1.0, 2.0, 3.0]})
    for name in [name for name in sys.modules if name.partition(".")[0] == "pyarrow"]:
        monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(InputError, match=r"pip install 'pyarrow>=21'") as refused:
        read_prices(path)

    assert refused.value.faults[0].code == "missing_extra"
