"""Snapshot, Market, Holding and Targets check themselves once, when they are made."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from steelyard.errors import InputError
from steelyard.market import Market, Quote
from steelyard.money import FxTable
from steelyard.portfolio import Holding, Security, Settling, Snapshot, TaxLot
from steelyard.targets import Targets

DAY = date(2022, 12, 28)
TEN = Decimal(10)
LOT = TaxLot(TEN, date(2020, 1, 2), Decimal(5))
NAN = Decimal("NaN")


def market(**changes: Any) -> Market:
    """Two securities over three days."""
    fields: dict[str, Any] = {
        "symbols": ("AA", "BB"),
        "dates": np.array(["2022-12-26", "2022-12-27", "2022-12-28"], dtype="datetime64[D]"),
        "closes": np.array([[9.0, 50.0], [9.5, np.nan], [10.0, 51.0]]),
        "quotes": {"AA": Quote("AA", TEN, DAY), "BB": Quote("BB", Decimal(51), DAY)},
        "fx": FxTable("USD"),
    }
    return Market(**{**fields, **changes})


def snapshot(**changes: Any) -> Snapshot:
    """Ten shares and a little cash."""
    fields: dict[str, Any] = {
        "as_of": DAY, "base_currency": "USD", "holdings": (Holding("AA", TEN, (LOT,)),),
        "cash": {"USD": Decimal(5)}, "securities": (Security("AA", "USD"), Security("BB", "USD")),
    }  # fmt: skip
    return Snapshot(**{**fields, **changes})


def days(*texts: str) -> np.ndarray:
    return np.array(texts, dtype="datetime64[D]")


def closes(row: int, column: int, value: float) -> np.ndarray:
    changed = market().closes.copy()
    changed[row, column] = value
    return changed


SLIPS: dict[str, tuple[Any, dict[str, Any]]] = {
    "its closes are (2, 3), and 3 dates of 2 symbols need (3, 2); transpose them": (
        market, {"closes": market().closes.T},
    ),
    "its closes are (2, 2), and 3 dates": (market, {"closes": market().closes[1:]}),
    "it has the column AA more than once": (market, {"symbols": ("AA", "AA")}),
    "the date 2022-12-27 stands twice; dates rise": (
        market, {"dates": days("2022-12-26", "2022-12-27", "2022-12-27")},
    ),
    "the date 2022-12-27 stands after 2022-12-28; dates rise": (
        market, {"dates": days("2022-12-28", "2022-12-27", "2022-12-26")},
    ),
    "the price of BB '0' on 2022-12-28 must be above 0": (market, {"closes": closes(2, 1, 0)}),
    "the price of AA '-1' on 2022-12-26 must be above 0": (market, {"closes": closes(0, 0, -1)}),
    "the price of AA 'inf' on 2022-12-27 is not a finite number": (
        market, {"closes": closes(1, 0, np.inf)},
    ),
    "the price of AA 'NaN' is not a finite number": (
        market, {"quotes": {"AA": Quote("AA", NAN, DAY)}},
    ),
    "the price of AA '0' must be above 0": (
        market, {"quotes": {"AA": Quote("AA", Decimal(0), DAY)}},
    ),
    "the price of AA 10.0 is a float; give a Decimal": (
        market, {"quotes": {"AA": Quote("AA", 10.0, DAY)}},  # type: ignore[arg-type]
    ),
    "AA costs 100 by its quote and 10 by its close of 2022-12-28, a factor of 10": (
        market, {"quotes": {"AA": Quote("AA", Decimal(100), DAY)}},
    ),
    "AA stands more than once in its securities": (
        snapshot, {"securities": (Security("AA", "USD"), Security("AA", "EUR"))},
    ),
    "AA stands more than once in its holdings": (
        snapshot, {"holdings": (Holding("AA", TEN, (LOT,)),) * 2},
    ),
    "its cash in USD 'NaN' is not a finite number": (snapshot, {"cash": {"USD": NAN}}),
    "its cash in USD 5.0 is a float; give a Decimal": (snapshot, {"cash": {"USD": 5.0}}),
    "its cash in EUR 'Infinity' is not": (
        snapshot, {"settling": (Settling("EUR", Decimal("Infinity"), DAY),)},
    ),
    "its quantity is 11 and its lots sum to 10": (
        Holding, {"symbol": "AA", "quantity": Decimal(11), "lots": (LOT,)},
    ),
    "its quantity 'NaN' is not a finite number": (
        Holding, {"symbol": "AA", "quantity": NAN, "lots": (LOT,)},
    ),
    "the quantity of a lot 'NaN' is not": (
        Holding, {"symbol": "AA", "quantity": TEN, "lots": (replace(LOT, quantity=NAN),)},
    ),
    "the cost of a lot 5.5 is a float": (
        Holding, {"symbol": "AA", "quantity": TEN, "lots": (replace(LOT, unit_cost=5.5),)},
    ),
    "its price '0' must be above 0": (
        Holding, {"symbol": "AA", "quantity": TEN, "lots": (LOT,), "price": Decimal(0)},
    ),
    "its lot size '0' must be above 0": (
        Security, {"symbol": "AA", "currency": "USD", "lot_size": Decimal(0)},
    ),
    "The target of AA is nan": (Targets, {"weights": {"AA": float("nan")}}),
    "The targets sum to 1.2": (Targets, {"weights": {"AA": 0.6, "BB": 0.6}}),
}  # fmt: skip


def test_what_is_wrong_with_a_record_is_told_when_it_is_made():
    wrong = {}
    for due, (record, changes) in SLIPS.items():
        try:
            wrong[due] = f"made: {record(**changes)}"
        except InputError as error:
            if due not in str(error) or "Nothing was planned" not in str(error):
                wrong[due] = str(error)

    assert wrong == {}


def test_all_that_is_wrong_is_told_at_once_for_people_and_for_programs():
    with pytest.raises(InputError) as error:
        market(dates=days("2022-12-28", "2022-12-27", "2022-12-26"), closes=closes(0, 0, 0))

    assert len(error.value.faults) == 2
    assert {fault.code for fault in error.value.faults} == {"bad_market"}
    assert "dates rise; the price of AA" in str(error.value)


def test_what_is_right_is_made_and_may_be_asked_at_other_prices():
    good = market()
    other = good.at_prices({"AA": Quote("AA", Decimal(100), DAY)})

    assert snapshot().security("AA") == Security("AA", "USD")
    assert other.quotes["AA"].price == 100
    assert good.quotes["AA"].price == 10
    assert other.closes is good.closes
    assert market(symbols=(), closes=np.zeros((3, 0)), quotes={}).symbols == ()


def test_a_snapshot_of_thousands_is_made_again_in_milliseconds():
    securities = tuple(Security(f"S{n}", "USD") for n in range(3000))
    holdings = tuple(Holding(f"S{n}", TEN, (LOT,)) for n in range(3000))
    large = snapshot(securities=securities, holdings=holdings)
    started = time.process_time()
    for _ in range(10):
        replace(large, cash={"USD": TEN})

    assert (time.process_time() - started) / 10 < 0.05
