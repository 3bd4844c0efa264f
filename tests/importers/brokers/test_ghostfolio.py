"""Ghostfolio: activities folded, cash of the accounts, drafts passed over."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D

from builders.each import each
from builders.statements import answer, cash, changed, codes, fixture, owned, statement
from steelyard.errors import InputError
from steelyard.importers.brokers import ghostfolio
from steelyard.importers.statement import Statement

FORM = "ghostfolio"


def test_activities_are_folded_and_cash_is_what_the_accounts_say():
    read = statement(FORM, "plain.json")

    assert owned(read) == [
        ("VWCE.DE", D(6), "EUR", None, D("100.5")),
        ("VOD.L", D(2000), "GBP", None, D("0.82")),
        ("BITCOIN", D("0.05"), "USD", None, D(60000)),
        ("0P0000ABCD.F", D(3), "EUR", None, D(20)),
    ]
    assert cash(read) == [("Depot", "EUR", D("1022.37"), None), ("Savings", "USD", D(250), None)]
    assert [(row.account, row.product_type, row.line) for row in read.positions] == [
        ("Depot", "ETF", 16),
        ("Depot", "EQUITY", 18),
        ("Savings", "CRYPTO", 19),
        ("Savings", "MUTUALFUND", 20),
    ]
    fund = read.positions[0]
    assert (fund.isin, fund.name, fund.acquired) == (
        "IE00BK5BQT80", "Vanguard FTSE All-World", date(2024, 3, 4),
    )  # fmt: skip
    assert (fund.last_sold, fund.sold_at_loss, read.base) == (date(2025, 3, 4), False, "EUR")


def test_drafts_after_the_export_are_passed_over_and_counted():
    read = statement(FORM, "plain.json")

    assert [(row.line, row.what) for row in read.passed] == [
        (21, "dividend activity"),
        (22, "fee activity"),
        (23, "draft dated after the export"),
    ]
    assert read.as_of == date(2025, 3, 7)


def test_an_activity_of_the_moment_of_the_export_is_no_draft():
    read = ghostfolio.read(
        changed(fixture(FORM, "plain.json"), "2026-06-01T00:00:00.000Z", "2026-01-09T12:00:00.000Z")
    )

    assert 23 not in [row.line for row in read.passed]
    assert sum(row.quantity for row in read.positions if row.symbol == "VWCE.DE") == 106


def test_an_export_without_accounts_or_profiles_is_read_without_cash():
    read = statement(FORM, "older.json")

    assert owned(read) == [("MSFT", D(5), "USD", None, D(200))]
    assert (read.balances, read.complete, codes(read)) == ((), False, ["cash_unknown"])


def test_an_empty_account_is_of_the_day_of_its_export():
    read = statement(FORM, "empty.json")

    assert (read.positions, cash(read), read.as_of) == (
        (), [("Depot", "EUR", 0, None)], date(2026, 1, 9),
    )  # fmt: skip


def test_two_accounts_of_one_name_are_told_apart():
    read = answer(FORM, changed(fixture(FORM, "plain.json"), '"Savings"', '"Depot"'))

    assert isinstance(read, Statement)
    assert {row.account for row in read.balances} == {"Depot 11111111", "Depot 22222222"}


def test_what_cannot_be_so_is_refused_by_line():
    cases = {
        "more sold than bought": ('"quantity": 4,', '"quantity": 40,', 17, "leave 10"),
        "an unknown type": ('"type": "SELL"', '"type": "SWAP"', 17, "may move shares"),
        "no currency": (
            '"unitPrice": 82, "currency": "GBp"', '"unitPrice": 82, "currency": "G"', 18,
            "not a currency",
        ),
        "no price": ('"unitPrice": 82,', '"unitPrice": null,', 18, "unitPrice"),
        "a price below nothing": ('"unitPrice": 82,', '"unitPrice": -82,', 18, "below 0"),
        "no quantity": ('"quantity": 2000,', '"quantity": NaN,', 18, "quantity"),
        "an asset without a symbol": (
            '{ "YAHOO": "0P0000ABCD.F" }', "{}", 20, "ISIN or a symbol mapping",
        ),
        "no date": ('"2025-03-05T00:00:00.000Z"', '"05.03.2025"', 18, "is not a time"),
        "no balance": ('"balance": 250,', '"balance": "much",', 5, "balance"),
    }  # fmt: skip

    def check(old: str, new: str, line: int, words: str) -> None:
        read = answer(FORM, changed(fixture(FORM, "plain.json"), old, new))
        assert isinstance(read, Statement), read
        reasons = {row.line: row.reason for row in read.rejected}
        assert words in reasons.get(line, ""), reasons

    each(cases, check)


def test_what_is_no_export_is_refused_with_what_to_do():
    cases = {
        "cut": ('"user": { "settings"', '"user": { "settings', "not whole JSON"),
        "no day": ('"date": "2026-01-09T12:00:00.000Z", "version"', '"version"', "meta.date"),
        "accounts of another kind": (
            '"platforms": []', '"platforms": [], "accounts": 5', "accounts is no list",
        ),
    }  # fmt: skip

    def check(old: str, new: str, words: str) -> None:
        error = answer(FORM, changed(fixture(FORM, "plain.json"), old, new))
        assert isinstance(error, InputError), error
        assert words in str(error)
        assert "Export it again" in str(error)

    each(cases, check)
