"""Four recorded inputs (n = 20, 50, 100, 200) as what `plan` takes, and the plans recorded beside
them.

What they are: data/SOURCE.md. The mapping: min_lot is the lot size; country and industry stand for
their groups; only the target weights of securities are used, not those of groups; one constant
exchange rate per currency; returns, volatility, drawdown, correlation and the smoothness half of
quality are estimated from the closes, which carry no dividends; yields, quality scores, priority
multipliers and trade permissions are as given.
Strategy: ours by default, which has the recorded run's costs (2 EUR + .2 %) and five orders at
most.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from benchmarks.original_score import original_score
from benchmarks.planning import Inputs
from steelyard.market import Market, Quote
from steelyard.money import FxRate, FxTable
from steelyard.portfolio import Holding, Security, Snapshot, TaxLot
from steelyard.strategies import Strategy, default
from steelyard.targets import Targets

DATA = Path(__file__).resolve().parent / "data"
SIZES = (20, 50, 100, 200)
BASE = "EUR"


@dataclass(frozen=True)
class Recorded:
    """A plan of the first implementation.

    seconds   median of its planning, on another day's machine
    orders    symbol -> signed shares, > 0 buys
    """

    seconds: float
    orders: Mapping[str, Decimal]
    figures: Mapping[str, Any]
    hold: Mapping[str, float]


@dataclass(frozen=True)
class Case:
    """One input in both forms and the plan recorded for it."""

    n: int
    portfolio: Mapping[str, Any]
    inputs: Inputs
    recorded: Recorded

    def original_score(self, orders: Mapping[str, Decimal], *, with_groups: bool) -> float:
        """What some orders are worth under the score of the first implementation."""
        prices = {s["symbol"]: s["price_eur"] for s in self.portfolio["securities"]}
        values = {p["symbol"]: p["market_value_eur"] for p in self.portfolio["positions"]}
        for symbol, quantity in orders.items():
            values[symbol] = values.get(symbol, 0.0) + float(quantity) * prices[symbol]
        return original_score(self.portfolio, values, with_groups=with_groups)


@cache
def case(n: int) -> Case:
    """The input of that size; raises FileNotFoundError for one that was not recorded."""
    portfolio = json.loads((DATA / f"portfolio_n{n:03d}.json").read_text(encoding="ascii"))
    closes = json.loads(gzip.decompress((DATA / f"closes_n{n:03d}.json.gz").read_bytes()))
    return Case(n, portfolio, inputs_of(portfolio, closes, default()), recorded(n))


def inputs_of(
    portfolio: Mapping[str, Any], closes: Mapping[str, Any], strategy: Strategy
) -> Inputs:
    """The input as what `plan` takes."""
    as_of = date.fromisoformat(portfolio["meta"]["as_of"])
    snapshot = Snapshot(
        as_of=as_of,
        base_currency=BASE,
        holdings=tuple(_holding(position) for position in portfolio["positions"]),
        cash={BASE: _exact(portfolio["cash_eur"])},
        securities=tuple(_security(portfolio, security) for security in portfolio["securities"]),
    )
    return Inputs(
        snapshot,
        _market(portfolio, closes, as_of),
        strategy,
        Targets(MappingProxyType(portfolio["target_weights"])),
    )


def recorded(n: int) -> Recorded:
    """The plan that was recorded for the input of that size."""
    entry = json.loads((DATA / "recorded_plans.json").read_text(encoding="ascii"))["inputs"][str(n)]
    figures = entry["plan"]
    orders = {
        symbol: Decimal(shares if side == "BUY" else -shares)
        for side, symbol, shares, _, _ in figures["steps"]
    }
    return Recorded(
        figures["wall_med"],
        MappingProxyType(orders),
        MappingProxyType(figures),
        MappingProxyType(entry["hold"]),
    )


def _holding(position: Mapping[str, Any]) -> Holding:
    quantity, bought = _exact(position["quantity"]), date.fromisoformat(position["first_bought_at"])
    return Holding(
        position["symbol"], quantity, (TaxLot(quantity, bought, _exact(position["avg_price"])),)
    )


def _security(portfolio: Mapping[str, Any], security: Mapping[str, Any]) -> Security:
    return Security(
        symbol=security["symbol"],
        currency=security["currency"],
        name=security["name"],
        lot_size=Decimal(security["min_lot"]),
        sectors=(portfolio["industry_to_group"][security["industry"]],),
        countries=(portfolio["country_to_group"][security["country"]],),
        dividend_yield=security["dividend_yield"],
        quality=security["quality_score"],
        priority_multiplier=security["priority_multiplier"],
        allow_buy=security["allow_buy"],
        allow_sell=security["allow_sell"],
    )


def _market(portfolio: Mapping[str, Any], closes: Mapping[str, Any], as_of: date) -> Market:
    symbols = tuple(sorted(closes["closes"]))
    days = [date.fromisoformat(day) for day in closes["dates"]]
    rates = {
        currency: tuple(FxRate(currency, _exact(rate), day) for day in days)
        for currency, rate in portfolio["fx_eur_per_unit"].items()
        if currency != BASE
    }
    return Market(
        symbols=symbols,
        dates=np.array(closes["dates"], dtype="datetime64[D]"),
        closes=np.array([closes["closes"][symbol] for symbol in symbols]).T,
        quotes={
            s["symbol"]: Quote(s["symbol"], _exact(s["price"]), as_of)
            for s in portfolio["securities"]
        },
        fx=FxTable(BASE, MappingProxyType(rates)),
        adjusted=False,
        source="generated closes of the recorded inputs",
    )


def _exact(number: float) -> Decimal:
    """The number as the file spells it."""
    return Decimal(repr(number))
