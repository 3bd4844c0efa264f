"""Interactive Brokers, activity statement: what is read of its many tables, and what is refused."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D

import pytest

from builders.each import each
from builders.statements import answer, cash, changed, codes, fixture, of_text, owned, statement
from steelyard.errors import InputError
from steelyard.importers.statement import Statement

FORM = "ibkr_activity"


def test_positions_lots_and_settled_cash_are_read():
    read = statement(FORM, "plain.csv")

    assert owned(read) == [
        ("BRK.B", D(10), "USD", D(500), D(290)),
        ("BRK.B", D(5), "USD", D(500), D(320)),
        ("VOD", D(2000), "GBP", D("0.712"), D("0.82")),
        ("IWDA", D("12.5"), "EUR", D(100), D(80)),
        ("T.4.1/8.11/15/32", D(10000), "USD", D("98.5"), D("97.2")),
        ("AAPL260116C00250000", D(-2), "USD", D("4.15"), D("4.55")),
        ("ESH6", D(1), "USD", D(6900), D(6800)),
    ]
    account = "U0000001"
    assert cash(read) == [
        (account, "EUR", D("1022.37"), None),
        (account, "USD", D("512.4"), None),
        (account, "USD", D(1000), "2026-01-02"),
    ]
    assert (read.as_of, read.base, read.complete) == (date(2025, 12, 31), "EUR", True)
    assert (read.rejected, codes(read)) == ((), ["settles_guessed"])


def test_types_multipliers_values_names_and_days_come_from_where_the_statement_has_them():
    rows = {row.symbol: row for row in reversed(statement(FORM, "plain.csv").positions)}

    kinds = {name: (row.product_type, row.multiplier, row.value) for name, row in rows.items()}
    assert kinds == {
        "BRK.B": ("EQUITY", 1, 5000),
        "VOD": ("", 1, 1424),
        "IWDA": ("ETF", 1, 1250),
        # a face of 10,000 at 98.5 per 100 is 9,850, though the column Mult says 1
        "T.4.1/8.11/15/32": ("BOND", D("0.01"), 9850),
        "AAPL260116C00250000": ("OPTION", 100, -830),
        # its Value is the notional
        "ESH6": ("FUTURE", 50, None),
    }
    first = rows["BRK.B"]
    assert (first.acquired, first.isin) == (date(2021, 3, 4), "US0846707026")
    assert rows["IWDA"].name == "ISHARES CORE MSCI WORLD"
    assert rows["T.4.1/8.11/15/32"].name == "T 4 1/8 11/15/32"  # as the broker writes it


def test_accounts_are_read_apart_and_the_base_summary_only_where_it_is_all_there_is():
    both, alone = statement(FORM, "two_accounts.csv"), statement(FORM, "older.csv")

    assert [(row.account, row.symbol, row.quantity) for row in both.positions] == [
        ("U0000001", "KO", 10),
        ("U0000002", "KO", 5),
    ]
    assert cash(both) == [("U0000001", "USD", 100, None), ("U0000002", "USD", D("-20.5"), None)]
    assert cash(alone) == [("U0000003", "CHF", D("250.5"), None)]


def test_one_symbol_of_two_securities_has_no_name_and_its_listings_are_not_mixed():
    plain = fixture(FORM, "plain.csv")
    info = "Financial Instrument Information,Data,Stocks,BRK B,"
    second = f"{info}ANOTHER COMPANY,1,GB0000000009,BRK B,LSE,1,COMMON,\n{info}"
    listed = "Open Positions,Data,Summary,Stocks,GBP,VOD"
    both = f"{listed.replace('GBP,VOD', 'GBP,BRK B')},-,7,1,3,21,4,28,7,,\n{listed}"
    read = answer(FORM, changed(changed(plain, info, second), listed + ",-", both + ",-"))

    assert isinstance(read, Statement)
    rows = [row for row in read.positions if row.symbol == "BRK.B"]
    assert [(row.currency, row.quantity, row.name, row.product_type) for row in rows] == [
        ("USD", 10, "", ""),
        ("USD", 5, "", ""),
        ("GBP", 7, "", ""),
    ]
    assert read.rejected == ()


def test_an_account_without_positions_is_empty_and_one_without_cash_is_said_to_be_so():
    empty = statement(FORM, "empty.csv")
    plain = fixture(FORM, "plain.csv")
    kept_out = [line for line in plain.text.splitlines(True) if not line.startswith("Cash Report")]
    without = answer(FORM, of_text(plain, "".join(kept_out)))

    assert (empty.positions, cash(empty), empty.complete) == (
        (), [("U0000004", "EUR", 0, None)], True,
    )  # fmt: skip
    assert isinstance(without, Statement)
    assert (without.balances, without.complete) == ((), False)
    assert codes(without) == ["cash_unknown"]


def test_another_language_is_refused_with_what_to_do():
    with pytest.raises(InputError, match="Set the language to English") as refusal:
        statement(FORM, "german.csv")

    assert refusal.value.faults[0].code == "no_section"


def test_an_end_inside_the_positions_is_said_first():
    plain = fixture(FORM, "plain.csv")
    cut = answer(FORM, of_text(plain, plain.text.partition("Open Positions,Data,Summary,Bonds")[0]))

    assert isinstance(cut, Statement)
    assert codes(cut) == ["cash_unknown", "may_be_cut"]


def test_what_cannot_be_so_is_refused_by_line_or_with_both_readings():
    cases = {
        "lots that are not the whole": (
            "USD,BRK B,-,15", "USD,BRK B,-,16", 13, "the lots of 'BRK B'",
        ),
        "unknown category": ("Summary,Bonds", "Summary,Perpetuals", 20, "asset category"),
        "no number": ("EUR,IWDA,-,12.5", "EUR,IWDA,-,twelve", 18, "not a number"),
        "no quantity": ("EUR,IWDA,-,12.5", "EUR,IWDA,-,", 18, "Quantity is missing"),
        "cells too many": (",1250,250,25,", ",1250,250,25,,,9", 18, "cells where the header"),
        "currency twice": ("Ending Cash,USD", "Ending Cash,EUR", 30, "stands on line 28 already"),
        "another kind of row": ("Data,Summary,Bonds", "Date,Summary,Bonds", 20, "no kind of row"),
        "neither summary nor lot": (
            "Data,Summary,Futures", "Data,Whole,Futures", 23, "neither Summary nor Lot",
        ),
    }  # fmt: skip

    def check(old: str, new: str, line: int, words: str) -> None:
        read = answer(FORM, changed(fixture(FORM, "plain.csv"), old, new))
        assert isinstance(read, Statement), read
        assert [row.line for row in read.rejected] == [line], read.rejected
        assert words in read.rejected[0].reason

    each(cases, check)


def test_a_period_that_is_not_read_and_columns_that_are_not_there_refuse_the_file():
    cases = {
        "period": ("December 31, 2025\"", "31. Dezember 2025\"", "bad_period"),
        "a day that is not": ("December 31, 2025\"", "December 32, 2025\"", "bad_period"),
        "column": ("Close Price,Value", "Schlusskurs,Value", "no_column"),
    }  # fmt: skip

    def check(old: str, new: str, code: str) -> None:
        error = answer(FORM, changed(fixture(FORM, "plain.csv"), old, new))
        assert isinstance(error, InputError)
        assert (error.faults[0].code, "Nothing was planned." in str(error)) == (code, True)

    each(cases, check)


def test_days_of_several_statements_must_agree():
    plain = fixture(FORM, "two_accounts.csv")
    error = answer(FORM, of_text(plain, plain.text + plain.text.replace("January 9", "January 8")))

    assert isinstance(error, InputError)
    assert "2026-01-08 and 2026-01-09" in str(error)


def test_trades_without_positions_are_no_account_of_cash_alone():
    plain = fixture(FORM, "plain.csv")
    rows = [row for row in plain.text.splitlines() if not row.startswith("Open Positions")]
    trade = "Trades,Header,DataDiscriminator,Symbol\nTrades,Data,Order,VOD\n"

    read = answer(FORM, of_text(plain, trade + "\n".join(rows)))

    assert isinstance(read, InputError)
    assert read.fault.code == "no_positions"
    assert isinstance(answer(FORM, of_text(plain, "\n".join(rows))), Statement)
