"""Prices: wide and long, the short way and the closer look."""

import csv
import gzip
import io
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.errors import InputError, LimitExceeded
from steelyard.importers import PriceTable, read_prices
from steelyard.importers.limits import FileLimits
from steelyard.importers.spelling import Spellings
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
    assert (bbb.price, bbb.on) == (Decimal("20.50"), date(2022, 12, 27))
    assert table.quote("AAA", date(2022, 12, 27)) == Quote(
        "AAA", Decimal(10), date(2022, 12, 27), "prices.csv"
    )
    assert table.quote("AAA", date(2022, 12, 26)) is None
    assert table.quote("CCC", date(2022, 12, 28)) is None


def test_a_long_file_in_capitals_with_symbols_of_digits_is_no_wide_one(tmp_path: Path):
    table = read(tmp_path, "DATE,SYMBOL,CLOSE\n2022-12-28,7203,11\n2022-12-28,9984,12\n")

    assert table.symbols == ("7203", "9984")
    assert table.closes.tolist() == [[11, 12]]


def test_more_digits_than_a_float_has_stay_in_the_quote(tmp_path: Path):
    table = read(tmp_path, "date,AAA\n2022-12-28,12345678.123456789123\n")

    assert table.quote("AAA", date(2022, 12, 28)) == Quote(
        "AAA", Decimal("12345678.123456789123"), date(2022, 12, 28), "prices.csv"
    )


def independent(text: str) -> dict[tuple[str, date], Decimal]:
    """What a wide text says, by the csv module and Decimal."""
    header, *rows = csv.reader(io.StringIO(text))
    return {
        (symbol, date.fromisoformat(day)): Decimal(cell)
        for day, *cells in rows
        for symbol, cell in zip(header[1:], cells, strict=True)
        if cell
    }


def test_every_price_of_the_bundled_file_is_what_an_independent_reader_reads():
    path = sample("growth").prices
    cells = independent(gzip.decompress(path.read_bytes()).decode())

    table = read_prices(path)

    assert table.closes.shape == (4781, 25)
    assert int((~np.isnan(table.closes)).sum()) == len(cells)
    rows = {day: k for k, day in enumerate(table.dates.tolist())}
    wrong = [
        (symbol, day)
        for (symbol, day), price in cells.items()
        if Decimal(repr(float(table.closes[rows[day], table.columns[symbol]]))) != price
    ]
    assert not wrong
    assert not table.exact
    newest = [(symbol, table.quote(symbol, date(2022, 12, 28))) for symbol in table.symbols]
    assert all(quote and quote.price == cells[symbol, quote.on] for symbol, quote in newest)


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
def test_the_short_way_says_the_same_as_the_closer_look(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]], end: str
):
    folder = tmp_path_factory.mktemp("ways")
    text = end.join(["date,AAA,BBB", *(",".join(row) for row in rows)]) + end
    quoted = end.join(",".join(f'"{cell}"' for cell in line.split(",")) for line in text.split(end))

    short, closer = (answer(folder, content) for content in (text, quoted.removesuffix('""')))

    assert short == closer
    if isinstance(short, dict):
        assert short == independent(text)


def answer(folder: Path, content: str) -> object:
    """Every close of a file exactly, or what is wrong with it."""
    try:
        table = read(folder, content)
    except InputError as refused:
        return str(refused)
    if table.rejected:
        return table.rejected
    return {
        (symbol, on): table.exact.get((symbol, on), Decimal(repr(float(close))))
        for on, row in zip(table.dates.tolist(), table.closes, strict=True)
        for symbol, close in zip(table.symbols, row, strict=True)
        if not np.isnan(close)
    }


@given(st.permutations(range(6)))
def test_the_order_of_rows_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, order: list[int]
):
    folder = tmp_path_factory.mktemp("order")
    rows = [f"2022-12-{10 + i},{i + 1},{i + 2}" for i in range(6)]

    def table(lines: list[str]) -> PriceTable:
        return read(folder, "date,AAA,BBB\n" + "\n".join(lines))

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


def dotted(symbol: str) -> str | None:
    """One spelling of a symbol, of B shares alone."""
    return symbol.replace("-", ".") if symbol.endswith("B") else None


@pytest.mark.parametrize(
    "content",
    [
        "date,AAA,BRK-B,CCC\n2022-12-27,5,10.5,\n2022-12-28,6,,7\n",
        "date,AAA,BRK-B,CCC\n2022-12-27,5,1.05e1,x\n2022-12-28,what,,-7\n",
        "date,symbol,close\n2022-12-27,AAA,5\n2022-12-27,BRK-B,10.5\n2022-12-28,CCC,7\n",
        "date,symbol,close\n2022-12-28,CCC,x\n,AAA,5\n2022-12-27,AAA,\n2022-12-27,BRK-B,10.5\n",
    ],
    ids=["wide", "wide with other cells of any kind", "long", "long with other rows of any kind"],
)
def test_only_the_symbols_in_use_are_kept_under_their_names(tmp_path: Path, content: str):
    path = tmp_path / "p.csv"
    path.write_text(content)

    table = read_prices(path, names=dotted)

    assert table.symbols == ("BRK.B",)
    assert set(table.named) == {"AAA", "BRK-B", "CCC"}
    # days on which the file has other prices alone are sessions still
    assert table.dates.tolist() == [date(2022, 12, 27), date(2022, 12, 28)]
    assert np.array_equal(table.closes, [[10.5], [np.nan]], equal_nan=True)
    assert not table.rejected


@pytest.mark.parametrize(
    "content",
    [
        "date,BRK.B,BRK-B\n2022-12-28,1,2\n",
        "date,symbol,close\n2022-12-28,BRK.B,1\n2022-12-27,BRK-B,1\n",
    ],
)
def test_two_spellings_of_one_symbol_are_refused_by_name(tmp_path: Path, content: str):
    path = tmp_path / "p.csv"
    path.write_text(content)

    with pytest.raises(
        InputError, match=r"of BRK\.B and of BRK-B, which are two spellings"
    ) as refused:
        read_prices(path, names=dotted)

    assert refused.value.faults[0].code == "two_spellings"


LINES = "date,symbol,close,currency,split,volume\n"


def test_prices_are_as_the_file_writes_them_with_its_units_beside(tmp_path: Path):
    table = read(
        tmp_path,
        LINES + "2022-12-27,AAA,70.1,GBp,,5\n2022-12-27,BBB,2.5,usd,,\n2022-12-28,AAA,70.3,GBp,,\n",
    )

    assert table.closes[:, 0].tolist() == [70.1, 70.3]
    assert table.units == {"AAA": "GBp", "BBB": "USD"}
    assert not table.warnings


def test_a_symbol_in_two_units_is_refused_by_line(tmp_path: Path):
    table = read(tmp_path, LINES + "2022-12-27,AAA,70,GBp,,\n2022-12-28,AAA,0.7,GBP,,\n")

    assert [(row.line, row.code, row.value) for row in table.rejected] == [(3, "two_units", "GBP")]


def test_splits_are_factors_or_ratios(tmp_path: Path):
    rows = ["27,AAA,1,USD,10", "28,AAA,1,USD,", "27,BBB,1,USD,3:2", "28,BBB,1,USD,1/10"]
    rows += ["27,CCC,1,USD,0", "28,CCC,1,USD,-2"]

    table = read(tmp_path, LINES + "".join(f"2022-12-{row},\n" for row in rows[:5]))
    wrong = read(tmp_path, LINES + "".join(f"2022-12-{row},\n" for row in rows))

    first, second = date(2022, 12, 27), date(2022, 12, 28)
    assert table.splits == {"AAA": {first: 10}, "BBB": {first: 1.5, second: 0.1}}
    assert [row.line for row in wrong.rejected] == [7]


def test_a_price_that_comes_twice_in_a_long_file_is_rejected_by_line(tmp_path: Path):
    table = read(tmp_path, "date,symbol,close\n2022-12-27,AAA,1\n\n2022-12-27,AAA,1\n")

    assert [(row.line, row.reason) for row in table.rejected] == [
        (4, "AAA has a price of 2022-12-27 already")
    ]


def test_rows_of_a_file_of_many_pieces_keep_their_lines(tmp_path: Path):
    days = [str(date(1990, 1, 1) + timedelta(days=k)) for k in range(9_000)]
    rows = [f"{day},{k + 1}.25,{k + 2}" for k, day in enumerate(days)]
    rows[4_321] = f'{days[4_321]},"1{chr(10)}2",7'
    rows[8_000] = f"{days[8_000]},0,7"

    table = read(tmp_path, "date,AAA,BBB\n\n" + "\n".join(rows))

    assert [row.line for row in table.rejected] == [4_324, 8_004]


def test_limits_are_told_with_the_setting_and_what_to_leave_out(tmp_path: Path):
    path = tmp_path / "p.csv"
    path.write_text(WIDE)
    packed = tmp_path / "p.csv.gz"
    packed.write_bytes(gzip.compress(WIDE.encode() * 9, mtime=0))
    size = len(WIDE)
    cases = [
        (path, FileLimits(max_price_bytes=size - 1), f"has {size} bytes; at most {size - 1}"),
        (packed, FileLimits(max_price_bytes=9 * size - 1), f"more than {9 * size - 1} bytes"),
        (path, FileLimits(max_cells=3), "gives more than 3 closes of the symbols in use"),
    ]

    for file, limits, message in cases:
        with pytest.raises(LimitExceeded, match=message) as refused:
            read_prices(file, limits=limits)
        (fault,) = refused.value.faults
        assert fault.code == "limit_exceeded"
        assert "STEELYARD_MAX_PRICE_" in fault.hint
        assert "not held" in fault.hint
    # what is skipped does not count
    assert read_prices(path, names={"AAA": "AAA"}.get, limits=FileLimits(max_cells=2)).columns


@given(
    st.lists(
        st.sampled_from(["AAA", "BRK.B", "BRK-B", "VOD", "Q"]), min_size=1, max_size=5, unique=True
    ),
    st.sets(st.sampled_from(["AAA", "BRK B", "vod", "X"])),
    st.booleans(),
    st.data(),
)
def test_a_table_read_whole_gives_of_some_symbols_what_the_file_gives(
    tmp_path_factory: pytest.TempPathFactory, symbols, used, wide, data
):
    cell = st.sampled_from(["", "10", "20.50", "0.12345678901234567891", "1e2"])
    days = [f"2026-01-{day:02d}" for day in (5, 7, 6)]
    cells = {(day, symbol): data.draw(cell) for day in days for symbol in symbols}
    if wide:
        rows = [[day, *(cells[day, symbol] for symbol in symbols)] for day in days]
        text = "\n".join(map(",".join, [["date", *symbols], *rows]))
    else:
        some = [(*key, close) for key, close in cells.items() if close]
        rows = [[*row, data.draw(st.sampled_from(["", "2:1"])), "GBp"] for row in some]
        text = "\n".join(map(",".join, [["date", "symbol", "close", "split", "currency"], *rows]))
    path = tmp_path_factory.mktemp("prices") / "prices.csv"
    path.write_text(f"{text}\n")
    spellings = Spellings()
    spellings.add(used)

    def outcome(read) -> object:
        try:
            table = read()
        except InputError as error:
            return str(error)
        assert table.closes.flags.c_contiguous
        assert not table.closes.flags.writeable
        return (
            {**vars(table), "dates": table.dates.tolist(), "closes": repr(table.closes.tolist())}
            | {name: dict(getattr(table, name)) for name in ("columns", "exact", "units", "splits")}
        )  # fmt: skip

    assert outcome(lambda: read_prices(path).of(spellings.added)) == outcome(
        lambda: read_prices(path, names=spellings.added)
    )
