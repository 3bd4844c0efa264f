"""Planning again and again over real history trades little and does not turn back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from builders.past import until
from builders.world import only
from steelyard import samples, strategies
from steelyard.importers import assemble, read
from steelyard.modules.registry import Kind
from steelyard.orders import Side
from steelyard.planning.planner import plan
from steelyard.portfolio import Flow, Holding, Snapshot, TaxLot
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


@dataclass(frozen=True)
class Walk:
    """What was traded, and how many of the plans traded at all."""

    trades: list[Traded]
    acting: int

    def told(self, name: str) -> str:
        """For `pytest -s`."""
        orders, acting = len(self.trades) / YEARS, self.acting / YEARS
        turned = reversals(self.trades)
        return f"{name}: {orders:.1f} orders a year in {acting:.1f} plans, {turned} reversals"


def walk(days: np.ndarray, *, cooldown: bool, deposit: Decimal = Decimal(0)) -> Walk:
    """Start on target with 100,000 USD, plan and trade on each of `days`; what was traded.

    deposit   share of the value that is brought on the last of the days in every month
    """
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
    dates: dict[Side, dict[str, date]] = {Side.BUY: {}, Side.SELL: {}}
    trades, acting = list[Traded](), 0
    months = last_of_months(days).tolist()
    for day in days:
        market, today = until(inputs.market, day), day.astype(object)
        holdings = tuple(
            Holding(
                s, q, (TaxLot(q, date(2010, 1, 4)),), None,
                dates[Side.BUY].get(s), dates[Side.SELL].get(s),
            )
            for s, q in ((s, Decimal(shares)) for s, shares in owned.items() if shares)
        )  # fmt: skip
        worth = cash + sum(owned[s] * market.quotes[s].price for s in owned if owned[s])
        brought = round(worth * deposit, 2) if today in months else Decimal(0)
        flows = (Flow("USD", brought, today),) if brought else ()
        listed = inputs.snapshot.securities
        snapshot = Snapshot(today, "USD", holdings, {"USD": cash}, listed, flows=flows)
        answer = plan(snapshot, market, strategy, targets=inputs.targets)
        acting += bool(answer.steps)
        for step in answer.steps:
            sign = 1 if step.side is Side.BUY else -1
            owned[step.symbol] = owned.get(step.symbol, 0) + sign * int(step.quantity)
            dates[step.side][step.symbol] = today
            trades.append(Traded(today, step.symbol, step.side))
        cash = answer.cash_after["USD"]
    return Walk(trades, acting)


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


def last_of_months(days: np.ndarray) -> np.ndarray:
    months = days.astype("datetime64[M]")
    return days[np.append(months[1:] != months[:-1], True)]


DEPOSITS = {"no deposit": Decimal(0), "1 % a month": Decimal("0.01")}


def test_monthly_plans_turn_back_at_most_twice_and_with_the_cooldown_never():
    months, wrong = last_of_months(sessions()), []
    for name, deposit in DEPOSITS.items():
        for cooldown, most in ((False, 2), (True, 0)):
            made = walk(months, cooldown=cooldown, deposit=deposit)
            told = made.told(f"monthly, {name}, {'with' if cooldown else 'without'} the cooldown")
            print(told)
            if not made.trades or reversals(made.trades) > most:
                wrong.append(told)
    assert wrong == []


def test_daily_plans_with_the_cooldown_never_turn_back():
    days, wrong = sessions(), []
    for name, deposit in DEPOSITS.items():
        made = walk(days, cooldown=True, deposit=deposit)
        told = made.told(f"daily, {name}, with the cooldown")
        print(told)
        if not made.trades or reversals(made.trades):
            wrong.append(told)
    assert wrong == []
