"""Every preset follows targets: over eight years of two funds, as closely as the default."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType

import numpy as np
import pytest

from builders.plain_score import table
from steelyard import samples, strategies
from steelyard.importers import assemble, read
from steelyard.market import Market, Quote
from steelyard.money import FxTable
from steelyard.orders import Side
from steelyard.planning.planner import plan
from steelyard.portfolio import Holding, Security, Snapshot, TaxLot
from steelyard.targets import Targets

GOALS = {"QUAL": 0.6, "USMV": 0.4}
START = "2014-12-31"


def market() -> Market:
    """The two funds, every session to the last."""
    sample = samples.sample("growth")
    whole = assemble(read(sample.holdings, prices=sample.prices)).market
    dates, closes = table()
    columns = [[math.nan if p is None else p for p in closes[symbol]] for symbol in GOALS]
    days = np.array(dates, dtype="datetime64[D]")
    rows = np.array(columns).T.copy()
    return replace(whole, symbols=tuple(GOALS), dates=days, closes=rows, fx=FxTable("USD"))


def until(whole: Market, row: int) -> Market:
    day = whole.dates[row].astype(object)
    prices = dict(zip(whole.symbols, whole.closes[row].tolist(), strict=True))
    quotes = {s: Quote(s, Decimal(f"{price:.3f}"), day) for s, price in prices.items()}
    last = row + 1
    return replace(whole, dates=whole.dates[:last], closes=whole.closes[:last], quotes=quotes)


def month_ends(whole: Market) -> list[int]:
    months = whole.dates.astype("datetime64[M]")
    last = np.append(months[1:] != months[:-1], True)
    return np.flatnonzero(last & (whole.dates >= np.datetime64(START))).tolist()


def walked(name: str) -> tuple[float, int]:
    """RMS distance from the targets after each monthly plan, and the orders."""
    whole, strategy, squares, orders = market(), strategies.preset(name), [], 0
    rows = month_ends(whole)
    quotes = until(whole, rows[0]).quotes
    owned = {s: Decimal(int(Decimal(100_000) * Decimal(str(w)) / quotes[s].price))
             for s, w in GOALS.items()}  # fmt: skip
    cash = Decimal(100_000) - sum(q * quotes[s].price for s, q in owned.items())
    securities = tuple(Security(s, "USD", product_type="ETF") for s in GOALS)
    dates: dict[Side, dict[str, date]] = {Side.BUY: {}, Side.SELL: {}}
    for row in rows:
        now = until(whole, row)
        today = now.dates[-1].astype(object)
        holdings = tuple(
            Holding(
                s, q, (TaxLot(q, date(2010, 1, 4)),), None,
                dates[Side.BUY].get(s), dates[Side.SELL].get(s),
            )
            for s, q in owned.items()
        )  # fmt: skip
        snapshot = Snapshot(today, "USD", holdings, {"USD": cash}, securities)
        made = plan(snapshot, now, strategy, targets=Targets(MappingProxyType(GOALS)))
        for step in made.steps:
            dates[step.side][step.symbol] = today
            owned[step.symbol] += step.quantity if step.side is Side.BUY else -step.quantity
        orders, cash = orders + len(made.steps), made.cash_after["USD"]
        worth = {s: owned[s] * now.quotes[s].price for s in owned}
        value = sum(worth.values()) + cash
        off = [float(worth[s] / value) - goal for s, goal in GOALS.items()]
        squares.append(sum(x * x for x in off) + float(cash / value) ** 2)
    return math.sqrt(sum(squares) / len(squares)), orders


@pytest.mark.nightly
@pytest.mark.real_quotes
def test_conservative_follows_two_funds_that_move_alike_as_closely_as_the_default():
    (usual, _), (careful, orders) = walked("default"), walked("conservative")
    print(f"RMS distance: default {usual:.4f}, conservative {careful:.4f}")

    assert orders
    assert careful <= 1.1 * usual
