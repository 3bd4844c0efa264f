"""The same inputs give the same plan: whatever the order, the batches, the names, the scale, the
hash seed.
"""

import os
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.paths import TESTS
from builders.world import AS_OF, BUSY, World, market, session_days, walk, world
from builders.worlds import FEWER, worlds
from steelyard.estimates.estimate import TEN_YEARS
from steelyard.market import Market, Quote
from steelyard.money import FxRate, FxTable
from steelyard.planning.solve import local
from steelyard.portfolio import Holding, Security, Snapshot
from steelyard.settings import Costs, Limits
from steelyard.targets import Targets
from steelyard.telemetry.events import BatchScored

SEEDS = range(10)
SAME = {"abs": 1e-9, "rel": 1e-9}


def decisions(plan):
    """What is done, without names, money or digests."""
    return [(step.side, step.quantity, step.candidate) for step in plan.steps]


def test_ten_hash_seeds_give_one_plan():
    script = (
        "from builders.world import BUSY; print(BUSY.plan().plan_id, BUSY.plan(seed=3).plan_id)"
    )
    here = str(TESTS)
    told = set()
    for pair in (SEEDS[i : i + 2] for i in SEEDS[::2]):
        runs = [
            subprocess.Popen(
                [sys.executable, "-c", script],
                env={**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": here},
                stdout=subprocess.PIPE,
                text=True,
            )
            for seed in pair
        ]
        for run in runs:
            told.add(run.communicate()[0])
            assert run.returncode == 0

    assert told == {f"{BUSY.plan().plan_id} {BUSY.plan(seed=3).plan_id}\n"}


@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(one, random):
    def shuffled(rows):
        return random.sample(list(rows), len(rows))

    columns = shuffled(range(len(one.market.symbols)))
    snapshot = replace(
        one.snapshot,
        holdings=tuple(
            replace(h, lots=tuple(shuffled(h.lots))) for h in shuffled(one.snapshot.holdings)
        ),
        securities=tuple(shuffled(one.snapshot.securities)),
        cash=dict(shuffled(one.snapshot.cash.items())),
    )
    prices = replace(
        one.market,
        symbols=tuple(one.market.symbols[k] for k in columns),
        closes=one.market.closes[:, columns],
        quotes=dict(shuffled(one.market.quotes.items())),
    )
    targets = (
        Targets(dict(shuffled(one.targets.weights.items())))
        if isinstance(one.targets, Targets)
        else None
    )

    assert (
        replace(one, snapshot=snapshot, market=prices, targets=targets).plan().plan_id
        == one.plan().plan_id
    )


@FEWER
@given(worlds(), st.sampled_from([1, 7]))
def test_the_size_of_batches_changes_nothing(one, size):
    assert (
        one.plan(steps=local(batch_size=size)).plan_id
        == one.plan(steps=local(batch_size=4096)).plan_id
    )


def renamed(one: World, new: dict[str, str]) -> World:
    holdings = tuple(replace(h, symbol=new[h.symbol]) for h in one.snapshot.holdings)
    securities = tuple(replace(s, symbol=new[s.symbol]) for s in one.snapshot.securities)
    orders = tuple(replace(o, symbol=new[o.symbol]) for o in one.snapshot.open_orders)
    quotes = {
        new[symbol]: replace(quote, symbol=new[symbol])
        for symbol, quote in one.market.quotes.items()
    }
    return replace(
        one,
        snapshot=replace(
            one.snapshot, holdings=holdings, securities=securities, open_orders=orders
        ),
        market=replace(
            one.market, symbols=tuple(new[symbol] for symbol in one.market.symbols), quotes=quotes
        ),
        targets=(
            Targets({new[s]: w for s, w in one.targets.weights.items()})
            if isinstance(one.targets, Targets)
            else None
        ),
    )


@FEWER
@given(worlds())
def test_names_in_the_same_order_change_only_names(one):
    new = {symbol: f"N{place}" for place, symbol in enumerate(sorted(one.market.symbols))}

    before, after = one.plan(), renamed(one, new).plan()

    assert decisions(before) == decisions(after)
    assert [new[step.symbol] for step in before.steps] == [step.symbol for step in after.steps]
    assert (before.score, before.cash_after, before.costs, before.drift) == (
        after.score,
        after.cash_after,
        after.costs,
        after.drift,
    )


def in_cents(one: World, factor: Decimal) -> World:
    """The same world in a currency of which `factor` make one of ours."""

    def money(amount):
        return None if amount is None else amount * factor

    snapshot = replace(
        one.snapshot,
        cash={
            "USD": one.snapshot.cash["USD"] * factor,
            **{c: a for c, a in one.snapshot.cash.items() if c != "USD"},
        },
        holdings=tuple(
            replace(
                h,
                lots=tuple(
                    replace(lot, unit_cost=cost_in(one, h.symbol, lot.unit_cost, factor))
                    for lot in h.lots
                ),
            )
            for h in one.snapshot.holdings
        ),
        open_orders=tuple(
            replace(o, limit_price=cost_in(one, o.symbol, o.limit_price, factor))
            for o in one.snapshot.open_orders
        ),
    )
    dollars = {s.symbol for s in one.snapshot.securities if s.currency == "USD"}
    scale = np.array([float(factor) if symbol in dollars else 1.0 for symbol in one.market.symbols])
    prices = replace(
        one.market,
        closes=one.market.closes * scale,
        quotes={
            s: replace(q, price=money(q.price) if s in dollars else q.price)
            for s, q in one.market.quotes.items()
        },
        fx=FxTable(
            "USD",
            {
                c: tuple(replace(r, rate=r.rate * factor) for r in rates)
                for c, rates in one.market.fx.rates.items()
            },
        ),
    )
    rules = replace(
        one.strategy,
        costs=Costs(
            **{**one.strategy.costs.model_dump(), "fixed": one.strategy.costs.fixed * float(factor)}
        ),
        limits=Limits(
            **{
                **one.strategy.limits.model_dump(),
                "min_trade_base": one.strategy.limits.min_trade_base * float(factor),
            }
        ),
    )
    return replace(one, snapshot=snapshot, market=prices, strategy=rules)


def cost_in(one: World, symbol: str, amount: Decimal | None, factor: Decimal) -> Decimal | None:
    security = one.snapshot.security(symbol)
    return (
        amount * factor
        if amount is not None and (security is None or security.currency == "USD")
        else amount
    )


@FEWER
@given(worlds(), st.sampled_from(["0.25", "2", "64"]))
def test_all_money_scaled_leaves_trades_and_weights_as_they_were(one, factor):
    before, after = one.plan(), in_cents(one, Decimal(factor)).plan()

    assert decisions(before) == decisions(after)
    assert [s.weight_after for s in before.steps] == pytest.approx(
        [s.weight_after for s in after.steps], **SAME
    )
    assert (before.score.hold, before.score.improvement) == pytest.approx(
        (after.score.hold, after.score.improvement), **SAME
    )
    assert before.costs.total * Decimal(factor) == after.costs.total
    assert before.cash_after["USD"] * Decimal(factor) == after.cash_after["USD"]


@FEWER
@given(worlds(), st.sampled_from(["0.5", "8"]))
def test_all_shares_lots_and_money_scaled_scale_the_trades(one, factor):
    times = Decimal(factor)
    snapshot = replace(
        one.snapshot,
        cash={currency: amount * times for currency, amount in one.snapshot.cash.items()},
        holdings=tuple(
            replace(
                h,
                quantity=h.quantity * times,
                lots=tuple(replace(lot, quantity=lot.quantity * times) for lot in h.lots),
            )
            for h in one.snapshot.holdings
        ),
        securities=tuple(replace(s, lot_size=s.lot_size * times) for s in one.snapshot.securities),
        open_orders=tuple(
            replace(o, quantity=o.quantity * times) for o in one.snapshot.open_orders
        ),
    )
    rules = replace(
        one.strategy,
        costs=Costs(
            **{**one.strategy.costs.model_dump(), "fixed": one.strategy.costs.fixed * float(times)}
        ),
    )

    before, after = one.plan(), replace(one, snapshot=snapshot, strategy=rules).plan()

    assert [
        (side, quantity * times, candidate) for side, quantity, candidate in decisions(before)
    ] == decisions(after)
    assert before.score == after.score


def test_history_older_than_ten_years_changes_neither_plan_nor_id():
    long = replace(
        BUSY,
        market=market(
            {symbol: quote.price for symbol, quote in BUSY.market.quotes.items()}, TEN_YEARS + 400
        ),
    )
    tail = long.market
    same = Market(
        tail.symbols, tail.dates[-TEN_YEARS - 1 :], tail.closes[-TEN_YEARS - 1 :], tail.quotes,
        FxTable("USD", {"EUR": tail.fx.rates["EUR"][-TEN_YEARS - 1 :]}),
    )  # fmt: skip

    assert (
        replace(long, market=replace(same, source=tail.source)).plan().plan_id
        == long.plan().plan_id
    )


def with_tail(prices: Market, days: int) -> Market:
    """Rates of days after the as-of date, as a file read for a later date has them."""
    later = tuple(FxRate("EUR", Decimal(9), AS_OF + timedelta(days=k)) for k in range(1, days))
    return replace(
        prices, fx=FxTable("USD", MappingProxyType({"EUR": (*prices.fx.rates["EUR"], *later)}))
    )


def test_rates_after_the_as_of_date_change_nothing():
    assert replace(BUSY, market=with_tail(BUSY.market, 20)).plan().plan_id == BUSY.plan().plan_id


def added(one: World, security: Security, price: str, walk_seed: int = 5) -> World:
    """The world with one more listed security."""
    symbols = tuple(sorted((*one.market.symbols, security.symbol)))
    at = symbols.index(security.symbol)
    closes = np.insert(
        one.market.closes, at, float(price) * walk(walk_seed, len(one.market.dates)), axis=1
    )
    quotes = {
        **one.market.quotes,
        security.symbol: Quote(
            security.symbol, Decimal(price), one.market.dates[-1].astype(object)
        ),
    }
    return replace(
        one,
        snapshot=replace(one.snapshot, securities=(*one.snapshot.securities, security)),
        market=replace(one.market, symbols=symbols, closes=closes, quotes=quotes),
    )


@FEWER
@given(worlds(), st.sampled_from(["not for sale", "too dear", "a whole lot too dear"]))
def test_a_security_that_may_not_or_cannot_be_bought_changes_nothing(one, why):
    security = Security(
        "AC",
        "USD",
        sectors=("Rare",),
        allow_buy=why != "not for sale",
        lot_size=Decimal(10**6 if "lot" in why else 1),
    )
    price = "1e9" if why == "too dear" else "50"

    assert added(one, security, price).plan().plan_id == one.plan().plan_id


@FEWER
@given(worlds())
def test_with_targets_no_other_security_changes_anything(one):
    if one.targets is None:
        one = replace(one, targets=Targets())

    assert (
        added(one, Security("AC", "USD", sectors=("Rare",)), "50").plan().plan_id
        == one.plan().plan_id
    )


def test_events_come_in_the_same_order_and_twice_the_same():
    told = []
    for _ in range(2):
        events = []
        BUSY.plan(observe=events.append)
        told.append(events)

    assert told[0] == told[1]
    assert [e.number for e in told[0] if isinstance(e, BatchScored)] == [0]
    stages = [e.stage for e in told[0] if hasattr(e, "stage")]
    assert stages[:3] == ["find_opportunities", "generate", "evaluate"]


def test_the_clock_only_times():
    ticks = iter(range(10**6))
    plan = BUSY.plan(steps=local(clock=lambda: float(next(ticks)) / 1e6))

    assert plan.plan_id == BUSY.plan().plan_id
    assert all(timing.seconds > 0 for timing in plan.timings)


def test_the_seed_is_an_input():
    assert BUSY.plan(seed=1).inputs_sha256 != BUSY.plan(seed=2).inputs_sha256


CHANGES = {
    "a quantity": lambda w: replace(
        w,
        snapshot=replace(
            w.snapshot,
            holdings=(
                replace(w.snapshot.holdings[0], quantity=Decimal(401)),
                *w.snapshot.holdings[1:],
            ),
        ),
    ),
    "cash": lambda w: replace(
        w, snapshot=replace(w.snapshot, cash={**w.snapshot.cash, "USD": Decimal("9000.01")})
    ),
    "a foreign balance": lambda w: replace(
        w, snapshot=replace(w.snapshot, cash={**w.snapshot.cash, "EUR": Decimal(501)})
    ),
    "the base's name for a bucket": lambda w: replace(
        w, snapshot=replace(w.snapshot, bucket="other")
    ),
    "a close": lambda w: replace(
        w,
        market=replace(
            w.market, closes=w.market.closes * np.linspace(1.01, 1, len(w.market.dates))[:, None]
        ),
    ),
    "a target": lambda w: replace(w, targets=Targets({**w.targets.weights, "AA": 0.21})),
    "a limit": lambda w: replace(
        w, strategy=replace(w.strategy, limits=Limits(cash_reserve_weight=0.03))
    ),
    "a last sale": lambda w: replace(
        w,
        snapshot=replace(
            w.snapshot, holdings=tuple(replace(h, last_sold=AS_OF) for h in w.snapshot.holdings)
        ),
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_input_is_in_the_hash_of_the_inputs(change):
    assert CHANGES[change](BUSY).plan().inputs_sha256 != BUSY.plan().inputs_sha256


def test_the_rate_of_a_foreign_balance_is_in_the_hash_of_the_inputs():
    """Also where no security is quoted in that currency."""
    plain = world("AA 40 @ 100", "BB 10 @ 50", cash={"USD": "1000", "EUR": "500"})
    dearer = replace(
        plain, market=market({"AA": Decimal(100), "BB": Decimal(50)}, fx=Decimal("1.5"))
    )

    assert plain.plan().value != dearer.plan().value
    assert plain.plan().inputs_sha256 != dearer.plan().inputs_sha256


def test_the_limit_price_of_an_open_buy_is_in_the_hash_of_the_inputs():
    from steelyard.orders import Order, Side

    def asking(price):
        return world(
            "AA 40 @ 100",
            "BB 0 @ 50",
            cash="1000",
            orders=(Order("o", "BB", Side.BUY, Decimal(5), Decimal(price)),),
        )

    assert asking("50").plan().inputs_sha256 != asking("60").plan().inputs_sha256


def test_excluding_and_not_owning_are_told_apart():
    held = world("AA 40 @ 100", "BB 10 @ 50", cash="1000")
    snapshot = Snapshot(
        held.snapshot.as_of,
        "USD",
        tuple(h for h in held.snapshot.holdings if h.symbol == "AA"),
        held.snapshot.cash,
        tuple(s for s in held.snapshot.securities if s.symbol == "AA"),
        excluded=("BB",),
    )

    plan = replace(held, snapshot=snapshot).plan()

    assert plan.excluded == ("BB",)
    assert (
        plan.inputs_sha256
        != replace(held, snapshot=replace(snapshot, excluded=())).plan().inputs_sha256
    )


def test_a_holding_without_a_record_of_its_security_is_quoted_in_the_base_currency():
    held = world("AA 40 @ 100", cash="1000")
    bare = replace(
        held,
        snapshot=replace(held.snapshot, securities=(), holdings=(Holding("AA", Decimal(40), ()),)),
    )

    assert bare.plan().value == 5000


def test_the_session_days_end_at_the_as_of_date():
    assert session_days(3)[-1] == np.datetime64(AS_OF)
