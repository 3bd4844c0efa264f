"""Our own form written and read is the identity; what else is written is inert and whole."""

from __future__ import annotations

import csv
import io
import tomllib
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.importers import opened
from steelyard.importers import writing
from steelyard.importers.cash_words import is_cash_name
from steelyard.importers.files import read_statement
from steelyard.importers.holdings import FORM, read_own
from steelyard.importers.mapping import read_mapping
from steelyard.importers.options import option_symbol
from steelyard.importers.securities import read_securities
from steelyard.importers.statement import Balance, Position, Statement
from steelyard.importers.values import MINOR_UNITS, NO_SYMBOLS

DAYS = st.dates(date(1990, 1, 1), date(2030, 1, 1))
SYMBOLS = st.from_regex(r"[A-Z][A-Z0-9]{0,8}(?:[.:/^=-][A-Z0-9]{1,4})?", fullmatch=True).filter(
    lambda text: not (is_cash_name(text) or option_symbol(text) or text in NO_SYMBOLS)
)
WORDS = st.text(
    st.characters(categories=["L", "N", "P", "S"]) | st.sampled_from(' \n,;"'), max_size=12
)
TEXTS = WORDS.map(lambda text: text.strip(" \t\r\n")).filter(
    lambda text: not text.startswith(writing.RUN)
)
UNITS = st.sampled_from(
    [("USD", ""), ("", ""), *((c, unit) for unit, (c, _) in MINOR_UNITS.items())]
)


def decimals(least: str, most: str, places: int):
    return st.decimals(Decimal(least), Decimal(most), places=places)


@st.composite
def positions(draw):
    currency, unit = draw(UNITS)
    return Position(
        line=0,
        symbol=draw(SYMBOLS),
        quantity=draw(decimals("-1e6", "1e6", 4)),
        currency=currency,
        price=draw(st.none() | decimals("0.0001", "1e6", 4)),
        unit=unit,
        average_cost=draw(st.none() | decimals("0.0001", "1e6", 6)),
        acquired=draw(st.none() | DAYS),
        last_bought=draw(st.none() | DAYS),
        last_sold=draw(st.none() | DAYS),
        sold_at_loss=draw(st.booleans()),
        account=draw(TEXTS),
        bucket=draw(TEXTS),
    )


BALANCES = st.builds(
    Balance,
    line=st.just(0),
    currency=st.sampled_from(["USD", "EUR", "JPY"]),
    amount=decimals("-1e9", "1e9", 2),
    settles=st.none() | DAYS,
    account=TEXTS,
    bucket=TEXTS,
)


def unique(rows, *names: str):
    return tuple({tuple(getattr(row, name) for name in names): row for row in rows}.values())


@given(st.lists(positions(), max_size=6), st.lists(BALANCES, max_size=4))
def test_our_own_form_written_and_read_is_the_identity(tmp_path_factory, rows, cash):
    statement = Statement(
        file="x",
        form=FORM,
        positions=unique(rows, "account", "symbol", "acquired"),
        balances=unique(cash, "account", "bucket", "currency", "settles"),
    )
    path = tmp_path_factory.getbasetemp() / "own.csv"

    read = read_statement(opened(path, writing.holdings_text(statement)))

    assert read.rejected == ()
    assert tuple(replace(row, line=0) for row in read.positions) == statement.positions
    assert tuple(replace(row, line=0) for row in read.balances) == statement.balances


def test_written_twice_it_stays_the_same_whatever_the_texts_are(tmp_path):
    row = Position(line=0, symbol="AAA", quantity=Decimal(1))
    accounts = ["=1+1", "@SUM(A1)", "-x", "+y", "'quoted", 'a,"b"\nc']
    rows = tuple(replace(row, account=text, bucket=text) for text in accounts)

    first = writing.holdings_text(Statement(file="x", form="f", positions=rows))
    again = writing.holdings_text(read_own(opened(tmp_path / "own.csv", first))[0])

    assert again == first
    cells = [cell for line in csv.reader(io.StringIO(first)) for cell in line]
    assert [cell for cell in cells if cell.startswith(writing.RUN)] == []


def test_rows_of_one_lot_are_one_with_their_costs_and_the_same_row_twice_stays_twice():
    lot = Position(line=3, symbol="AAA", quantity=Decimal(1), average_cost=Decimal(10))
    dated = replace(lot, acquired=date(2020, 1, 1))
    costs = [Decimal(10), Decimal(20), None]
    rows = [
        replace(lot, line=n, quantity=Decimal(n), average_cost=c) for n, c in enumerate(costs, 1)
    ]

    (whole,) = writing.joined(rows[:2])
    (unknown,) = writing.joined(rows)

    assert (whole.quantity, whole.average_cost) == (Decimal(3), Decimal(50) / 3)
    assert (unknown.quantity, unknown.average_cost) == (Decimal(6), None)
    assert writing.joined([lot, dated]) == [lot, dated]
    assert len(writing.joined([lot, replace(lot, line=9)])) == 2


def test_balances_of_one_day_add_up_and_funds_of_the_money_market_are_cash():
    fund = Position(
        line=4, symbol="SWVXX", quantity=Decimal(50), price=Decimal(1), currency="USD", name="Fund"
    )
    balances = [
        Balance(line=1, currency="USD", amount=Decimal(10), label="Cash"),
        Balance(line=2, currency="USD", amount=Decimal(5), settles=date(2026, 1, 5)),
        Balance(line=3, currency="", amount=Decimal(1)),
    ]
    statement = Statement(file="x", form="f", positions=(fund,), balances=tuple(balances))

    text = writing.holdings_text(statement)

    lines = [line.rstrip(",") for line in text.splitlines()[1:]]
    assert lines == ["CASH:USD,60", "CASH:USD,5,,,,,,,,,,2026-01-05", "CASH,1"]
    assert writing.securities_text(statement) == ""


def test_a_securities_file_has_what_the_holdings_say_more_and_is_read(tmp_path):
    rows = (
        Position(line=1, symbol="AAA", quantity=Decimal(1), currency="GBP", name="=Ay, Inc."),
        Position(
            line=2, symbol="AAA", quantity=Decimal(2), isin="US0378331005", product_type="ETF"
        ),
        Position(line=3, symbol="BBB", quantity=Decimal(2), multiplier=Decimal(50)),
        Position(line=4, symbol="CCC", quantity=Decimal(2)),
    )
    path = tmp_path / "s.csv"
    path.write_text(writing.securities_text(Statement(file="x", form="f", positions=rows)))

    first, second = read_securities(path).securities

    assert (first.symbol, first.name, first.isin) == ("AAA", "'=Ay, Inc.", "US0378331005")
    assert (first.product_type, first.currency) == ("ETF", "GBP")
    assert (second.symbol, second.multiplier) == ("BBB", Decimal(50))
    assert writing.needs_securities(Statement(file="x", form="f", positions=rows)) == ["BBB"]


@given(st.dictionaries(st.sampled_from(["symbol", "quantity", "price"]), st.text(max_size=20)))
def test_a_mapping_written_is_the_mapping_read(columns):
    text = writing.mapping_text(columns, {"BRK/B": "BRK.B"})

    assert tomllib.loads(text) == {"columns": columns, "alias": {"BRK/B": "BRK.B"}}


@pytest.mark.parametrize("columns", [{}, {"symbol": 'Ti"cker\x7f\n', "quantity": "Stück"}])
def test_a_mapping_file_is_read_by_who_reads_them(tmp_path, columns):
    path = tmp_path / "m.toml"
    path.write_text(writing.mapping_text(columns, {"A": "B"}), encoding="utf-8")

    mapping = read_mapping(path)

    assert (dict(mapping.columns), dict(mapping.alias)) == (columns, {"A": "B"})
