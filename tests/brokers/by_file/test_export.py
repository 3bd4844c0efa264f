"""Orders as CSV, in three forms, that no spreadsheet runs."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.brokers.by_file import FORMS, Line, exported
from steelyard.errors import InputError
from steelyard.orders import Side

BUY = Line(
    client_order_id="p1buy", symbol="VT", side=Side.BUY, quantity=Decimal("12.50"),
    limit_price=Decimal("101.10"), currency="USD", waits_for=("BND", "AGG"),
)  # fmt: skip
SELL = Line(
    client_order_id="p1sell", symbol="BND", side=Side.SELL, quantity=Decimal(20),
    limit_price=Decimal("72.3"), currency="USD",
)  # fmt: skip


def test_sales_come_first_and_buys_say_what_they_wait_for() -> None:
    assert exported([BUY, SELL]) == (
        "symbol,side,quantity,limit_price,waits_for\nBND,sell,20,72.3,\nVT,buy,12.5,101.1,BND AGG\n"
    )


def test_a_basket_of_trader_workstation_has_its_fields() -> None:
    assert exported([BUY, SELL], "ibkr") == (
        "Action,Quantity,Symbol,SecType,Exchange,Currency,TimeInForce,OrderType,LmtPrice,"
        "BasketTag\n"
        "SELL,20,BND,STK,SMART,USD,DAY,LMT,72.3,p1sell\n"
        "BUY,12.5,VT,STK,SMART,USD,DAY,LMT,101.1,p1buy\n"
    )


def test_the_fields_of_an_order_ticket_of_schwab() -> None:
    assert exported([SELL], "schwab") == (
        "Action,Quantity,Symbol,Order Type,Limit Price,Timing\nSell,20,BND,Limit,72.3,Day Only\n"
    )


@given(st.text(), st.sampled_from(sorted(FORMS)))
def test_no_cell_is_a_formula_or_more_than_a_line(name: str, form: str) -> None:
    line = Line(
        client_order_id="p1", symbol=name, side=Side.BUY, quantity=Decimal(1),
        limit_price=Decimal(1), currency="USD", waits_for=(name,),
    )  # fmt: skip

    text = exported([line], form)
    cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]

    assert len(cells) == 2 * len(FORMS[form][0])
    assert not any(cell.startswith(("=", "+", "-", "@", "|", "%")) for cell in cells)
    assert all(cell.isprintable() for cell in cells)


def test_a_form_that_is_not_there_is_named() -> None:
    with pytest.raises(InputError, match="Did you mean schwab"):
        exported([SELL], "shwab")
