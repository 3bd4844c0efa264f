"""A year of daily plans, all done: no sale at a loss beside a buy of the same or its twin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from types import MappingProxyType

import numpy as np

from builders.taxed import alike, of_class
from builders.world import World, with_on, with_params, world
from builders.worlds import NIGHTLY, seeds
from steelyard.market import Quote
from steelyard.modules.registry import Kind
from steelyard.orders import Side
from steelyard.portfolio import Holding, TaxLot
from steelyard.settings import Limits, Lots, Score, Search
from steelyard.targets import Targets

TWINS = {"AA": "large", "BB": "large", "CC": "small", "DD": "small"}
MEMBERS = {
    **{symbol: ("stocks", n) for n, symbol in enumerate(("AA", "CC", "BB", "DD"))},
    "EE": ("bonds", 1),
}
SYMBOLS = ("AA", "BB", "CC", "DD", "EE")
DAYS, FIRST = 30, date(2023, 1, 2)


@dataclass(frozen=True)
class Trade:
    """A buy, or a sale with what it lost a lot by."""

    on: date
    symbol: str
    buy: bool
    at_loss: bool


def start(method: str, wash_sale_days: int) -> World:
    """Twins and cousins that fall and rise, BB sold out at a loss a week ago."""
    of = world(
        *(f"{symbol} 0 @ 100" for symbol in SYMBOLS), cash="30000", funds=SYMBOLS, sessions=1,
        targets={"AA": 0.3, "CC": 0.3, "EE": 0.38}, score=Score(tax_rate=0.3, tax_rate_long=0.15),
        limits=Limits(min_trade_weight=0.002),
        search=Search(scope="quantities", max_nodes=200),
    )  # fmt: skip
    lots = tuple(
        TaxLot(Decimal(40), FIRST - timedelta(days=days), Decimal(cost))
        for days, cost in ((900, 70), (500, 130), (90, 104))
    )
    gone = Holding("BB", Decimal(0), (), last_sold=FIRST - timedelta(days=7), sold_at_loss=True)
    of = of_class(alike(of, TWINS), MEMBERS)
    of = of.having(
        holdings=(Holding("AA", Decimal(120), lots), gone), as_of=FIRST,
        lots=Lots(method=method, wash_sale_days=wash_sale_days),
    )  # fmt: skip
    strategy = with_on(of.strategy, Kind.OPPORTUNITY, "tax_loss")
    free = {"buy_cooldown_days": 0, "sell_cooldown_days": 0, "opposite_days": 0}
    strategy = with_params(strategy, Kind.FILTER, "recently_traded", **free)
    return replace(of, strategy=with_params(strategy, Kind.FILTER, "eligibility", min_hold_days=0))


def weekdays(count: int) -> Iterator[date]:
    days = np.busday_offset(np.datetime64(FIRST), np.arange(count), roll="forward")
    yield from days.astype(object)


def walked(
    seed: int, method: str, days: int, wash_sale_days: int = DAYS
) -> tuple[list[Trade], int]:
    """Every trade of so many days, and how many plans had a sale held up by the window."""
    rng, of = np.random.default_rng([seed, 13]), start(method, wash_sale_days)
    prices, trades, stopped = np.full(len(SYMBOLS), 100.0), list[Trade](), 0
    snapshot = of.snapshot
    for n, day in enumerate(weekdays(days)):
        steps = rng.standard_normal(len(SYMBOLS)) * 0.02
        steps[[1, 3]] = steps[[0, 2]] + 0.002 * steps[[1, 3]]
        prices = prices * np.exp(steps)
        quotes = {
            symbol: Quote(symbol, Decimal(f"{price:.2f}"), day)
            for symbol, price in zip(SYMBOLS, prices.tolist(), strict=True)
        }
        shift = 0.15 * float(np.sin(n / 9))
        targets = Targets(MappingProxyType({"AA": 0.3 + shift, "CC": 0.3 - shift, "EE": 0.38}))
        closes = np.array([[float(quotes[symbol].price) for symbol in SYMBOLS]])
        dates = np.array([np.datetime64(day, "D")])
        market = replace(of.market, quotes=quotes, closes=closes, dates=dates)
        snapshot = replace(snapshot, as_of=day)
        plan = replace(of, snapshot=snapshot, market=market, targets=targets).plan()
        stopped += any(stop.rule == "wash_sale" for stop in plan.not_traded)
        trades += [
            Trade(day, step.symbol, step.side is Side.BUY, any(lot.gain < 0 for lot in step.lots))
            for step in plan.steps
        ]
        snapshot = snapshot.after(plan)
    return trades, stopped


def breaches(trades: list[Trade]) -> list[tuple[Trade, Trade]]:
    """Sales at a loss with a buy of the same or a twin within the days, before or after."""
    first = Trade(FIRST - timedelta(days=7), "BB", buy=False, at_loss=True)
    buys = [trade for trade in trades if trade.buy]
    return [
        (sale, buy)
        for sale in (first, *trades)
        if sale.at_loss
        for buy in buys
        if TWINS.get(sale.symbol, sale.symbol) == TWINS.get(buy.symbol, buy.symbol)
        and abs((sale.on - buy.on).days) <= DAYS
    ]


WALKS = [(seed, method) for seed in seeds(1, 8) for method in ("specific", "fifo")]


def test_no_wash_sale_in_months_of_daily_plans_with_twins_and_sold_out_names():
    odd, losses, stops = [], 0, 0
    for seed, method in WALKS if NIGHTLY else WALKS[:1]:
        trades, stopped = walked(seed, method, 260 if NIGHTLY else 90)
        odd += breaches(trades)
        losses += sum(trade.at_loss for trade in trades)
        stops += stopped

    assert odd == []
    assert losses > (2 if NIGHTLY else 0)
    assert stops > (20 if NIGHTLY else 5)


def test_without_the_window_the_same_days_have_wash_sales():
    trades, stopped = walked(0, "specific", 40, wash_sale_days=0)

    assert breaches(trades)
    assert stopped == 0
