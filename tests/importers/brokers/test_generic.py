"""Any table by a mapping of fields to columns."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from builders import exports
from steelyard.errors import InputError
from steelyard.importers.brokers import generic
from steelyard.importers.statement import Source, Statement

PLAIN = exports.FILES / "generic" / "plain.csv"
MAPPING = {
    "symbol": "Ticker", "name": "Bezeichnung", "quantity": "Stück", "price": "Preis",
    "currency": "Währung", "acquired": "Gekauft", "cost_basis": "Einstand gesamt",
    "product_type": "Art", "account": "Depot",
}  # fmt: skip


def read(text: str, columns: dict[str, str]) -> Statement:
    """A text by a mapping."""
    return generic.read(Source(Path("own.csv"), text.encode(), text), columns)


def test_mapped_columns_are_read_with_their_notation_units_lots_and_cash():
    statement = generic.read(exports.source(PLAIN), MAPPING)

    fund, miner = statement.positions
    assert (fund.symbol, fund.quantity, fund.price, fund.average_cost, fund.acquired) == (
        "VWRL.AS", 40, Decimal("128.40"), Decimal("101.25"), date(2021, 3, 4),
    )  # fmt: skip
    assert (fund.product_type, fund.account, fund.name) == ("ETF", "Bank 1", "Weltfonds")
    assert (miner.price, miner.currency, miner.unit, miner.product_type) == (
        Decimal("1.0985"), "GBP", "GBX", "EQUITY",
    )  # fmt: skip
    assert [(b.currency, b.amount, b.label, b.account) for b in statement.balances] == [
        ("EUR", Decimal("1079.92"), "", "Bank 1")
    ]
    assert [row.what for row in statement.passed] == ["line above the table", "total row"]


def test_a_field_that_is_not_mapped_is_read_from_a_column_of_its_name():
    text = "Ticker,quantity,Average Cost,sold_at_loss,last_sold,multiplier,settles\n"
    statement = read(
        text + "ABC,3,1.5,true,2026-01-05,10,\nCASH:USD,5,,,,,2026-01-12\n", {"symbol": "ticker"}
    )

    (position,) = statement.positions
    assert (position.quantity, position.average_cost, position.multiplier) == (
        3,
        Decimal("1.5"),
        10,
    )
    assert (position.sold_at_loss, position.last_sold) == (True, date(2026, 1, 5))
    assert [b.settles for b in statement.balances] == [date(2026, 1, 12)]


def test_an_unknown_field_or_column_is_refused_with_the_nearest():
    text = "Ticker,Units\nABC,3\n"
    cases = {
        "Did you mean quantity?": {"quantty": "Units"},
        "Did you mean Ticker?": {"symbol": "Tickr", "quantity": "Units"},
        "No column is mapped": {},
        "no column 'quantity'": {"symbol": "Ticker"},
    }
    messages = {}
    for words, columns in cases.items():
        with pytest.raises(InputError, match="Nothing was planned") as error:
            read(text, columns)
        messages[words] = str(error.value)

    assert {words for words, message in messages.items() if words not in message} == set()


def test_a_mapping_fits_no_file_that_has_none_of_its_columns():
    for text in ("", "one line", "a,b\n1,2\n", "\x00,\x01\n"):
        with pytest.raises(InputError):
            read(text, {"symbol": "Ticker", "quantity": "Units"})
