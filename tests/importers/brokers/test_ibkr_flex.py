"""Interactive Brokers, Flex queries: XML and CSV say the same, and nothing unsafe is parsed."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import date
from decimal import Decimal as D

import pytest

from builders.each import each
from builders.statements import answer, cash, changed, codes, fixture, of_text, owned, statement
from steelyard.errors import InputError, LimitExceeded, SteelyardError
from steelyard.importers.brokers import ibkr_flex
from steelyard.importers.statement import Position, Source, Statement

FORM = "ibkr_flex"


def test_positions_lots_and_settled_cash_are_read():
    read = statement(FORM, "plain.xml")

    assert owned(read) == [
        ("BRK.B", D(10), "USD", D(500), D(290)),
        ("BRK.B", D(5), "USD", D(500), D(320)),
        ("IWDA", D("12.5"), "EUR", D(100), D(80)),
        ("T.4.1/8.11/15/32", D(10000), "USD", D("98.5"), D("97.2")),
        ("AAPL260116C00250000", D(-2), "USD", D("4.15"), D("4.55")),
        ("ESH6", D(1), "USD", D(6900), D(6800)),
    ]
    assert [(row.product_type, row.multiplier, row.value) for row in read.positions] == [
        ("EQUITY", 1, 5000),
        ("EQUITY", 1, 2500),
        ("ETF", 1, 1250),
        ("BOND", D("0.01"), 9850),
        ("OPTION", 100, -830),
        ("FUTURE", 50, None),
    ]
    assert cash(read) == [
        ("U0000001", "EUR", D("1022.37"), None),
        ("U0000001", "USD", D("512.4"), None),
        ("U0000001", "USD", D(1000), "2026-01-13"),
    ]
    assert read.positions[0].acquired == date(2021, 3, 4)
    assert (read.as_of, read.base, read.rejected) == (date(2026, 1, 9), "EUR", ())
    assert [row.line for row in read.positions] == [13, 14, 15, 16, 17, 18]


def test_equal_lots_of_one_day_are_one_lot():
    plain = fixture(FORM, "plain.csv")
    lot = next(line for line in plain.text.splitlines(True) if "20230506" in line)
    halves = lot.replace('"5","500","2500"', '"2","500","1000"') + lot.replace(
        '"5","500","2500"', '"3","500","1500"'
    )
    read = answer(FORM, changed(plain, lot, halves))

    assert isinstance(read, Statement)
    assert owned(read) == owned(statement(FORM, "plain.csv"))
    assert read.positions[1].value == 2500


def test_lots_without_a_summary_are_the_holding():
    plain = fixture(FORM, "plain.csv")
    summary = next(line for line in plain.text.splitlines(True) if '"15","500"' in line)
    read = answer(FORM, changed(plain, summary, ""))

    assert isinstance(read, Statement)
    assert owned(read) == owned(statement(FORM, "plain.csv"))


def test_a_sum_and_its_lots_that_do_not_say_what_they_are_are_not_counted_twice():
    plain = fixture(FORM, "plain.csv")
    text = plain.text.replace('"LevelOfDetail"', '"Level"').replace('"SUMMARY"', '""')
    read = answer(FORM, of_text(plain, text))

    assert isinstance(read, Statement)
    assert [(row.line, row.code) for row in read.rejected] == [(2, "two_readings")]
    assert "LevelOfDetail" in read.rejected[0].hint


def test_lots_under_another_isin_than_their_sum_are_not_counted_beside_it():
    plain = fixture(FORM, "plain.csv")
    first, _, rest = plain.text.partition("\n")
    whole, _, lots = rest.partition("\n")
    read = answer(FORM, of_text(plain, "\n".join([first, whole.replace("US08", "US09"), lots])))

    assert isinstance(read, Statement)
    assert [(row.line, row.code) for row in read.rejected] == [(2, "lots_differ")]


def test_csv_says_what_xml_says():
    def bare(row: Position) -> Position:
        return replace(row, line=0)

    xml, csv = statement(FORM, "plain.xml"), statement(FORM, "plain.csv")

    assert [*map(bare, csv.positions)] == [*map(bare, xml.positions)]
    assert (cash(csv), csv.as_of) == (cash(xml), xml.as_of)
    assert [row.what for row in csv.passed] == ["row of another section"]


def test_only_the_last_day_of_an_account_counts():
    read = statement(FORM, "two_accounts_two_days.xml")

    assert [(row.account, row.quantity, row.price) for row in read.positions] == [
        ("U0000001", 10, 70),
        ("U0000002", 5, 70),
    ]
    assert [(row.line, row.what) for row in read.passed] == [(5, "row of an earlier day")]
    assert (codes(read), read.complete) == (["cash_unknown"], False)


def test_a_csv_with_records_is_read():
    assert owned(statement(FORM, "records.csv")) == [("KO", D(3), "USD", D(70), D(50))]


def test_trades_without_positions_are_folded_and_their_cash_is_not_known():
    csv, xml = statement(FORM, "trades_folded.csv"), statement(FORM, "trades_folded.xml")

    assert owned(csv) == [
        ("US1912161007", D(6), "USD", None, D(60)),
        ("IE00BK5BQT80", D(0), "EUR", None, None),
    ]
    assert owned(xml) == [("KO", D(6), "USD", None, D(60))]
    assert [(row.last_bought, row.last_sold, row.sold_at_loss) for row in csv.positions] == [
        (date(2024, 1, 4), date(2024, 3, 5), True),
        (date(2024, 2, 1), date(2024, 4, 1), False),
    ]
    assert [[row.line for row in read.passed] for read in (csv, xml)] == [[4], [6]]
    for read in (csv, xml):
        assert codes(read) == ["folded", "cash_unknown"]
        assert (read.complete, read.balances, read.rejected) == (False, (), ())
    assert ibkr_flex.recognises(fixture(FORM, "trades_folded.csv"))


def test_trades_that_cannot_be_folded_are_refused_by_line():
    csv, xml = fixture(FORM, "trades_folded.csv"), fixture(FORM, "trades_folded.xml")
    action = '<CorporateActions><CorporateAction symbol="KO" quantity="10" /></CorporateActions>'
    cases = {
        "more sold than bought": (csv, '"-4"', '"-14"', 2, "negative_position"),
        "a cancelled trade": (csv, '"SELL","20240305"', '"SELL (Ca.)","20240305"', 2, "bad_row"),
        "bought or sold": (csv, '"10"', '"-10"', 3, "two_readings"),
        "a date with slashes": (csv, "20240104", "01/04/2024", 3, "bad_date"),
        "a cell too few": (csv, ',"-1","USD"\n"BUY"', ',"-1"\n"BUY"', 2, "bad_row"),
        "a corporate action": (xml, "</Trades>", f"</Trades>\n{action}", 9, "no_rule"),
    }

    def check(source: Source, old: str, new: str, line: int, code: str) -> None:
        read = ibkr_flex.read(changed(source, old, new))
        assert (line, code) in [(row.line, row.code) for row in read.rejected]

    each(cases, check)
    orders = changed(xml, 'levelOfDetail="EXECUTION"', 'levelOfDetail="ORDER"')
    with pytest.raises(InputError, match="Choose Executions"):
        ibkr_flex.read(orders)


def test_unsafe_and_damaged_xml_is_refused_before_it_is_parsed():
    plain = fixture(FORM, "plain.xml")
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    root, outside = "<FlexQueryResponse", '<!DOCTYPE x SYSTEM "file:///etc/passwd">'
    cases = {
        "entities": (changed(plain, root, bomb + root), "unsafe_xml"),
        "a file from outside": (changed(plain, root, outside + root), "unsafe_xml"),
        "cut": (of_text(plain, plain.text[:2000]), "bad_xml"),
    }  # fmt: skip

    def check(source: object, code: str) -> None:
        error = answer(FORM, source)  # type: ignore[arg-type]
        assert isinstance(error, InputError), error
        assert error.faults[0].code == code

    each(cases, check)


def test_xml_over_the_cap_is_refused_with_both_sizes(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ibkr_flex, "MOST_CHARACTERS", 1000)

    with pytest.raises(LimitExceeded, match="at most 1,000 are read"):
        statement(FORM, "plain.xml")


def test_without_ibflex_the_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "ibflex.parser", None)

    with pytest.raises(InputError, match=r"pip install 'ibflex\[web\]>=1\.1,<2'"):
        statement(FORM, "plain.xml")
    assert statement(FORM, "plain.csv").positions


def test_what_cannot_be_so_is_refused_by_line():
    cases = {
        "a date that may be of two days": (
            "plain.csv", "20210304;103000", "03/04/2021", 3, "yyyy-MM-dd",
        ),
        "the same in XML": ("plain.xml", "2021-03-04;103000", "03/04/2021", 13, "yyyy-MM-dd"),
        "a side against the sign": (
            "plain.xml", 'position="-2"', 'position="2"', 17, "long or short",
        ),
        "an unknown kind": ("plain.xml", 'assetCategory="FUT"', 'assetCategory="XYZ"', 18, "XYZ"),
        "an unknown currency": (
            "plain.xml", 'currency="EUR" assetCategory', 'currency="EURO" assetCategory', 15,
            "EURO",
        ),
        "no number": ("plain.xml", 'markPrice="6900"', 'markPrice="NaN"', 18, "markPrice"),
        "no position": ("plain.xml", 'position="12.5"', 'position=""', 15, "position is missing"),
        "lots that are not the whole": (
            "plain.xml", 'position="15"', 'position="16"', 12, "the lots of 'BRK B'",
        ),
    }  # fmt: skip

    def check(file: str, old: str, new: str, line: int, words: str) -> None:
        read = answer(FORM, changed(fixture(FORM, file), old, new))
        assert isinstance(read, Statement), read
        assert words in " ".join(row.reason for row in read.rejected), read.rejected
        assert line in [row.line for row in read.rejected]

    each(cases, check)


def test_a_long_text_in_a_field_is_not_repeated_whole():
    long = "QX7" * 60
    read = answer(
        FORM, changed(fixture(FORM, "plain.xml"), 'position="12.5"', f'position="{long}"')
    )

    assert isinstance(read, Statement | SteelyardError)
    said = " ".join(str(row) for row in read.rejected) if isinstance(read, Statement) else str(read)
    assert long[:41] not in said


def test_cash_and_trades_without_positions_are_no_account_of_cash_alone():
    plain, trades = fixture(FORM, "plain.csv"), fixture(FORM, "trades.csv")
    header = next(k for k, line in enumerate(plain.text.splitlines()) if "EndingCash" in line)
    report = "\n".join(plain.text.splitlines()[header:])
    read = answer(FORM, of_text(plain, f"{report}\n{trades.text}"))

    assert isinstance(read, InputError)
    assert read.fault.code == "no_positions"
