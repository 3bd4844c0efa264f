"""Prices: wide and long, the short way and the closer look."""

import gzip
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.errors import InputError
from steelyard.importers import PriceTable, read_prices
from steelyard.market import Quote
from steelyard.samples import sample

WIDE = "date,BBB,AAA\n2022-12-27,20.50,10\n2022-12-28,,11\n"
LONG = (
    "symbol,date,price,volume\nAAA,2022-12-28,11,500\nBBB,2022-12-27,20.50,\nAAA,2022-12-27,10,7\n"
)


def read(folder: Path, content: str | bytes) -> PriceTable:
    path = folder / "prices.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_prices(path)


def same(a: PriceTable, b: PriceTable) -> bool:
    closes = a.closes.shape == b.closes.shape and np.array_equal(a.closes, b.closes, equal_nan=True)
    return bool(
        closes and (a.symbols, a.rejected) == (b.symbols, b.rejected) and (a.dates == b.dates).all()
    )


@pytest.mark.parametrize(
    "content",
    [
        WIDE,
        gzip.compress(WIDE.encode(), mtime=0),
        WIDE.replace("\n", "\r\n"),
        WIDE.replace(",", ";"),
        WIDE.replace("AAA", "aaa"),
        '"date","BBB","AAA"\n"2022-12-27","20.50","10"\n"2022-12-28","","11"\n',
        "Date,BBB,AAA\n2022-12-28,,11\n\n2022-12-27,20.50,10\n",
        "date,BBB,AAA\n2022-12-27,2.05e1,10\n2022-12-28,,11\n2022-12-29,,\n",
        LONG,
    ],
    ids=[
        "wide", "gzip", "CRLF", "semicolons", "lower case", "quoted", "unsorted",
        "exponent and empty day", "long",
    ],
)  # fmt: skip
def test_every_form_gives_the_same_table(tmp_path: Path, content: str | bytes):
    table = read(tmp_path, content)

    assert table.symbols == ("AAA", "BBB")
    assert table.dates.tolist() == [date(2022, 12, 27), date(2022, 12, 28)]
    assert np.array_equal(table.closes, [[10, 20.5], [11, np.nan]], equal_nan=True)
    assert not table.closes.flags.writeable
    assert not table.rejected


def test_a_quote_is_the_newest_text_at_or_before_a_date(tmp_path: Path):
    table = read(tmp_path, WIDE)

    bbb = table.quote("BBB", date(2022, 12, 28))
    assert bbb is not None
    assert (str(bbb.price), bbb.on) == ("20.50", date(2022, 12, 27))
    assert table.quote("AAA", date(2022, 12, 27)) == Quote("AAA", Decimal(10), date(2022, 12, 27))
    assert table.quote("AAA", date(2022, 12, 26)) is None
    assert table.quote("CCC", date(2022, 12, 28)) is None


def test_a_long_file_in_capitals_with_symbols_of_digits_is_no_wide_one(tmp_path: Path):
    table = read(tmp_path, "DATE,SYMBOL,CLOSE\n2022-12-28,7203,11\n2022-12-28,9984,12\n")

    assert table.symbols == ("7203", "9984")
    assert table.closes.tolist() == [[11, 12]]


def test_more_digits_than_a_float_has_stay_in_the_quote(tmp_path: Path):
    table = read(tmp_path, "date,AAA\n2022-12-28,12345678.123456789123\n")

    assert table.quote("AAA", date(2022, 12, 28)) == Quote(
        "AAA", Decimal("12345678.123456789123"), date(2022, 12, 28)
    )


def test_the_bundled_prices_take_the_short_way_and_both_ways_agree():
    path = sample("growth").prices
    text = gzip.decompress(path.read_bytes()).decode()

    short, closer = _plain(text, "p"), _checked(text, "p")

    assert short is not None
    assert same(short, closer)
    assert short.closes.shape == (4781, 25)
    assert [short.quote(symbol, date(2022, 12, 28)) for symbol in short.symbols] == [
        closer.quote(symbol, date(2022, 12, 28)) for symbol in short.symbols
    ]


CELLS = st.one_of(
    st.decimals(min_value="0.001", max_value=10**6, places=3, allow_nan=False).map(str),
    st.sampled_from(
        [
            "", "0", "-1", "1.", ".5", "1-1", "1.1.1", "nan", "1e3", "1_0", "9999999999999",
            "0.0000000000001", "x",
        ]
    ),
)  # fmt: skip
DATES = st.sampled_from(
    ["2022-12-27", "2022-12-28", "2022-12-29", "2022-02-30", "20221228", "", "2022-12-28,1"]
)


@given(
    st.lists(st.tuples(DATES, CELLS, CELLS), min_size=1, max_size=5),
    st.sampled_from(["\n", "\r\n"]),
)
def test_the_short_way_never_says_other_than_the_closer_look(
    rows: list[tuple[str, str, str]], end: str
):
    text = end.join(["date,AAA,BBB", *(",".join(row) for row in rows)]) + end

    short = _plain(text, "p")

    if short is not None:
        closer = _checked(text, "p")
        assert same(short, closer)
        assert not closer.rejected


@given(st.permutations(range(6)))
def test_the_order_of_rows_changes_nothing(order: list[int]):
    rows = [f"2022-12-{10 + i},{i + 1},{i + 2}" for i in range(6)]

    def table(lines: list[str]) -> PriceTable:
        return _checked("date,AAA,BBB\n" + "\n".join(lines), "p")

    assert same(table([rows[i] for i in order]), table(rows))


def test_every_bad_cell_of_a_line_is_told(tmp_path: Path):
    table = read(tmp_path, "date,AAA,BBB\n2022-12-27,x,0\n2022-12-28,1,2\n2022-12-28,1,2\n")

    assert [(row.line, row.reason.split("'")[0]) for row in table.rejected] == [
        (2, "the price of AAA "),
        (2, "the price of BBB "),
        (4, "2022-12-28 stands on line 3 already"),
    ]


def test_the_header_of_a_wide_file_may_not_repeat_itself_in_other_case(tmp_path: Path):
    with pytest.raises(InputError, match="AAA more than once"):
        read(tmp_path, "date,AAA,aaa\n2022-12-28,1,2\n")
