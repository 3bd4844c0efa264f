"""Fidelity positions: core cash, pending rows, options, accounts, footers."""

from datetime import date
from decimal import Decimal

from builders import exports
from steelyard.importers.statement import Statement

HUNDREDTH = "its value is a hundredth of quantity times price"
FILES = exports.FILES / "fidelity"


def read(name: str, *changes: tuple[str, str]) -> Statement:
    """A fixture, with changes of its text."""
    text = exports.source(FILES / name).text
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return exports.form("fidelity").read(exports.source(FILES / name, text))


def test_holdings_an_option_and_a_bond_are_read_beside_core_cash():
    statement = read("plain.csv")

    rows = [(p.symbol, p.quantity, p.price, p.average_cost, p.product_type, p.multiplier)
            for p in statement.positions]  # fmt: skip
    assert rows == [
        ("VTI", Decimal("60.125"), Decimal("300.20"), Decimal("249.48"), "", None),
        ("BRKB", 4, Decimal("496.20"), 400, "", None),
        ("AAPL260116C00250000", -1, Decimal("4.15"), Decimal("4.55"), "OPTION", 100),
        ("91282CHT1", 3000, Decimal("98.766"), 97, "BOND", Decimal("0.01")),
    ]
    assert [(n.message, n.head) for n in statement.guessed] == [
        (f"91282CHT1 is read as a bond quoted per 100: {HUNDREDTH}.", True),
    ]  # fmt: skip
    assert statement.as_of == date(2026, 1, 9)


def test_pending_money_arrives_on_the_next_weekday_and_is_settled_where_no_day_is_known():
    friday, none = read("plain.csv"), read("plain.csv", ("Date downloaded", "Downloaded"))

    assert [(b.label, b.amount, b.settles) for b in friday.balances] == [
        ("SPAXX**", Decimal("5210.44"), None),
        ("Pending Activity", Decimal("480.10"), date(2026, 1, 12)),
    ]
    assert [b.settles for b in none.balances] == [None, None]
    assert {"pending_settled", "may_be_cut"} <= {n.code for n in none.guessed if n.head}


def test_several_accounts_a_comma_more_in_each_row_and_n_a_are_read():
    statement = read("accounts.csv")

    assert [(p.account, p.symbol, p.quantity, p.average_cost) for p in statement.positions] == [
        ("Z11223344", "FXAIX", Decimal("10.5"), None), ("220033445", "FXAIX", 2, 200),
    ]  # fmt: skip
    assert [(b.account, b.label, b.amount) for b in statement.balances] == [
        ("Z11223344", "FCASH**", 100), ("220033445", "FDRXX**", 0),
    ]  # fmt: skip
    assert statement.as_of == date(2026, 1, 9)


def test_last_years_header_in_cp1252_is_read():
    statement = read("last_year.csv")

    assert [(p.account, p.symbol, p.average_cost) for p in statement.positions] == [
        ("Z11223344", "VXUS", Decimal("58.3333"))
    ]
    assert statement.positions[0].name.endswith("ETF \u2013 DIST")


def test_an_account_without_rows_has_its_footer_passed_over():
    statement = read("empty.csv")

    assert (statement.positions, statement.balances, statement.guessed) == ((), (), ())
    assert len(statement.passed) == 3


def test_a_row_without_its_last_cells_and_a_row_without_a_count_are_refused():
    short = read("plain.csv", (",7.02%,$1600.00,$400.00,Margin", ""))
    bare = read("plain.csv", (",BERKSHIRE HATHAWAY INC COM USD0.0033 CLASS B,4,", ",BERKSHIRE,--,"))

    assert [(row.line, row.code) for row in short.rejected] == [(4, "cells")]
    assert [(row.line, row.code, row.column) for row in bare.rejected] == [
        (4, "missing", "Quantity")
    ]
