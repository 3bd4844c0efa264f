"""Position tables by a table of columns: what a row may hold, and what is said of any other."""

from __future__ import annotations

from pathlib import Path

import pytest

from steelyard.errors import InputError
from steelyard.importers.statement import Source, Statement
from steelyard.importers.tables import columns
from steelyard.importers.tables.sheet import Form

FORM = Form(
    name="invented",
    broker="Invented",
    columns={
        "symbol": ("symbol",),
        "name": ("name",),
        "quantity": ("shares", "units"),
        "price": ("price",),
        "value": ("value",),
        "average_cost": ("cost",),
        "currency": ("currency",),
        "account": ("account",),
    },
    required=("symbol", "quantity"),
    signs=frozenset({"symbol", "shares", "units", "price"}),
    enough=2,
    totals=frozenset({"total"}),
)
HEADER = "Symbol;Name;Shares;Price;Value;Cost;Currency;Account\n"


def read(*rows: str, header: str = HEADER) -> Statement:
    """A file of rows under a header."""
    text = header + "\n".join(rows) + "\n"
    return columns.read(Source(Path("own.csv"), text.encode(), text), FORM)


def codes(*rows: str) -> list[tuple[int, str, str]]:
    """(line, code, column) of what is rejected."""
    return [(row.line, row.code, row.column) for row in read(*rows).rejected]


def test_what_a_row_cannot_mean_is_refused_by_line_and_column():
    cases = {
        "A;;x;1.5;;;USD;": ("bad_number", "Shares"),
        "A;;5%;1.5;;;USD;": ("bad_number", "Shares"),
        "A;;;1.5;;;USD;": ("missing", "Shares"),
        ";Fund;3;1.5;;;USD;": ("missing", "symbol"),
        "<b>;;3;1.5;;;USD;": ("bad_symbol", "symbol"),
        "A;;3;-1.5;;;USD;": ("range", "Price"),
        "A;;3;1e15;;;USD;": ("bad_number", "Price"),
        "A;;9999999999999.5;1;;;USD;": ("too_large", "Shares"),
        "A;;3;1.5;;;Usd;": ("mixed_case", "Currency"),
        "A;;3;1.5;;;dollar;": ("bad_currency", "Currency"),
        "A;;3;EUR 1.5;;;USD;": ("two_units", "currency"),
        "A;;3;GBX 1.5;;;GBP;": ("two_units", "currency"),
        "A;;3;€1.5;;;USD;": ("two_currencies", "Price"),
        "A;;3;$1.5;;;;": ("which_currency", "Price"),
        "Cash;;;;;;USD;": ("missing", "value"),
        "Cash;;5.5;1;6.5;;USD;": ("two_values", "Value"),
        "A;;3;1.5;;;USD": ("cells", ""),
        "A;;3;1.5;;;USD;;x": ("cells", ""),
        "A;;;;;;;": ("missing", "Shares"),
    }
    answers = {row: codes(row) for row in cases}

    assert answers == {row: [(2, *reason)] for row, reason in cases.items()}


def test_the_whole_file_settles_how_numbers_are_written():
    lone, settled, comma = (
        codes("A;;1,234;;;;USD;"),
        read("A;;1,234;5.5;;;USD;").positions[0].quantity,
        read("A;;1.234;5,5;;;USD;").positions[0].quantity,
    )

    assert lone == [(2, "two_readings", "Shares")]
    assert (settled, comma) == (1234, 1234)
    with pytest.raises(InputError, match=r"decimal point and .* decimal comma") as error:
        read("A;;1;5.5;;;USD;", "B;;1;5,5;;;USD;")
    assert error.value.faults[0].code == "two_notations"


def test_a_word_that_is_no_number_does_not_unsettle_the_others():
    statement = read("A;;1.234;5,5;;;USD;", "B;;1,2,3;5,5;;;USD;")

    assert [p.quantity for p in statement.positions] == [1234]
    assert [row.line for row in statement.rejected] == [3]


def test_a_sign_of_one_currency_names_it_and_no_currency_is_said_first():
    signed, silent = read("A;;3;£1.50;;;;"), read("A;;3;1.50;;;;", "Cash;;;;5.00;;;")

    assert signed.positions[0].currency == "GBP"
    assert [p.currency for p in silent.positions] == [b.currency for b in silent.balances] == [""]
    assert [(n.message, n.head) for n in silent.guessed] == [
        ("own.csv names no currency in 2 rows: the base currency is used.", True)
    ]


def test_a_price_of_0_is_none_and_a_count_of_0_stays():
    statement = read("A;;0;0.00;;;USD;")

    assert [(p.quantity, p.price) for p in statement.positions] == [(0, None)]


def test_a_header_without_a_column_or_with_it_twice_is_refused_by_line():
    cases = {
        "Symbol;Name;Price\n": "line 1 has no column 'shares'",
        "Symbol;Shares;Units;Price\n": "'Shares' and 'Units', which mean the same",
        "Symbol;Shares;Price;Symbol\n": "'Symbol' and 'Symbol', which mean the same",
        "Ticker;Count\n": "has no header of Invented positions",
    }
    messages = {}
    for header in cases:
        with pytest.raises(InputError, match="Nothing was planned") as error:
            read("A;1;1", header=header)
        messages[header] = str(error.value)
        assert error.value.faults[0].place.startswith("own.csv")

    assert {h: m for h, m in messages.items() if cases[h] not in m} == {}


def test_names_and_accounts_are_kept_on_one_line_and_cut():
    statement = read(f"A;{'x' * 500}\u202e;3;1.5;;;USD;\x1b[31mRoth")

    assert len(statement.positions[0].name) == 120
    assert statement.positions[0].account == "\\u001b[31mRoth"


def test_a_few_words_without_numbers_are_no_footer():
    assert codes("A FUND OF MANY WORDS;;;;;;;") == [(2, "missing", "Shares")]
