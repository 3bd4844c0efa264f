"""Files to cells: what is opened, how much of it is read, and what a cell may hold."""

import gzip
import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.files import written
from steelyard.errors import InputError, LimitExceeded
from steelyard.importers.limits import LIMITS, FileLimits
from steelyard.importers.reading import read_table, read_text


def table(folder: Path, content: str | bytes, limits: FileLimits = LIMITS):
    return read_table(
        written(folder, content),
        required=("symbol", "quantity"),
        readable=("symbol", "quantity", "name"),
        limits=limits,
    )


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(InputError, match=r"nowhere\.csv does not exist"):
        read_text(tmp_path / "nowhere.csv")


def test_a_directory_and_a_fifo_are_refused_without_being_opened(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(InputError, match="is a directory"):
        read_text(tmp_path)
    with pytest.raises(InputError, match="is not a regular file"):
        read_text(tmp_path / "pipe")
    with pytest.raises(InputError, match="is not a regular file"):
        read_text(Path(os.devnull))


@pytest.mark.parametrize("name", ["nul\0.csv", "n" * 5_000, "f.csv/inside"])
def test_a_path_that_no_system_takes_is_refused(tmp_path: Path, name: str):
    written(tmp_path, "x")

    with pytest.raises(InputError, match="Nothing was planned"):
        read_text(tmp_path / name)


def test_a_field_of_100_megabytes_is_refused_without_being_read(tmp_path: Path):
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.write(b"symbol,quantity\nAAA,")
        file.truncate(100 * 1024 * 1024)
    tracemalloc.start()

    with pytest.raises(InputError, match=r"has 104,857,600 bytes; at most 67,108,864 are read"):
        read_text(path)

    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("length", [10_001, 200_000])
def test_a_long_field_is_refused_with_its_line(tmp_path: Path, length: int):
    with pytest.raises(InputError, match=r"f\.csv line 2: a cell has more than 10,000 characters"):
        table(tmp_path, "symbol,quantity\nAAA," + "1" * length + "\n")


def test_more_rows_than_the_limit_are_refused(tmp_path: Path):
    rows, limits = "AAA,1\nBBB\nCCC,1\n", FileLimits(max_rows=3)

    assert len(table(tmp_path, "symbol,quantity\n" + rows, limits).rows) == 2
    with pytest.raises(LimitExceeded, match=r"f\.csv has more than 3 rows.*MAX_FILE_ROWS"):
        table(tmp_path, "symbol,quantity\n" + rows + "DDD\n", limits)


def test_a_gzip_bomb_is_refused(tmp_path: Path):
    bomb = gzip.compress(b"0" * (LIMITS.max_bytes + 10), compresslevel=1)

    with pytest.raises(LimitExceeded, match="unpacks to more than 67,108,864 bytes"):
        read_text(written(tmp_path, bomb))


def test_gzip_is_known_by_its_content_and_read_whole_or_not_at_all(tmp_path: Path):
    packed = gzip.compress(b"a,b\n1,2\n", mtime=0)

    assert read_text(written(tmp_path, packed)) == "a,b\n1,2\n"
    with pytest.raises(InputError, match="more than one gzip stream"):
        read_text(written(tmp_path, packed + packed))
    with pytest.raises(InputError, match="ends too early"):
        read_text(written(tmp_path, packed[:-9]))
    with pytest.raises(InputError, match="damaged gzip"):
        read_text(written(tmp_path, packed[:10] + b"\xff\xff\xff\xff"))


@pytest.mark.parametrize(
    "content",
    [
        "symbol,quantity,name\nAAA,1,Alpha\n",
        "\ufeffsymbol,quantity,name\r\nAAA,1,Alpha\r\n",
        "Symbol, Quantity ,NAME\nAAA , 1,Alpha",
        "symbol;quantity;name\nAAA;1;Alpha\n",
        "symbol\tquantity\tname\nAAA\t1\tAlpha\n",
        'symbol,quantity,name\n"AAA","1","Alpha"\n\n,,\n',
        "\n\nsymbol,quantity,name\nAAA,1,Alpha\n",
    ],
    ids=[
        "plain", "mark and CRLF", "spaces and capitals", "semicolons", "tabs",
        "quotes and blank lines", "blank first lines",
    ],
)  # fmt: skip
def test_every_usual_spelling_of_a_table_is_read(tmp_path: Path, content: str):
    read = table(tmp_path, content)

    assert [dict(row.cells) for row in read.rows] == [
        {"symbol": "AAA", "quantity": "1", "name": "Alpha"}
    ]
    assert not read.rejected
    assert not read.warnings


def test_a_line_is_counted_where_its_row_begins(tmp_path: Path):
    read = table(tmp_path, 'symbol,quantity,name\nAAA,1,"two\nlines"\n\nBBB,2,Beta\nCCC,3\n')

    assert [(row.line, row.get("symbol")) for row in read.rows] == [(2, "AAA"), (5, "BBB")]
    assert [row.line for row in read.rejected] == [6]


def test_a_column_that_is_not_read_is_a_warning_with_the_nearest_one(tmp_path: Path):
    (warning,) = table(tmp_path, "symbol,quantity,nane\nAAA,1,x\n").warnings

    assert warning.code == "unknown_column"
    assert warning.message == "The column 'nane' of f.csv is not read. Did you mean name?"


@given(st.binary(max_size=200))
def test_any_bytes_are_a_table_or_a_refusal(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
):
    folder = tmp_path_factory.mktemp("any")
    for start in (b"", b"symbol,quantity\n"):
        message = "Nothing was planned"
        try:
            table(folder, start + content)
        except InputError as refused:
            message = str(refused)
        assert "Nothing was planned" in message
