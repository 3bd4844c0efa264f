"""Fills that a person hands in are booked once, all of a file or none of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from benchmarks.alpaca.exchange import START

from builders.brokers import OPENING, order
from builders.paper import EARLY
from steelyard.brokers.broker import Accepted, Rejected
from steelyard.brokers.by_file import FileBroker, FileFill, open_file
from steelyard.errors import BrokerError, RowsRejected
from steelyard.orders import OrderStatus, Side

ROW = FileFill(
    date=date(2026, 3, 10), symbol="AA", side=Side.SELL, quantity=Decimal(4), price=Decimal("99.5"),
    commission=Decimal("1.25"), execution_id="x1", file="fills.csv", line=2,
)  # fmt: skip


def broker(folder: Path) -> FileBroker:
    """Six AA to sell, three BB to buy."""
    connected = open_file(folder / "orders.db", "tests", OPENING, lambda: START)
    connected.submit(order("o1", "sell", "AA", "6", "99"))
    connected.submit(order("o2", "buy", "BB", "3", "51"))
    return connected


def test_what_is_handed_in_moves_shares_and_money_and_fills_the_order(tmp_path: Path) -> None:
    file = broker(tmp_path)

    intake = file.take([ROW, replace(ROW, execution_id="x2", quantity=Decimal(2), line=3)])

    assert len(intake.booked) == 2
    account = file.account()
    assert account.position("AA").quantity == 4
    assert account.balance("USD").amount == Decimal("10000") + 398 + 199 - Decimal("2.50")
    assert file.find("o1").status is OrderStatus.FILLED  # type: ignore[union-attr]
    assert [row.client_order_id for row in account.open_orders] == ["o2"]


def test_a_file_handed_in_twice_is_booked_once_and_survives_a_restart(tmp_path: Path) -> None:
    file = broker(tmp_path)
    file.take([ROW])
    file.close()

    again = open_file(tmp_path / "orders.db", "tests", None, lambda: START)
    intake = again.take([ROW, ROW])

    assert (intake.booked, intake.repeated) == ((), 2)
    assert [fill.exec_id for fill in again.fills(EARLY)] == ["x1"]
    assert again.find("o1").status is OrderStatus.PARTLY_FILLED  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"symbol": "AAA"}, "no order to sell AAA was written. Did you mean AA?"),
        ({"side": Side.BUY}, "no order to buy AA was written."),
        ({"quantity": Decimal("6.5")}, "6.5 AA is more than the 2 that the order to sell still"),
        ({"quantity": Decimal(-1)}, "'-1' must be above 0"),
        ({"quantity": Decimal("NaN")}, "'NaN' is not a finite number"),
        ({"price": Decimal(0)}, "'0' must be above 0"),
        ({"commission": Decimal(-1)}, "'-1' is under 0; a commission is what it cost"),
        ({"execution_id": " "}, "it has no execution id"),
        ({"quantity": Decimal("1e-10")}, "'1E-10' has over 9 digits after the point"),
        ({"quantity": Decimal("2e9")}, "'2E+9' is over 1,000,000,000 shares"),
        ({"price": Decimal("1e14")}, "its amount is over 100,000,000,000,000"),
        ({"commission": Decimal("1e15")}, "'1E+15' is over 100,000,000,000,000"),
    ],
)
def test_a_row_that_cannot_be_rejects_the_whole_file(
    change: dict[str, object], words: str, tmp_path: Path
) -> None:
    file = broker(tmp_path)

    other = {"execution_id": "x2", **change, "line": 3}
    with pytest.raises(RowsRejected) as caught:
        file.take([ROW, replace(ROW, **other)])  # type: ignore[arg-type]

    assert "fills.csv line 3" in str(caught.value)
    assert words in str(caught.value)
    assert not file.fills(EARLY)


def test_every_bad_row_is_listed(tmp_path: Path) -> None:
    rows = [replace(ROW, symbol=f"Z{n}", execution_id=f"x{n}", line=n) for n in range(2, 6)]

    with pytest.raises(RowsRejected) as caught:
        broker(tmp_path).take(rows)

    assert [row.line for row in caught.value.rows] == [2, 3, 4, 5]


def test_an_execution_that_was_booked_with_other_content_is_rejected(tmp_path: Path) -> None:
    file = broker(tmp_path)
    file.take([ROW])

    with pytest.raises(RowsRejected, match=r"booked with other content: sell 4 AA at 99\.5"):
        file.take([replace(ROW, price=Decimal(98))])


def test_fills_of_days_before_the_orders_are_passed_over(tmp_path: Path) -> None:
    intake = broker(tmp_path).take([replace(ROW, date=date(2026, 3, 9)), ROW])

    assert (len(intake.booked), intake.earlier) == (1, 1)


def test_a_fill_of_an_order_that_was_taken_back_is_booked_all_the_same(tmp_path: Path) -> None:
    file = broker(tmp_path)
    file.cancel("o1")
    assert file.find("o1").status is OrderStatus.CANCELLED  # type: ignore[union-attr]

    file.take([ROW])

    assert file.account().position("AA").quantity == 6
    assert file.find("o1").status is OrderStatus.CANCELLED  # type: ignore[union-attr]


def test_a_fill_is_of_the_order_that_is_open_before_one_that_was_taken_back(tmp_path: Path) -> None:
    file = broker(tmp_path)
    file.cancel("o1")
    file.submit(order("o3", "sell", "AA", "4", "99"))

    file.take([ROW])

    assert file.find("o3").status is OrderStatus.FILLED  # type: ignore[union-attr]
    assert file.find("o1").filled_quantity == 0  # type: ignore[union-attr]


def test_a_later_snapshot_begins_again_once_no_order_is_open(tmp_path: Path) -> None:
    file = broker(tmp_path)
    file.take([ROW])
    later = replace(OPENING, positions={"AA": Decimal(7)}, cash={"USD": Decimal(10_396)})
    file.begin(later)
    assert file.account().position("AA").quantity == 6
    file.cancel("o1")
    file.cancel("o2")

    for opening in (later, OPENING):  # the plan before, asked for again, changes nothing
        file.begin(opening)
        assert file.account().position("AA").quantity == 7
        assert file.account().balance("USD").amount == 10_396
    assert len(file.fills(EARLY)) == 1


def test_what_has_no_price_is_not_written(tmp_path: Path) -> None:
    file = broker(tmp_path)

    refused = file.submit(replace(order("o3", "buy", "AA", "1", "1"), symbol="NOPE"))
    worthless = file.submit(order("o4", "buy", "BB", "NaN", "1"))

    assert isinstance(refused, Rejected)
    assert isinstance(worthless, Rejected)
    assert (refused.code, worthless.code) == ("NOT_TRADABLE", "QUANTITY")
    assert isinstance(file.submit(order("o1", "sell", "AA", "6", "99")), Accepted)
    with pytest.raises(BrokerError, match="No orders of account 'other'"):
        open_file(tmp_path / "orders.db", "other", None, lambda: START)


def test_a_fill_of_the_orders_own_day_is_not_before_the_order(tmp_path: Path) -> None:
    file = broker(tmp_path)
    created = file.find("o1").created_at  # type: ignore[union-attr]
    assert created is not None

    (fill,) = file.take([replace(ROW, date=created.date())]).booked

    assert fill.at >= created
