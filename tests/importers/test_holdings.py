"""Holdings: lots, cash, dates."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from steelyard.errors import InputError
from steelyard.importers import HoldingsFile, Reading
from steelyard.importers import read as read_files
from steelyard.portfolio import Settling, TaxLot


def read(folder: Path, content: str) -> HoldingsFile:
    path = folder / "holdings.csv"
    path.write_text(content, encoding="utf-8")
    return read_files(path).holdings


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
        "symbol,quantity,currency,price\ncash:usd,-1200.50,USD,1\nCASH:EUR,0,,\nCASH:GBp,500,,\n",
    )

    assert dict(file.cash) == {"EUR": 0, "GBP": 5, "USD": Decimal("-1200.50")}
    assert file.holdings == ()


def test_words_of_cash_currencies_and_money_market_funds_are_cash_and_said(tmp_path: Path):
    file = read(
        tmp_path,
        "symbol,quantity,price,currency\nCASH:CHF,1,,\nCASH,5,,EUR\nUSD,7,1,\nSPAXX**,11,,USD\n"
        "Cash & Cash Investments,13,,USD\n",
    )

    assert (dict(file.cash), file.holdings) == ({"CHF": 1, "EUR": 5, "USD": 31}, ())
    assert {notice.message.split("'")[1]: notice.head for notice in file.warnings} == {
        "CASH": False, "Cash & Cash Investments": False, "SPAXX**": True, "USD": False,
    }  # fmt: skip
    (row,) = read(tmp_path, "symbol,quantity,price\nUSD,50,65.2\n").rejected
    assert (row.code, row.line) == ("cash_with_price", 2)


def test_a_word_of_cash_that_the_securities_file_lists_is_a_security(tmp_path: Path):
    listed = tmp_path / "s.csv"
    listed.write_text("symbol,product_type\nUSD,ETF\nNULL,EQUITY\n")
    path = tmp_path / "h.csv"
    path.write_text("symbol,quantity,price\nUSD,50,65.2\nNULL,1,3\nTRUE,1,3\n")

    file = read_files(path, securities=listed).holdings

    assert ([row.symbol for row in file.holdings], dict(file.cash)) == (["NULL", "USD"], {})
    assert [(row.line, row.code) for row in file.rejected] == [(4, "no_symbol")]


def test_money_that_settles_later_stands_apart(tmp_path: Path):
    file = read(
        tmp_path,
        "symbol,quantity,settles\nCASH:USD,100,\nCASH:USD,-30,2026-01-12\nAAA,1,2026-01-12\n",
    )

    assert (dict(file.cash), file.settling) == (
        {"USD": 100}, (Settling("USD", Decimal(-30), date(2026, 1, 12)),),
    )  # fmt: skip
    assert [row.code for row in file.rejected] == ["settles"]


def test_pence_are_read_as_pounds_whatever_the_case_of_the_code(tmp_path: Path):
    rows = [
        f"S{k},1,250,200,{code}\n" for k, code in enumerate(["GBp", "GBX", "gbx", "ZAc", "ILA"])
    ]
    file = read(tmp_path, "symbol,quantity,price,average_cost,currency\n" + "".join(rows))

    assert [(row.price, row.average_cost) for row in file.holdings] == [(Decimal("2.5"), 2)] * 5
    assert list(file.currencies.values()) == ["GBP", "GBP", "GBP", "ZAR", "ILS"]
    assert [row.unit for row in file.listings.values()] == ["GBp", "GBX", "gbx", "ZAc", "ILA"]
    mixed = read(tmp_path, "symbol,quantity,price,currency\nA,1,2,Gbp\nB,1,2,uSD\nC,1,2,gbP\n")
    assert [row.code for row in mixed.rejected] == ["mixed_case"] * 3


def test_a_sold_out_row_keeps_its_dates_a_short_its_sign_and_an_option_its_hundred(tmp_path: Path):
    file = read(
        tmp_path,
        "symbol,quantity,price,last_sold,sold_at_loss\nAAA,0,0,2022-01-03,true\nBBB,-20,400,,\n"
        "AAPL 01/16/2026 250.00 C,-2,4.15,,\n",
    )

    sold, option, short = file.holdings
    assert (sold.quantity, sold.lots, sold.price) == (0, (), None)
    assert (sold.last_sold, sold.sold_at_loss) == (date(2022, 1, 3), True)
    assert (short.quantity, short.lots[0].quantity) == (-20, -20)
    assert option.symbol == "AAPL260116C00250000"
    assert file.listings[option.symbol].product_type == "OPTION"
    assert file.listings[option.symbol].multiplier == 100


def test_two_spellings_of_a_symbol_in_one_file_are_refused(tmp_path: Path):
    (row,) = read(tmp_path, "symbol,quantity\nBRK.B,1\nVOD.L,2\nVOD:LON,3\nbrk b,4\n").rejected[:1]
    (twice,) = read(tmp_path, "symbol,quantity\nBRK.B,1\nBRK/B,4\n").rejected

    assert (row.line, row.code) == (5, "same_lot")
    assert (twice.line, twice.code) == (3, "two_spellings")


def test_a_file_of_several_accounts_is_refused_with_their_names_until_one_is_picked(tmp_path: Path):
    path = tmp_path / "h.csv"
    path.write_text("symbol,quantity,account\nAAA,1,Roth\nAAA,2,Joint\nCASH:USD,5,Joint\n")

    with pytest.raises(InputError) as refusal:
        read_files(path)
    file = read_files(path, reading=Reading(account="joint")).holdings

    assert all(name in str(refusal.value) for name in ("'Joint'", "'Roth'", "--account"))
    assert (file.holdings[0].quantity, file.holdings[0].lots[0].account) == (2, "Joint")
    assert (dict(file.cash), file.account) == ({"USD": 5}, "Joint")
    for account, code in (("Rot", "unknown_account"),):
        with pytest.raises(InputError) as refusal:
            read_files(path, reading=Reading(account=account))
        assert refusal.value.faults[0].code == code


def test_an_excluded_row_is_not_looked_at(tmp_path: Path):
    path = tmp_path / "h.csv"
    path.write_text("symbol,quantity,price\nAAA,1,3\nBRK-B,x,y\n")

    file = read_files(path, exclude=["brk.b"]).holdings

    assert ([row.symbol for row in file.holdings], file.rejected) == (["AAA"], ())
    assert file.passed == {"BRK.B"}


def test_every_bad_line_comes_back_and_the_good_ones_are_read(tmp_path: Path):
    file = read(tmp_path, "symbol,quantity\nAAA,x\nBBB,1\nCCC\n,1\nBBB,1\n")

    assert [row.line for row in file.rejected] == [2, 4, 5, 6]
    assert [holding.symbol for holding in file.holdings] == ["BBB"]


@pytest.mark.parametrize("text", ["bucket\ncore", "bucket\n\n"])
def test_one_bucket_or_none_is_no_question(tmp_path: Path, text: str):
    name = text.split("\n")[1]

    assert read(tmp_path, f"symbol,quantity,bucket\nAAA,1,{name}\nBBB,1,\n").bucket == (
        name or None
    )


def test_a_sale_at_a_loss_is_read_without_a_word(tmp_path: Path):
    statement = read(tmp_path, "symbol,quantity,last_sold,sold_at_loss\nAAA,1,2026-01-02,true\n")

    assert statement.warnings == ()
    assert statement.holdings[0].last_loss == date(2026, 1, 2)
