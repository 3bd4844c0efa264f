"""OFX and QFX: positions, transactions folded where there are none, and whole files only."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import date
from decimal import Decimal as D

import pytest

from builders.each import each
from builders.statements import answer, cash, changed, codes, fixture, of_text, owned, statement
from steelyard.errors import InputError, LimitExceeded
from steelyard.importers.ofx import tree as ofx_tree
from steelyard.importers.statement import Statement

FORM = "ofx"


def test_positions_of_every_kind_are_read_by_their_tickers():
    read = statement(FORM, "plain.ofx")

    assert owned(read) == [
        ("BRK/B", D(15), "USD", D(500), None),
        ("KO", D(-10), "USD", D(70), None),
        ("VTSAX", D("20.125"), "USD", D(150), None),
        ("91282CFV8", D(10000), "USD", D("98.5"), None),
        ("AAPL260116C00250000", D(-2), "USD", D("4.15"), None),
        ("999999999", D(3), "USD", D(10), None),
    ]
    assert [(row.product_type, row.multiplier, row.value) for row in read.positions] == [
        ("", None, 7500),
        ("", None, -700),
        ("MUTUALFUND", None, D("3018.75")),
        ("BOND", D("0.01"), 9850),
        ("OPTION", 100, -830),
        ("OTHER", None, 30),
    ]
    assert cash(read) == [("A-1", "USD", D("1022.37"), None)]
    assert (read.as_of, read.base, read.rejected) == (date(2026, 1, 9), "USD", ())
    assert read.positions[0].name == "Berkshire & Co"


def test_holdings_without_a_ticker_go_by_their_id_and_are_named_first():
    (notice,) = statement(FORM, "plain.ofx").guessed

    assert (notice.code, notice.head) == ("no_ticker", True)
    assert notice.message.startswith("91282CFV8, 999999999: the file has no ticker")


def test_xml_with_decimal_commas_and_another_currency_is_read_by_account():
    read = statement(FORM, "two_accounts.qfx")

    assert owned(read) == [
        ("IE00BK5BQT80", D("205.2935"), "EUR", D("128.40"), D("102.4")),
        ("KO", D(4), "USD", D(70), None),
    ]
    assert [(row.account, row.isin, row.name) for row in read.positions] == [
        ("A-1", "IE00BK5BQT80", ""),
        ("A-2", "", "Coca-Cola <Co>"),
    ]
    assert cash(read) == [("A-1", "EUR", D("100.5"), None), ("A-2", "EUR", D(0), None)]
    assert codes(read) == ["margin_balance", "no_ticker"]


def test_transactions_alone_are_folded():
    read = statement(FORM, "transactions.ofx")

    assert owned(read) == [
        # 10 at 200 and .25 at 220 by reinvestment, split 4:1, 20 sold
        ("AAPL", D(20), "USD", None, D(50)),
        ("AAPL", D(1), "USD", None, D(55)),
        ("KO", D(8), "USD", None, D(50)),
    ]
    assert [row.acquired for row in read.positions] == [
        date(2024, 1, 3), date(2024, 7, 1), date(2020, 1, 1),
    ]  # fmt: skip
    apple = read.positions[0]
    assert (apple.last_bought, apple.last_sold, apple.sold_at_loss) == (
        date(2024, 7, 1), date(2025, 8, 1), True,
    )  # fmt: skip
    # 5000 - 2005 + 2.5 + 895 - 1.5
    assert cash(read) == [("A-1", "USD", D(3891), None)]
    assert (read.as_of, codes(read)) == (date(2025, 10, 1), ["folded"])


def test_cash_of_a_fold_is_the_balance_that_the_file_states():
    cut = changed(fixture(FORM, "transactions.ofx"), "</INVTRANLIST>",
                  "</INVTRANLIST><INVBAL><AVAILCASH>7</INVBAL>")  # fmt: skip
    read = answer(FORM, cut)

    assert isinstance(read, Statement)
    assert cash(read) == [("A-1", "USD", D(7), None)]


def test_a_list_of_positions_without_a_balance_knows_no_cash():
    plain = fixture(FORM, "plain.ofx")
    balance = plain.text[plain.text.index("<INVBAL>") : plain.text.index("</INVBAL>") + 9]
    read = answer(FORM, changed(plain, balance, ""))

    assert isinstance(read, Statement)
    assert (read.balances, read.complete, "cash_unknown" in codes(read)) == ((), False, True)


def test_an_empty_account_is_read_and_a_bank_account_refused():
    assert cash(statement(FORM, "empty.ofx")) == [("A-9", "USD", D(0), None)]
    with pytest.raises(InputError, match="is the statement of a bank account or card"):
        statement(FORM, "bank.ofx")


def test_what_cannot_be_so_is_refused_by_line():
    plain, trades = "plain.ofx", "transactions.ofx"
    cases = {
        "no units": (plain, "<UNITS>20.125", "", 22, "UNITS is missing"),
        "units of no number": (plain, "<UNITS>20.125", "<UNITS>1.234,5", 22, "UNITS"),
        "long or short": (plain, "LONG<UNITS>15<", "LONG<UNITS>-15<", 19, "long or short"),
        "no side": (plain, "LONG<UNITS>15<", "BOTH<UNITS>15<", 19, "neither LONG nor SHORT"),
        "a day that is not": (
            plain, "<MKTVAL>7500<DTPRICEASOF>20260109160000",
            "<MKTVAL>7500<DTPRICEASOF>20261309160000", 19, "not a day",
        ),
        "no cash": (plain, "<AVAILCASH>1022.37", "<AVAILCASH>some", 27, "AVAILCASH"),
        "more sold than there is": (trades, "<UNITS>-20<", "<UNITS>-50<", 18, "leave 41"),
        "a short sale": (trades, "<SELLTYPE>SELL<", "<SELLTYPE>SELLSHORT<", 18, "short sale"),
        "two ratios": (trades, "<NUMERATOR>4", "<NUMERATOR>3", 17, "which is it"),
        "a number twice": (trades, "<FITID>9", "<FITID>7", 21, "stands on line 19 already"),
        "a transfer nowhere": (
            trades, "<TFERACTION>IN", "<TFERACTION>UP", 19, "neither IN nor OUT",
        ),
    }  # fmt: skip

    def check(file: str, old: str, new: str, line: int, words: str) -> None:
        read = answer(FORM, changed(fixture(FORM, file), old, new))
        assert isinstance(read, Statement), read
        reasons = {row.line: row.reason for row in read.rejected}
        assert words in reasons.get(line, ""), reasons

    each(cases, check)


def test_a_transaction_that_is_not_folded_is_refused_by_line():
    trades = fixture(FORM, "transactions.ofx")
    text = trades.text.replace("<BUYSTOCK>", "<BUYOPT>").replace("</BUYSTOCK>", "</BUYOPT>")
    read = answer(FORM, of_text(trades, text))

    assert isinstance(read, Statement)
    assert (14, "unknown_action") in [(row.line, row.code) for row in read.rejected]


def test_a_file_whose_tags_do_not_close_in_order_is_refused_where_they_do_not():
    cases = {
        "cut": ("</SECLIST></SECLISTMSGSRSV1>\n</OFX>", "", "it ends before"),
        "a tag of small letters": ("<UNITS>20.125", "<units>20.125", "line 22"),
        "closed out of order": (
            "</INVPOS><REINVDIV>Y</POSMF>", "</POSMF><REINVDIV>Y</INVPOS>", "line 22",
        ),
        "half a tag": ("</POSMF>", "</POSMF", "line 22"),
        "no root": ("<OFX>", "<OFC>", "no <OFX>"),
        "another header": ("OFXHEADER:100", "OFXHEADER:999", "is not whole OFX"),
    }  # fmt: skip

    def check(old: str, new: str, words: str) -> None:
        error = answer(FORM, changed(fixture(FORM, "plain.ofx"), old, new))
        assert isinstance(error, InputError), error
        assert words in str(error)
        assert len(str(error)) < 500

    each(cases, check)


def test_without_ofxtools_the_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "ofxtools.Parser", None)

    with pytest.raises(InputError, match=r"pip install 'ofxtools>=1\.1,<2'"):
        statement(FORM, "plain.ofx")


def test_a_file_over_the_cap_is_refused_with_both_sizes(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ofx_tree, "MOST_BYTES", 1000)

    with pytest.raises(LimitExceeded, match="at most 1,000 are read"):
        statement(FORM, "plain.ofx")


def test_characters_are_decoded_as_the_header_says():
    plain = fixture(FORM, "plain.ofx")
    coded = plain.content.replace(b"Coca-Cola", "Coca-Côla".encode("cp1252"))
    read = answer(FORM, replace(plain, content=coded))

    assert isinstance(read, Statement)
    assert read.positions[1].name == "Coca-Côla"


def test_a_short_position_is_negative_whichever_way_the_bank_signs_it():
    for units in ("<UNITS>-10<", "<UNITS>10<"):
        read = answer(FORM, changed(fixture(FORM, "plain.ofx"), "<UNITS>-10<", units))
        assert isinstance(read, Statement)
        assert read.positions[1].quantity == -10, units
