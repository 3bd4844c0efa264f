"""Schwab positions: one account, all accounts, options, bonds, cash, and what is refused."""

from datetime import date
from decimal import Decimal

from builders import exports
from steelyard.importers.statement import Statement

FILES = exports.FILES / "schwab"


def read(name: str, *changes: tuple[str, str]) -> Statement:
    """A fixture, with changes of its text."""
    text = exports.source(FILES / name).text
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return exports.form("schwab").read(exports.source(FILES / name, text))


def test_holdings_bonds_options_and_cash_are_read_from_one_account():
    statement = read("plain.csv")

    rows = [(p.symbol, p.quantity, p.price, p.average_cost, p.product_type, p.multiplier)
            for p in statement.positions]  # fmt: skip
    assert rows == [
        ("SCHB", Decimal("1250.5"), Decimal("26.90"), Decimal(20), "ETF", None),
        ("BRK/B", 12, Decimal("496.20"), Decimal("341.70"), "EQUITY", None),
        ("AAPL260116C00250000", -2, Decimal("4.15"), Decimal("4.55"), "OPTION", 100),
        ("91282CHT1", 20000, Decimal("98.7656"), 97, "BOND", Decimal("0.01")),
    ]
    assert [(b.label, b.currency, b.amount) for b in statement.balances] == [
        ("SWVXX", "USD", Decimal("1450.31")), ("Cash & Cash Investments", "USD", 2000),
    ]  # fmt: skip
    assert {p.account for p in statement.positions} == {"Individual ...407"}
    assert (statement.as_of, statement.base) == (date(2026, 1, 9), "USD")
    assert [row.what for row in statement.passed] == ["line above the table", "total row"]
    assert statement.guessed == ()  # what is cash is said by the book, once for all forms


def test_last_years_header_and_date_are_read():
    statement = read("last_year.csv")

    assert [(p.symbol, p.quantity, p.average_cost) for p in statement.positions] == [
        ("VEA", 40, Decimal("42.50"))
    ]
    assert (statement.as_of, statement.positions[0].account) == (date(2022, 12, 30), "XXXX-1407")


def test_each_account_has_its_rows_its_cash_and_its_total():
    statement = read("accounts.csv")

    assert [(p.account, p.symbol, p.quantity) for p in statement.positions] == [
        ("Individual ...407", "VTI", 10), ("Roth IRA ...918", "VTI", 4),
    ]  # fmt: skip
    assert [(b.account, b.amount) for b in statement.balances] == [
        ("Individual ...407", Decimal("120.50")), ("Roth IRA ...918", Decimal("-20.25")),
    ]  # fmt: skip
    assert [notice.code for notice in statement.warnings] == ["cost_not_used"]


def test_a_total_that_is_not_that_of_its_rows_is_refused_and_a_missing_one_said_first():
    other = read("accounts.csv", ('"$1,200.00"', '"$1,100.00"'))
    missing = read(
        "accounts.csv", ('"Account Total","--","--","--","$3,120.50","$2,500.00","--"\n', "")
    )

    assert [(row.line, row.code, row.column) for row in other.rejected] == [
        (13, "total_differs", "Mkt Val (Market Value)")
    ]
    assert other.rejected[0].reason == (
        "the total row says 1,179.75, but the rows above add up to 1,079.75 (Schwab positions)"
    )
    assert other.rejected[0].hint == "a row is missing or was changed; export the file again"
    assert [(n.code, n.head) for n in missing.guessed] == [("may_be_cut", True)]


def test_an_empty_account_is_one_of_no_cash():
    statement = read("empty.csv")

    assert [(b.amount, b.currency) for b in statement.balances] == [(0, "USD")]
    assert (statement.positions, statement.rejected, statement.guessed) == ((), (), ())


def test_a_date_that_is_none_and_a_row_above_the_header_are_refused_by_line():
    no_day = read("empty.csv", ("2026/01/09", "2026/13/09"))
    above = read("empty.csv", ("\n\n", '\n"VTI","A FUND","3"\n'))

    assert [(row.line, row.code) for row in no_day.rejected] == [(1, "bad_date")]
    assert [(row.line, row.code) for row in above.rejected] == [(2, "above_header")]


def test_a_preamble_whose_commas_a_spreadsheet_took_for_columns_still_gives_account_and_day():
    line = "Positions for account Individual ...407 as of 04:10 PM ET, 2026/01/09"
    statement = read("empty.csv", (f'"{line}"', line))

    assert (statement.as_of, statement.balances[0].account) == (
        date(2026, 1, 9), "Individual ...407",
    )  # fmt: skip


def test_a_share_called_cash_is_no_cash():
    row = '"CASH","PATHWARD FINANCIAL","10","$70.00","$700.00","--","Equity"\n"Positions Total"'
    statement = read(
        "empty.csv",
        ('"Positions Total"', row),
        ('"--","$0.00","--","--"', '"--","$700.00","--","--"'),
    )

    assert [(p.symbol, p.quantity, p.product_type) for p in statement.positions] == [
        ("CASH", 10, "EQUITY")
    ]
