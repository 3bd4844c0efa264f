"""The index: levels like prices, cut at the as-of date, and never among what may be traded."""

import gzip
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from steelyard.errors import RowsRejected
from steelyard.importers import Inputs, assemble, read
from steelyard.samples import sample

HOLDINGS = "symbol,quantity\nAAA,10\nCASH:USD,100\n"
PRICES = "date,AAA\n2022-12-23,9\n2022-12-27,10\n2022-12-28,11\n"
INDEX = "date,SPY,QQQ\n2022-12-27,400,300\n2022-12-28,401,\n2022-12-29,402,303\n"


def inputs(
    folder: Path, index: str | bytes, as_of: date | None = None, prices: str | None = PRICES
) -> Inputs:
    priced = "symbol,quantity,price\nAAA,10,11\nCASH:USD,100,\n"
    paths = {}
    for form, text in {
        "holdings": HOLDINGS if prices else priced,
        "index": index,
        **({"prices": prices} if prices else {}),
    }.items():
        paths[form] = folder / f"{form}.csv"
        paths[form].write_bytes(text.encode() if isinstance(text, str) else text)
    return assemble(read(**paths), as_of=as_of, today=date(2023, 1, 5))


@pytest.mark.parametrize(
    "content",
    [
        INDEX,
        gzip.compress(INDEX.encode(), mtime=0),
        INDEX.replace("2022-12-29,402,303\n", ""),
        "date,symbol,close\n2022-12-28,SPY,401\n2022-12-27,QQQ,300\n2022-12-27,SPY,400\n",
    ],
    ids=["wide", "gzip", "nothing later", "long"],
)
def test_the_levels_up_to_the_as_of_date_are_the_index(tmp_path, content):
    index = inputs(tmp_path, content).market.index

    assert index.names == ("QQQ", "SPY")
    assert index.dates.astype(str).tolist() == ["2022-12-27", "2022-12-28"]
    assert np.array_equal(index.levels, [[300, 400], [np.nan, 401]], equal_nan=True)
    assert not index.levels.flags.writeable


def test_an_earlier_as_of_date_cuts_the_index_too(tmp_path):
    assembled = inputs(tmp_path, INDEX, as_of=date(2022, 12, 27))

    assert assembled.market.index.dates.astype(str).tolist() == ["2022-12-27"]


def test_an_index_that_begins_later_has_no_level(tmp_path):
    assert len(inputs(tmp_path, INDEX, as_of=date(2022, 12, 23)).market.index.dates) == 0


def test_an_index_decides_neither_the_date_nor_what_may_be_traded(tmp_path):
    assembled = inputs(tmp_path, INDEX, prices=None)

    assert assembled.snapshot.as_of == date(2023, 1, 5)
    assert assembled.market.symbols == ("AAA",)
    assert [security.symbol for security in assembled.snapshot.securities] == ["AAA"]


def test_without_an_index_there_is_none(tmp_path):
    (tmp_path / "holdings.csv").write_text(HOLDINGS)
    (tmp_path / "prices.csv").write_text(PRICES)

    assert (
        assemble(read(tmp_path / "holdings.csv", prices=tmp_path / "prices.csv")).market.index
        is None
    )


def test_bad_lines_of_the_index_are_told_with_those_of_other_files(tmp_path):
    with pytest.raises(RowsRejected) as refused:
        inputs(tmp_path, INDEX.replace("401", "-1"), prices=PRICES.replace("10", "x"))

    assert {row.file for row in refused.value.rows} == {"index.csv", "prices.csv"}


def test_the_bundled_index_goes_as_far_as_the_bundled_prices():
    files = sample("growth")

    assembled = assemble(read(files.holdings, prices=files.prices, index=files.index))

    assert assembled.market.index.names == ("SP500",)
    assert assembled.market.index.dates[-1] == assembled.market.dates[-1]
