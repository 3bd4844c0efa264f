"""A statement to holdings: stated values, futures, funds that are cash, rates of a file."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from builders.files import LAST, written
from steelyard.errors import InputError, PlanRefused
from steelyard.importers import assemble, read
from steelyard.importers.book import Choices, holdings_of
from steelyard.importers.statement import Balance, Position, Statement


def statement(*positions: Position, **more: object) -> Statement:
    return Statement(file="b.csv", form="A broker's", positions=positions, **more)


def row(line: int = 2, **fields: object) -> Position:
    whole = {"symbol": "AAA", "quantity": Decimal(10), "currency": "USD", **fields}
    return Position(line=line, **whole)


def test_a_stated_value_that_is_not_quantity_times_price_rejects_its_line_with_the_likely_cause():
    wrong = []
    for price, value, multiplier, cause in (
        ("5", "50", None, None),
        ("5.004", "50.01", None, None),  # brokers round the price
        ("98.5", "9.85", "0.01", None),
        ("5", "5000", None, "an option of 100"),
        ("500", "50", None, "pence"),
        ("5", "77", None, "correct the line"),
        ("4.15", "-4150", "100", "correct the line"),
    ):
        position = row(
            price=Decimal(price),
            value=Decimal(value),
            multiplier=multiplier and Decimal(multiplier),
        )
        rejected = holdings_of(statement(position), Choices()).rejected
        if bool(rejected) is (cause is None) or (cause and cause not in rejected[0].reason):
            wrong.append((price, value, rejected))
    assert not wrong


def test_a_future_counts_what_its_row_states_and_never_its_notional():
    for value, price in ((None, None), (Decimal("120"), Decimal("120"))):
        position = row(
            symbol="ESH6", quantity=Decimal(1), price=Decimal(6900), value=value,
            multiplier=Decimal(50), product_type="FUTURE",
        )  # fmt: skip
        file = holdings_of(statement(position), Choices())
        assert (file.holdings[0].price, file.listings["ESH6"].multiplier) == (price, 1), value
        assert file.rejected == ()


def test_the_same_row_twice_is_refused_and_two_lots_are_two():
    twice = statement(row(2, price=Decimal(5)), row(3, price=Decimal(5)))
    lots = statement(row(2, price=Decimal(5)), row(3, price=Decimal(5), quantity=Decimal(3)))

    assert [fault.code for fault in holdings_of(twice, Choices()).rejected] == ["same_lot"]
    assert holdings_of(lots, Choices()).holdings[0].quantity == 13


def test_a_file_that_values_in_two_currencies_says_its_rate_and_rows_must_agree():
    def valued(line: int, symbol: str, base_value: str) -> Position:
        return row(
            line, symbol=symbol, currency="GBP", price=Decimal(10), value=Decimal(100),
            base_value=Decimal(base_value),
        )  # fmt: skip

    agreed = statement(valued(2, "AAA", "115"), valued(3, "BBB", "115.2"), base="EUR")
    apart = statement(valued(2, "AAA", "115"), valued(3, "BBB", "1150"), base="EUR")

    assert dict(holdings_of(agreed, Choices()).rates) == {"GBP": Decimal("1.151")}
    assert {fault.code for fault in holdings_of(apart, Choices()).rejected} == {"two_rates"}


def test_a_balance_of_no_currency_is_in_that_of_the_account():
    cash = Balance(line=3, currency="", amount=Decimal(7), label="Cash")
    assert dict(holdings_of(statement(balances=(cash,), base="CHF"), Choices()).cash) == {"CHF": 7}


def test_a_fund_that_is_read_as_cash_and_has_another_price_is_refused(tmp_path: Path):
    prices = "date,AAA,ABCXX\n2022-12-27,10,24\n2022-12-28,11,{}\n"
    holdings = written(tmp_path, "symbol,quantity\nAAA,1\nABCXX,80\n", "h.csv")

    with pytest.raises(InputError, match=r"ABCXX of h.csv is read as cash"):
        assemble(read(holdings, prices=written(tmp_path, prices.format(24), "p.csv")))
    one = assemble(read(holdings, prices=written(tmp_path, prices.replace("24", "1").format(1))))
    assert dict(one.snapshot.cash) == {"USD": 80}


def test_without_a_rate_the_sentence_names_the_base_where_it_was_assumed(tmp_path: Path):
    holdings = written(tmp_path, "symbol,quantity,price,currency\nAAA,1,5,GBP\nBBB,1,5,\n", "h.csv")
    with pytest.raises(PlanRefused) as refusal:
        assemble(read(holdings), as_of=LAST, base_currency="USD", today=date(2023, 1, 4))
    assert "--base" not in str(refusal.value)
    mixed = written(tmp_path, "symbol,quantity,price,currency\nAAA,1,5,GBP\n", "h.csv")
    assert assemble(read(mixed), as_of=LAST).snapshot.base_currency == "GBP"
