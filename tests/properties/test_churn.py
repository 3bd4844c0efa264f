"""Planning again and again over real history trades little and does not turn back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from builders.world import only
from steelyard import samples, strategies
from steelyard.importers import assemble, read
from steelyard.market import Market, Quote
from steelyard.modules.registry import Kind
from steelyard.money import FxTable
from steelyard.orders import Side
from steelyard.planning.planner import plan
from steelyard.portfolio import Holding, Snapshot, TaxLot
from steelyard.settings import Costs

pytestmark = [pytest.mark.nightly, pytest.mark.real_quotes]

START, END = np.datetime64("2014-12-31"), np.datetime64("2022-12-28")
YEARS = 8
REVERSAL_DAYS = 90


@dataclass(frozen=True)
class Traded:
    on: date
    symbol: str
    side: Side


def until(market: Market, last: np.datetime64) -> Market:
    """The market as it was: nothing after `last`."""
    rows = int(np.searchsorted(market.dates, last, side="right"))
    day = market.dates[rows - 1].astype(object)
    closes = market.closes[:rows]
    quotes = {
        symbol: Quote(symbol, Decimal(f"{closes[-1, i]:.3f}"), day)
        for i, symbol in enumerate(market.symbols)
        if np.isfinite(closes[-1, i])
    }
    return replace(
        market, dates=market.dates[:rows], closes=closes, quotes=quotes, fx=FxTable("USD")
    )


def walk(days: np.ndarray, *, cooldown: bool) -> list[Traded]:
    """Start on target with 100,000 USD, plan and trade on each of `days`; what was traded."""
    sample = samples.sample("growth")
    tables = {"targets": sample.targets, "securities": sample.securities}
    inputs = assemble(read(sample.holdings, prices=sample.prices, **tables))
    strategy = replace(strategies.default(), costs=Costs(fixed=1.0, percent=0.0005))
    if not cooldown:
        strategy = only(strategy, Kind.FILTER)
    first = until(inputs.market, days[0])
    goals, quotes = inputs.targets.weights, first.quotes
    owned = {s: int(100_000 * goals[s] / float(quotes[s].price)) for s in goals}
    cash = Decimal(100_000) - sum(owned[s] * quotes[s].price for s in owned)
    bought: dict[str, date] = {}
    sold: dict[str, date] = {}
    trades: list[Traded] = []
    for day in days:
        market, today = until(inputs.market, day), day.astype(object)
        holdings = tuple(
            Holding(s, q, (TaxLot(q, date(2010, 1, 4)),), None, bought.get(s), sold.get(s))
            for s, q in ((s, Decimal(shares)) for s, shares in owned.items() if shares)
        )
        snapshot = Snapshot(today, "USD", holdings, {"USD": cash}, inputs.snapshot.securities)
        answer = plan(snapshot, market, strategy, targets=inputs.targets)
        for step in answer.steps:
            dates, sign = (bought, 1) if step.side is Side.BUY else (sold, -1)
            owned[step.symbol] = owned.get(step.symbol, 0) + sign * int(step.quantity)
            dates[step.symbol] = today
            trades.append(Traded(today, step.symbol, step.side))
        cash = answer.cash_after["USD"]
    return trades


def reversals(trades: list[Traded]) -> int:
    """Orders that turn back an order of the other side in the same name within 90 days."""

    def turns_back(a: Traded, b: Traded) -> bool:
        opposite = a.symbol == b.symbol and a.side is not b.side
        return opposite and 0 < (b.on - a.on).days <= REVERSAL_DAYS

    return sum(any(turns_back(a, b) for a in trades[:k]) for k, b in enumerate(trades))


def sessions() -> np.ndarray:
    files = read(samples.sample("growth").holdings, prices=samples.sample("growth").prices)
    dates = files.prices.dates
    return dates[(dates >= START) & (dates <= END)]


def test_monthly_plans_trade_at_most_twelve_times_a_year_and_turn_back_at_most_twice():
    days = sessions()
    months = days.astype("datetime64[M]")
    last_of_month = days[np.append(months[1:] != months[:-1], True)]

    trades = walk(last_of_month, cooldown=False)

    assert 0 < len(trades) <= 12 * YEARS
    assert reversals(trades) <= 2


def test_daily_plans_with_the_cooldown_never_turn_back():
    trades = walk(sessions(), cooldown=True)

    assert trades
    assert reversals(trades) == 0
