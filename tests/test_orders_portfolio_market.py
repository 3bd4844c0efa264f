"""Orders, portfolio, market, targets: what the records answer."""

import hashlib
import pickle
from dataclasses import FrozenInstanceError
from datetime import date
from decimal import Decimal
from types import MappingProxyType

import numpy as np
import pytest

from steelyard.errors import InputError
from steelyard.market import Market, Quote
from steelyard.money import FxRate, FxTable
from steelyard.orders import OPEN, Order, OrderStatus, Side
from steelyard.portfolio import FUND_TYPES, Holding, Security, Snapshot, TaxLot
from steelyard.targets import Targets

OVER = {OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.REJECTED, OrderStatus.EXPIRED}


def order(status=OrderStatus.WORKING, filled="0", side=Side.BUY, symbol="A"):
    return Order("o", symbol, side, Decimal(10), None, status, Decimal(filled))


def test_only_an_order_that_is_over_leaves_nothing_open():
    rest = {status: order(status, "4").open_quantity for status in OrderStatus}

    assert rest == {status: 0 if status in OVER else 6 for status in OrderStatus}


def test_an_order_of_unknown_status_may_still_trade():
    assert OrderStatus.UNKNOWN in OPEN
    assert set(OPEN) | OVER == set(OrderStatus)


def test_a_snapshot_sums_the_open_quantity_of_one_side_of_one_symbol():
    orders = (
        order(), order(filled="4"), order(side=Side.SELL), order(symbol="B"),
        order(OrderStatus.FILLED),
    )  # fmt: skip
    snapshot = Snapshot(date(2024, 1, 2), "USD", (), {}, (), open_orders=orders)

    assert snapshot.open_quantity("A", Side.BUY) == 16
    assert snapshot.open_quantity("A", Side.SELL) == 10
    assert snapshot.open_quantity("C", Side.BUY) == 0


def test_a_snapshot_knows_its_securities_by_symbol():
    snapshot = Snapshot(
        date(2024, 1, 2), "USD", (), {}, (Security("A", "USD"), Security("B", "EUR"))
    )

    assert snapshot.security("B") == Security("B", "EUR")
    assert snapshot.security("C") is None


def test_the_average_cost_weighs_lots_by_shares():
    holding = Holding(
        "A",
        Decimal(4),
        (TaxLot(Decimal(1), None, Decimal(10)), TaxLot(Decimal(3), None, Decimal(20))),
    )

    assert holding.average_cost == Decimal("17.5")


def test_without_shares_or_the_cost_of_a_lot_there_is_no_average_cost():
    lots = TaxLot(Decimal(1), None, Decimal(10)), TaxLot(Decimal(3))

    assert Holding("A", Decimal(4), lots).average_cost is None
    assert Holding("A", Decimal(0), ()).average_cost is None


def test_a_holding_was_acquired_with_its_oldest_known_lot():
    lots = (
        TaxLot(Decimal(1)),
        TaxLot(Decimal(1), date(2021, 5, 4)),
        TaxLot(Decimal(1), date(2020, 5, 4)),
    )

    assert Holding("A", Decimal(3), lots).acquired == date(2020, 5, 4)
    assert Holding("A", Decimal(1), lots[:1]).acquired is None


def test_funds_are_told_by_their_product_type():
    kinds = ["EQUITY", "ETF", "ETC", "MUTUALFUND", ""]
    funds = [kind for kind in kinds if Security("A", "USD", product_type=kind).is_fund]

    assert funds == [kind for kind in kinds if kind in FUND_TYPES]


def test_records_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        Security("A", "USD").symbol = "B"  # type: ignore[misc]


def prices():
    rates = (
        FxRate("EUR", Decimal(2), date(2024, 1, 2)),
        FxRate("EUR", Decimal(4), date(2024, 1, 4)),
    )
    return Market(
        ("A", "B"),
        np.array(["2024-01-02", "2024-01-03", "2024-01-04"], dtype="datetime64[D]"),
        np.array([[10.0, np.nan], [11.0, 21.0], [12.0, 22.0]]),
        {
            "A": Quote("A", Decimal(12), date(2024, 1, 4)),
            "B": Quote("B", Decimal(22), date(2024, 1, 4)),
        },
        FxTable("USD", MappingProxyType({"EUR": rates})),
    )


def test_the_last_session_is_a_date_and_without_any_it_is_none():
    assert prices().last == date(2024, 1, 4)
    assert (
        Market((), np.array([], dtype="datetime64[D]"), np.zeros((0, 0)), {}, FxTable("USD")).last
        is None
    )


def test_base_closes_use_the_rate_of_their_own_day():
    closes = prices().base_closes(["B", "A", "A", "X"], ["USD", "EUR", "USD", "USD"], 5)

    assert np.array_equal(closes[:, 0], [np.nan, 21, 22], equal_nan=True)
    assert closes[:, 1].tolist() == [20.0, 22.0, 48.0]
    assert closes[:, 2].tolist() == [10.0, 11.0, 12.0]
    assert np.isnan(closes[:, 3]).all()


def test_a_day_without_a_young_rate_has_no_close_in_base():
    closes = prices().base_closes(["A"], ["EUR"], 0)

    assert np.array_equal(closes[:, 0], [20.0, np.nan, 48.0], equal_nan=True)


def test_targets_leave_the_rest_to_cash():
    assert Targets({"A": 0.5, "B": 0.25}).cash == 0.25
    assert Targets().cash == 1
    assert Targets({"A": 1 + 5e-7}).cash == 0


def test_a_target_that_is_not_a_share_is_refused_by_name():
    refusal = (
        r"The target of B is .*; a weight is a fraction of value, 0 or more\. Nothing was planned\."
    )
    for weight in (-0.1, float("nan"), float("inf"), -float("inf")):
        with pytest.raises(InputError, match=refusal):
            Targets({"A": 0.1, "B": weight})


def test_targets_over_one_are_refused_with_by_how_much_and_never_rescaled():
    with pytest.raises(
        InputError, match=r"sum to 1\.2, 0\.2 over 1.*never rescaled.*Nothing was planned"
    ):
        Targets({"A": 0.7, "B": 0.5})


def test_closes_are_hashed_once_and_by_their_content_alone():
    dates = np.arange("2026-01-01", "2026-01-05", dtype="datetime64[D]")
    closes = np.array([[1.0, 2], [3, 4], [5, np.nan], [7, 8]])
    quotes = {"A": Quote("A", Decimal(7), date(2026, 1, 4))}
    market = Market(("A", "B"), dates, closes, quotes, FxTable("USD"))
    other = Market(("A", "C"), dates, closes.copy(), {}, FxTable("USD"))
    both, units = ["A", "B"], ["USD", "USD"]

    sha256 = market.closes_sha256(both, units, 5, 3)
    columns = market.column_sha256(both, units, 5, 3)

    assert sha256 == hashlib.sha256(closes[1:].astype("<f8").tobytes()).hexdigest()
    assert columns == [hashlib.sha256(closes[1:, k].tobytes()).digest() for k in (0, 1)]
    assert other.column_sha256(["C", "A"], units, 5, 3) == columns[::-1]
    assert market.closes_sha256(both, units, 5, 4) != sha256
    assert market.closes_sha256(["A", "B"], ["USD", "EUR"], 5, 3) != sha256
    for same in (market.at_prices({}), pickle.loads(pickle.dumps(market))):
        assert same.closes_sha256(both, units, 5, 3) == sha256
    assert "_hashes" not in pickle.loads(pickle.dumps(market)).__dict__
