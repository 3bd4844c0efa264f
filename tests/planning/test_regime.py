"""The market regime sets limits: with and without an index, in every scope and preset."""

import functools
import itertools
from dataclasses import replace
from decimal import Decimal

from builders.changes import exact, stops
from builders.regimes import RATES, history
from builders.world import world
from steelyard import strategies
from steelyard.buckets.satellite import SatelliteSettings
from steelyard.buckets.sliders import strategy_of
from steelyard.plans.verify import check
from steelyard.settings import Neutral, Regime
from steelyard.strategies import parse

SCOPES = ("proposals", "candidates", "quantities")
FOLLOWING = {
    "aggressive": strategies.preset("aggressive"),
    "momentum_hunter": strategies.preset("momentum_hunter"),
    "toggle": strategy_of(SatelliteSettings(satellite_id="own", follow_regime=True)),
    "sliders": strategy_of(SatelliteSettings(satellite_id="own", preset="momentum_hunter")),
    "file": parse("pattern_generators.market_regime.enabled = true", "own.toml"),
}
"""Whatever promises to follow the regime."""
LINES = ("AA 400 @ 100", "BB 50 @ 100", "CC 0 @ 50", "DD 60 @ 100", "EE 250 @ 100")
TARGETS = {"AA": 0.35, "BB": 0.15, "CC": 0.15, "DD": 0.15, "EE": 0.20}
COSTS = {"AA": "40", "BB": "120", "DD": "115", "EE": "105"}
SPREAD = (
    *("AA 70 @ 100", "BB 60 @ 100", "CC 0 @ 50", "DD 60 @ 100"),
    *(f"{name} 70 @ 100" for name in ("EE", "FF", "GG", "HH", "II", "JJ")),
)
"""Nothing over its cap: cash alone is out of place."""
ACCOUNTS = {
    "spread": world(*SPREAD, cash="5000", cost_prices=COSTS),
    **{
        (cash, goals is not None): world(*LINES, cash=cash, targets=goals, cost_prices=COSTS)
        for cash, goals in (("8000", TARGETS), ("16000", TARGETS), ("16000", None))
    },
}

FEW = (("16000", True), ("16000", False))


@functools.cache
def planned(account, promise, scope, regime):
    """A plan of an account under an index; without one where the regime is None."""
    of = ACCOUNTS[account]
    strategy = FOLLOWING[promise]
    if scope is not None:
        strategy = replace(strategy, search=strategy.search.model_copy(update={"scope": scope}))
        strategy = replace(strategy, sources={**strategy.sources, "search.scope": "own"})
    score = strategy.score.model_copy(update={"neutral": Neutral(quality=0.9)})
    index = None if regime is None else history(RATES[regime])
    return replace(
        of,
        strategy=replace(strategy, score=score),
        market=replace(of.market, index=index),
    ).planned


def test_each_regime_changes_a_plan_in_every_scope_of_whatever_promises_it():
    same = [
        case
        for case in itertools.product(FOLLOWING, SCOPES, RATES)
        if all(
            exact(planned(account, *case[:2], case[2])) == exact(planned(account, *case[:2], None))
            for account in ACCOUNTS
        )
    ]
    assert same == []


def test_the_reserve_and_its_reason_are_those_of_the_regime_and_verify_derives_them():
    wrong = []
    for promise, regime in itertools.product(FOLLOWING, (None, *RATES)):
        plan = planned(("16000", True), promise, "quantities", regime)
        least = {None: "0.02", "bull": "0.02", "bear": "0.05", "sideways": "0.03"}[regime]
        key = "limits.cash_reserve_weight" if regime is None else f"regime.{regime}_cash"
        share = Decimal("0.5") if regime == "bear" else Decimal(1)
        cash, reserve = plan.cash["USD"], Decimal(least) * plan.value
        due = reserve + (1 - share) * (cash - reserve)
        if abs(plan.reserve - due) > Decimal("0.001") or key not in plan.reserve_reason.text:
            wrong.append((promise, regime, plan.reserve, due, plan.reserve_reason.text))
        if not check(plan.document()).ok:
            wrong.append((promise, regime, "verify"))
    assert wrong == []


def test_verify_finds_a_reserve_or_a_reason_of_another_regime():
    document = planned(("16000", True), "toggle", "quantities", "bear").document()
    for change in (
        {"reserve": "3580.00"},
        {"reserve_reason": {**document["reserve_reason"], "facts": {
            **document["reserve_reason"]["facts"], "least": 0.02}}},
        {"regime": {**document["regime"], "name": "sideways", "distance": -0.04}},
    ):  # fmt: skip
        report = check({**document, **change})
        assert [row for row in report.failed if row.where.startswith("reserve")], change


def test_a_bear_market_spends_half_of_the_spare_cash_and_sales_pay_for_the_rest():
    over = []
    for account, promise, scope in itertools.product(FEW, FOLLOWING, SCOPES):
        plan = planned(account, promise, scope, "bear")
        before, after = plan.cash["USD"], plan.cash_after["USD"]
        floor = min(before, plan.reserve)
        if after < floor:
            over.append((account, promise, scope, after, floor))
    assert over == []


def test_a_bear_market_averages_nothing_down_whoever_asks():
    """BB, DD, EE are below their cost, AA is above it and CC is not held."""
    bought = {
        (account, promise, scope, step.symbol)
        for account, promise, scope in itertools.product(FEW, FOLLOWING, SCOPES)
        for step in planned(account, promise, scope, "bear").steps
        if step.side.value == "buy" and step.symbol not in {"AA", "CC"}
    }
    assert bought == set()
    plan = planned(("16000", True), "toggle", "quantities", "bear")
    assert ("opportunity", "bear_averaging_down") in stops(plan, "BB")


def test_a_bear_market_averages_down_where_the_settings_let_it():
    of = ACCOUNTS["16000", True]
    strategy = replace(FOLLOWING["toggle"], regime=Regime(bear_averaging_down=True))
    market = replace(of.market, index=history(RATES["bear"]))
    plan = replace(of, strategy=strategy, market=market).plan()
    assert "BB" in {step.symbol for step in plan.steps}


def test_a_bucket_that_does_not_follow_the_regime_is_planned_the_same_under_any_index():
    of = ACCOUNTS["16000", True]
    plans = [
        replace(of, market=replace(of.market, index=history(rate))).plan()
        for rate in RATES.values()
    ]
    due = of.planned
    assert [exact(plan) for plan in plans] == [exact(due)] * 3
    assert {plan.reserve for plan in plans} == {due.reserve}


def test_a_pattern_out_of_service_sets_no_limits():
    of = ACCOUNTS["16000", True]
    market = replace(of.market, index=history(RATES["bear"]))
    bear = replace(of, strategy=FOLLOWING["toggle"], market=market)
    plan = bear.plan(disabled={"market_regime": "why"})
    assert "limits.cash_reserve_weight" in plan.reserve_reason.text
    assert check(plan.document()).ok


def test_without_targets_the_score_wants_little_cash_in_a_bull_and_more_in_a_bear():
    of = ACCOUNTS["16000", False]
    wanted = {}
    for regime, rate in RATES.items():
        world_of = replace(of, strategy=FOLLOWING["toggle"])
        ctx = replace(world_of, market=replace(of.market, index=history(rate))).prepared.ctx
        low = replace(ctx.rules, score=ctx.score.model_copy(update={"cash_target": 0.01}))
        wanted[regime] = ctx.preferred_cash, replace(ctx, rules=low).preferred_cash
    assert wanted == {"bull": (0.02, 0.01), "bear": (0.05, 0.05), "sideways": (0.05, 0.01)}
