"""The same inputs, the same plan: whatever the order, batches, names, scale, hash seed."""

import json
import os
import signal
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
from steelyard.orders import Order, Side
from steelyard.planning.solve import local
from steelyard.portfolio import Holding, Security, TaxLot
from steelyard.targets import Targets
from steelyard.telemetry.events import BatchScored, ModuleFinished

KERNELS = ("Haswell", "SkylakeX", "Prescott", "Nehalem", "Zen")
"""Of the linear algebra; the process of one that this processor lacks ends by SIGILL."""
SAME = {"abs": 1e-9, "rel": 1e-9}
PLANS = """
import sys
from builders.world import BUSY
from steelyard.__main__ import main
print(BUSY.plan().plan_id, BUSY.plan(seed=3).plan_id)
sys.argv[1:] = ["plan", "--json"]
main()
"""


def decisions(plan):
    """What is done, without names, money or digests."""
    return [(step.side, step.quantity, step.candidate) for step in plan.steps]


def test_no_hash_seed_and_no_kernel_of_the_linear_algebra_changes_a_plan_or_its_id():
    same = f"{BUSY.plan().plan_id} {BUSY.plan(seed=3).plan_id}"
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", PLANS], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**environment, "OPENBLAS_CORETYPE": kernel, "PYTHONHASHSEED": str(seed)},
        )
        for seed, kernel in enumerate(KERNELS)
    ]  # fmt: skip
    ended = [(run.communicate(timeout=60)[0].decode().partition("\n"), run) for run in runs]
    outputs = [output for output, run in ended if run.returncode != -signal.SIGILL]

    assert len(outputs) >= 3
    assert {busy for busy, _, _ in outputs} == {same}
    assert len({json.loads(demo)["plan_id"] for _, _, demo in outputs}) == 1


def moved(of: World, change) -> World:
    """The world with every row of its snapshot changed: holdings, securities, open orders."""
    rows = of.snapshot
    lists = (rows.holdings, rows.securities, rows.open_orders)
    holdings, securities, orders = (tuple(map(change, rows)) for rows in lists)
    return of.having(holdings=holdings, securities=securities, open_orders=orders)


@FEWER
@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(portfolio, random):
    def shuffled(rows):
        return random.sample(list(rows), len(rows))

    snapshot, prices, targets = portfolio.snapshot, portfolio.market, portfolio.targets
    columns = shuffled(range(len(prices.symbols)))
    other = portfolio.having(
        holdings=tuple(
            replace(h, lots=tuple(shuffled(h.lots))) for h in shuffled(snapshot.holdings)
        ),
        securities=tuple(shuffled(snapshot.securities)),
        cash=dict(shuffled(snapshot.cash.items())),
        symbols=tuple(prices.symbols[k] for k in columns),
        closes=prices.closes[:, columns],
        quotes=dict(shuffled(prices.quotes.items())),
        targets=targets and Targets(dict(shuffled(targets.weights.items()))),
    )

    assert other.plan().plan_id == portfolio.plan().plan_id


@FEWER
@given(worlds(), st.sampled_from([1, 7]))
def test_the_size_of_batches_changes_nothing(portfolio, size):
    few, many = (portfolio.plan(steps=local(batch_size=rows)) for rows in (size, 4096))

    assert few.plan_id == many.plan_id


def renamed(of: World, new: dict[str, str]) -> World:
    return moved(of, lambda row: replace(row, symbol=new[row.symbol])).having(
        symbols=tuple(new[symbol] for symbol in of.market.symbols),
        quotes={new[s]: replace(quote, symbol=new[s]) for s, quote in of.market.quotes.items()},
        targets=of.targets and Targets({new[s]: w for s, w in of.targets.weights.items()}),
    )


@FEWER
@given(worlds())
def test_names_in_the_same_order_change_only_names(portfolio):
    new = {symbol: f"N{place}" for place, symbol in enumerate(sorted(portfolio.market.symbols))}

    before, after = portfolio.plan(), renamed(portfolio, new).plan()

    assert decisions(before) == decisions(after)
    assert [new[step.symbol] for step in before.steps] == [step.symbol for step in after.steps]
    for part in ("score", "cash_after", "costs", "drift"):
        assert getattr(before, part) == getattr(after, part)


def in_cents(of: World, factor: Decimal) -> World:
    """The same world in a currency of which `factor` make one of ours."""
    dollars = {symbol for symbol in of.market.symbols if in_dollars(of, symbol)}

    def priced(symbol, amount):
        return amount if amount is None or not in_dollars(of, symbol) else amount * factor

    scale = np.array([float(factor) if s in dollars else 1.0 for s in of.market.symbols])
    rates = {
        c: tuple(replace(rate, rate=rate.rate * factor) for rate in rates)
        for c, rates in of.market.fx.rates.items()
    }
    costs, limits = of.strategy.costs, of.strategy.limits
    return of.having(
        cash={**of.snapshot.cash, "USD": of.snapshot.cash["USD"] * factor},
        holdings=tuple(
            replace(
                h, lots=tuple(replace(x, unit_cost=priced(h.symbol, x.unit_cost)) for x in h.lots)
            )
            for h in of.snapshot.holdings
        ),
        open_orders=tuple(
            replace(o, limit_price=priced(o.symbol, o.limit_price)) for o in of.snapshot.open_orders
        ),
        closes=of.market.closes * scale,
        quotes={s: replace(q, price=priced(s, q.price)) for s, q in of.market.quotes.items()},
        fx=FxTable("USD", rates),
        costs={"fixed": costs.fixed * float(factor)},
        limits={"min_trade_base": limits.min_trade_base * float(factor)},
    )


def in_dollars(of: World, symbol: str) -> bool:
    security = of.snapshot.security(symbol)
    return security is None or security.currency == "USD"


@FEWER
@given(worlds(), st.sampled_from(["0.25", "2", "64"]))
def test_all_money_scaled_leaves_trades_and_weights_as_they_were(portfolio, factor):
    before, after = portfolio.plan(), in_cents(portfolio, Decimal(factor)).plan()

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
def test_all_shares_lots_and_money_scaled_scale_the_trades(portfolio, factor):
    times = Decimal(factor)

    def scaled(row):
        if isinstance(row, Security):
            return replace(row, lot_size=row.lot_size * times)
        lots = {"lots": tuple(map(scaled, row.lots))} if isinstance(row, Holding) else {}
        return replace(row, quantity=row.quantity * times, **lots)

    larger = moved(portfolio, scaled).having(
        cash={currency: amount * times for currency, amount in portfolio.snapshot.cash.items()},
        costs={"fixed": portfolio.strategy.costs.fixed * float(times)},
    )

    before, after = portfolio.plan(), larger.plan()

    wider = [(side, quantity * times, candidate) for side, quantity, candidate in decisions(before)]
    assert wider == decisions(after)
    assert before.score == after.score


def test_history_older_than_ten_years_changes_neither_plan_nor_id():
    prices = {symbol: quote.price for symbol, quote in BUSY.market.quotes.items()}
    long = replace(BUSY, market=market(prices, TEN_YEARS + 400))
    tail, last = long.market, slice(-TEN_YEARS - 1, None)
    rates = FxTable("USD", {"EUR": tail.fx.rates["EUR"][last]})
    same = Market(tail.symbols, tail.dates[last], tail.closes[last], tail.quotes, rates)

    short = replace(long, market=replace(same, source=tail.source))

    assert short.plan().plan_id == long.plan().plan_id


def test_rates_after_the_as_of_date_change_nothing():
    rates = BUSY.market.fx.rates["EUR"]
    later = tuple(FxRate("EUR", Decimal(9), AS_OF + timedelta(days=k)) for k in range(1, 20))
    longer = BUSY.having(fx=FxTable("USD", MappingProxyType({"EUR": (*rates, *later)})))

    assert longer.plan().plan_id == BUSY.plan().plan_id


def added(of: World, security: Security, price: str, walk_seed: int = 5) -> World:
    """The world with one more listed security."""
    symbol, dates = security.symbol, of.market.dates
    symbols = tuple(sorted((*of.market.symbols, symbol)))
    column = float(price) * walk(walk_seed, len(dates))
    return of.having(
        securities=(*of.snapshot.securities, security),
        symbols=symbols,
        closes=np.insert(of.market.closes, symbols.index(symbol), column, axis=1),
        quotes={
            **of.market.quotes,
            symbol: Quote(symbol, Decimal(price), dates[-1].astype(object)),
        },
    )


@FEWER
@given(worlds(), st.sampled_from(["not for sale", "too dear", "a whole lot too dear"]))
def test_a_security_that_may_not_or_cannot_be_bought_changes_nothing(portfolio, why):
    lot = Decimal(10**6 if "lot" in why else 1)
    security = Security(
        "AC", "USD", sectors=("Rare",), allow_buy=why != "not for sale", lot_size=lot
    )
    price = "1e9" if why == "too dear" else "50"

    assert added(portfolio, security, price).plan().plan_id == portfolio.plan().plan_id


@FEWER
@given(worlds())
def test_with_targets_no_other_security_changes_anything(portfolio):
    portfolio = replace(portfolio, targets=portfolio.targets or Targets())
    more = added(portfolio, Security("AC", "USD", sectors=("Rare",)), "50")

    assert more.plan().plan_id == portfolio.plan().plan_id


def test_events_come_in_the_same_order_and_twice_the_same():
    first, second = [], []
    for events in (first, second):
        BUSY.plan(observe=events.append)

    assert first == second
    assert [e.number for e in first if isinstance(e, BatchScored)] == [0]
    assert [type(e).__name__ for e in first if not isinstance(e, ModuleFinished)] == [
        "PlanningStarted", "OpportunitiesIdentified", "SequenceGenerationStarted",
        "SequenceEvaluationStarted", "BatchScored", "BestSequenceUpdated",
        "SequenceGenerationCompleted", "SequenceEvaluationCompleted", "SearchCompleted",
        "BestSequenceUpdated", "PlanningCompleted",
    ]  # fmt: skip


def test_the_clock_only_times():
    ticks = iter(range(10**6))
    plan = BUSY.plan(steps=local(clock=lambda: float(next(ticks)) / 1e6))

    assert plan.plan_id == BUSY.planned.plan_id
    assert all(timing.seconds > 0 for timing in plan.timings)


def stretched(of: World):
    return of.market.closes * np.linspace(1.01, 1, len(of.market.dates))[:, None]


def with_one_more(holding: Holding) -> Holding:
    first, *others = holding.lots
    lots = (replace(first, quantity=first.quantity + 1), *others)
    return replace(holding, quantity=holding.quantity + 1, lots=lots)


CASH, HOLDINGS = BUSY.snapshot.cash, BUSY.snapshot.holdings
CHANGES = {
    "a quantity": {"holdings": (with_one_more(HOLDINGS[0]), *HOLDINGS[1:])},
    "cash": {"cash": {**CASH, "USD": Decimal("9000.01")}},
    "a foreign balance": {"cash": {**CASH, "EUR": Decimal(501)}},
    "the base's name for a bucket": {"bucket": "other"},
    "a close": {"closes": stretched(BUSY)},
    "a target": {"targets": Targets({**BUSY.targets.weights, "AA": 0.21})},
    "a limit": {"limits": {"cash_reserve_weight": 0.03}},
    "a last sale": {"holdings": tuple(replace(h, last_sold=AS_OF) for h in HOLDINGS)},
}


def test_every_input_and_the_seed_are_in_the_hash_of_the_inputs():
    hashes = {name: BUSY.having(**change).plan().inputs_sha256 for name, change in CHANGES.items()}
    hashes["the seed"] = BUSY.plan(seed=1).inputs_sha256

    same = BUSY.planned.inputs_sha256
    assert [name for name, digest in hashes.items() if digest == same] == []


def test_the_rate_of_a_foreign_balance_is_in_the_hash_of_the_inputs():
    """Also where no security is quoted in that currency."""
    plain = world("AA 40 @ 100", "BB 10 @ 50", cash={"USD": "1000", "EUR": "500"})
    prices = {"AA": Decimal(100), "BB": Decimal(50)}

    dearer = replace(plain, market=market(prices, fx=Decimal("1.5"))).plan()

    assert plain.plan().value != dearer.value
    assert plain.plan().inputs_sha256 != dearer.inputs_sha256


def test_the_limit_price_of_an_open_buy_is_in_the_hash_of_the_inputs():
    orders = [Order("o", "BB", Side.BUY, Decimal(5), Decimal(price)) for price in (50, 60)]
    hashes = [
        world("AA 40 @ 100", "BB 0 @ 50", cash="1000", orders=[order]).plan().inputs_sha256
        for order in orders
    ]

    assert hashes[0] != hashes[1]


def test_excluding_and_not_owning_are_told_apart():
    both = world("AA 40 @ 100", "BB 10 @ 50", cash="1000")
    rest = both.having(
        holdings=tuple(h for h in both.snapshot.holdings if h.symbol == "AA"),
        securities=tuple(s for s in both.snapshot.securities if s.symbol == "AA"),
    )

    plan = rest.having(excluded=("BB",)).plan()

    assert plan.excluded == ("BB",)
    assert plan.inputs_sha256 != rest.plan().inputs_sha256


def test_a_holding_without_a_record_of_its_security_is_quoted_in_the_base_currency():
    bare = world("AA 40 @ 100", cash="1000").having(
        securities=(), holdings=(Holding("AA", Decimal(40), (TaxLot(Decimal(40)),)),)
    )

    assert bare.plan().value == 5000


def test_the_session_days_end_at_the_as_of_date():
    assert session_days(3)[-1] == np.datetime64(AS_OF)
