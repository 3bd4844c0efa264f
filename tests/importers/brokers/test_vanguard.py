"""Vanguard: the table of positions is read, that of transactions passed over."""

from decimal import Decimal

from builders import exports
from steelyard.importers.statement import Statement

FILES = exports.FILES / "vanguard"


def read(name: str) -> Statement:
    """A fixture."""
    return exports.form("vanguard").read(exports.source(FILES / name))


def test_the_first_table_is_read_and_the_second_passed_over():
    statement = read("plain.csv")

    assert [(p.symbol, p.quantity, p.price, p.value) for p in statement.positions] == [
        ("VTSAX", Decimal("100.512"), Decimal("140.11"), Decimal("14082.74")),
        ("AAPL260116C00250000", -1, Decimal("4.15"), -415),
    ]
    assert [(b.label, b.amount) for b in statement.balances] == [("VMFXX", 5000)]
    assert [row.what for row in statement.passed] == [
        "header of another table", "transaction", "transaction",
    ]  # fmt: skip


def test_several_accounts_a_cash_row_and_an_empty_account_are_read():
    several, empty = read("accounts.csv"), read("empty.csv")

    assert [(p.account, p.quantity) for p in several.positions] == [
        ("10020030", Decimal("100.512")), ("40050060", Decimal("1.001")),
    ]  # fmt: skip
    assert [(b.account, b.label, b.amount) for b in several.balances] == [
        ("40050060", "VMSXX", Decimal("12.5")), ("40050060", "CASH", Decimal("37.5")),
    ]  # fmt: skip
    assert (empty.positions, empty.rejected, empty.guessed) == ((), (), ())


def test_last_years_columns_are_read():
    statement = read("last_year.csv")

    assert [(p.symbol, p.quantity, p.price) for p in statement.positions] == [
        ("VFIAX", 10, Decimal("352.61"))
    ]
