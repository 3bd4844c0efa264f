"""Holdings: lots, cash, dates."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from steelyard.importers import read_holdings
from steelyard.portfolio import TaxLot


def read(folder: Path, content: str):
    path = folder / "holdings.csv"
    path.write_text(content, encoding="utf-8")
    return read_holdings(path)


def test_two_columns_are_enough(tmp_path: Path):
    file = read(tmp_path, "symbol,quantity\nbbb,2.5\nAAA,10\n")

    assert [(holding.symbol, holding.quantity, holding.price) for holding in file.holdings] == [
        ("AAA", 10, None),
        ("BBB", Decimal("2.5"), None),
    ]
    assert file.holdings[0].lots == (TaxLot(Decimal(10)),)
    assert (dict(file.cash), dict(file.currencies), file.bucket, file.rejected, file.warnings) == (
        {}, {}, None, (), (),
    )  # fmt: skip


def test_a_header_alone_is_an_all_cash_account(tmp_path: Path):
    assert read(tmp_path, "symbol,quantity\n").holdings == ()


def test_rows_of_one_symbol_with_different_dates_are_its_lots_oldest_first(tmp_path: Path):
    file = read(
        tmp_path,
        "symbol,quantity,price,average_cost,acquired,currency\n"
        "AAA,1,30,20,2021-05-01,USD\nAAA,2,30,,,\nAAA,3,,10,2019-05-01,usd\n",
    )

    (holding,) = file.holdings
    assert holding.lots == (
        TaxLot(Decimal(2)),
        TaxLot(Decimal(3), date(2019, 5, 1), Decimal(10)),
        TaxLot(Decimal(1), date(2021, 5, 1), Decimal(20)),
    )
    assert (holding.quantity, holding.price, holding.average_cost) == (6, 30, None)
    assert holding.last_bought == date(2021, 5, 1)
    assert dict(file.currencies) == {"AAA": "USD"}


def test_acquired_stands_in_for_last_bought(tmp_path: Path):
    file = read(
        tmp_path,
        "symbol,quantity,acquired,last_bought,last_sold\n"
        "AAA,1,2020-01-02,,\nBBB,1,2020-01-02,2021-01-04,2022-01-03\nCCC,1,,,\n",
    )

    bought = {holding.symbol: (holding.last_bought, holding.last_sold) for holding in file.holdings}
    assert bought == {
        "AAA": (date(2020, 1, 2), None),
        "BBB": (date(2021, 1, 4), date(2022, 1, 3)),
        "CCC": (None, None),
    }


def test_cash_is_a_row_of_its_own_and_may_be_negative_or_nothing(tmp_path: Path):
    file = read(
        tmp_path,
        "symbol,quantity,currency,price\ncash:usd,-1200.50,USD,1\nCASH:EUR,0,,\nCASH,5,,\n",
    )

    assert dict(file.cash) == {"EUR": Decimal(0), "USD": Decimal("-1200.50")}
    assert [holding.symbol for holding in file.holdings] == ["CASH"]  # a ticker like any other


def test_every_bad_line_comes_back_and_the_good_ones_are_read(tmp_path: Path):
    file = read(tmp_path, "symbol,quantity\nAAA,0\nBBB,1\nCCC\n,1\nBBB,1\n")

    assert [row.line for row in file.rejected] == [2, 4, 5, 6]
    assert [holding.symbol for holding in file.holdings] == ["BBB"]


@pytest.mark.parametrize("text", ["bucket\ncore", "bucket\n\n"])
def test_one_bucket_or_none_is_no_question(tmp_path: Path, text: str):
    name = text.split("\n")[1]

    assert read(tmp_path, f"symbol,quantity,bucket\nAAA,1,{name}\nBBB,1,\n").bucket == (
        name or None
    )
