"""What the account's repositories say changes plans, or is refused by name."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from builders.compat import Settings, Trades, plan, refusal, trades
from steelyard.compat import CircuitBreaker, HolisticPlanner, PlannerConfiguration, PlannerContext
from steelyard.compat.convert import convert
from steelyard.planning import planner


def test_a_trade_repository_feeds_the_cooldowns(small: PlannerContext):
    yesterday = date(2026, 1, 8)

    free = plan(small)
    cooling = plan(small, trade_repo=Trades({"ACME": {"last_buy": yesterday, "last_sell": None}}))

    assert ("SELL", "ACME") in {(step.side, step.symbol) for step in free.steps}
    assert ("SELL", "ACME") not in {(step.side, step.symbol) for step in cooling.steps}
    assert {stop.rule for stop in cooling.document.not_traded if stop.symbol == "ACME"} >= {
        "min_hold_days"
    }


def test_what_was_sold_whole_is_not_bought_back_at_once(small: PlannerContext):
    acme, _ = small.positions
    context = replace(
        small, positions=(acme,), target_weights={"ACME": 0.5, "BOLT": 0.45},
        current_prices={"BOLT": 50.0},
    )  # fmt: skip

    free = plan(context)
    cooling = plan(context, trade_repo=Trades({"BOLT": {"last_sell": "2026-01-02"}}))

    assert ("BUY", "BOLT") in {(step.side, step.symbol) for step in free.steps}
    assert ("BUY", "BOLT") not in {(step.side, step.symbol) for step in cooling.steps}


def test_a_settings_repository_feeds_costs_and_limits(small: PlannerContext):
    free = plan(small)
    dear = plan(
        small,
        settings_repo=Settings(
            transaction_cost_fixed=50, min_cash_reserve="2600", max_plan_depth=1
        ),
    )

    assert trades(dear) != trades(free)
    assert len(dear.steps) <= 1
    assert dear.document.rules.costs.fixed == 50
    assert dear.document.rules.limits.cash_reserve_weight == 0.2


SETTINGS = {  # of the account -> as written, ours, as meant
    "transaction_cost_fixed": (5, "costs.fixed", 5),
    "transaction_cost_percent": (0.004, "costs.percent", 0.004),
    "max_plan_depth": (2, "search.max_depth", 2),
    "min_hold_days": (10, "filters.eligibility.min_hold_days", 10),
    "sell_cooldown_days": (11, "filters.recently_traded.sell_cooldown_days", 11),
    "min_security_score": (0.8, "opportunity_calculators.opportunity_buys.min_quality_score", 0.8),
    "max_loss_threshold": (-0.2, "filters.eligibility.no_panic_sell_pct", 0.2),
    "min_cash_reserve": (1300, "limits.cash_reserve_weight", 0.1),
}


def test_every_setting_of_the_account_reaches_the_strategy(small: PlannerContext):
    account = {name: written for name, (written, _, _) in SETTINGS.items()}

    settings = plan(small, settings_repo=account).document.strategy.settings

    def value(key: str) -> float:
        section, *rest = key.split(".")
        modules = {m["name"]: m["params"] for m in settings["modules"].get(section, ())}
        return (modules[rest[0]] if modules else settings[section])[rest[-1]]

    assert {key: value(key) for _, key, _ in SETTINGS.values()} == {
        key: pytest.approx(expected) for _, key, expected in SETTINGS.values()
    }


def test_the_configuration_wins_over_the_account_and_says_so(small: PlannerContext):
    made = plan(
        small,
        PlannerConfiguration(transaction_cost_fixed=3.0),
        settings_repo={"transaction_cost_fixed": 50},
    )

    assert made.document.rules.costs.fixed == 3
    assert any("costs.fixed = 50" in said and "configuration" in said for said in made.warnings)


def test_a_setting_of_an_optimiser_is_named_as_unused(small: PlannerContext):
    made = plan(small, settings_repo={"optimizer_blend": 0.5})

    assert any("optimizer_blend" in said and "not used" in said for said in made.warnings)


NOT_UNDERSTOOD: list[tuple[dict[str, Any], str]] = [
    ({"settings_repo": {"min_cash_reserv": 1}}, "min_cash_reserv.*Did you mean min_cash_reserve"),
    ({"settings_repo": {"min_cash_reserve": "much"}}, "min_cash_reserve is 'much'"),
    ({"settings_repo": {"min_hold_days": 1.5}}, "min_hold_days is 1.5; it must be a whole number"),
    ({"settings_repo": {"min_cash_reserve": 1e9}}, "worth 13,000.00"),
    ({"settings_repo": {"max_loss_threshold": 0.2}}, "from -1 to 0"),
    ({"settings_repo": {"transaction_cost_fixed": 10**400}}, "must be a number"),
    ({"settings_repo": {1: 2}}, "settings_repo has 1,"),
    ({"settings_repo": Settings()._as(None)}, "What settings_repo gives is None"),
    ({"settings_repo": object()}, r"settings_repo is a object without get_all\(\)"),
    ({"trade_repo": object()}, r"trade_repo is a object without get_trade_history\(\)"),
    ({"trade_repo": Trades({"ACME": {"last_bye": None}})}, "'last_bye'.*Did you mean last_buy"),
    ({"trade_repo": Trades(None)}, "The trade history is None"),
    ({"trade_repo": Trades({"ACME": "2026"})}, "The trade history of ACME is '2026'"),
    ({"services": {"exchange_rates": None}}, "no 'exchange_rates'.*exchange_rate_service"),
    ({"repositories": object()}, "none of settings_repo, trade_repo"),
    ({"settings_repo": {}, "repositories": {"settings_repo": {}}}, "settings_repo is given twice"),
]


def test_a_repository_that_is_not_understood_is_refused(small: PlannerContext):
    assert [
        (why, said)
        for options, why in NOT_UNDERSTOOD
        if not re.search(why, said := refusal(small, **options))
    ] == []


def test_what_a_repository_raises_comes_through_and_nothing_is_counted_against_a_module(
    small: PlannerContext,
):
    class Down:
        async def get_all(self) -> Mapping[str, Any]:
            raise ConnectionError("database is away")

    breaker = CircuitBreaker(failure_threshold=1)
    with pytest.raises(ConnectionError, match="database is away"):
        plan(small, settings_repo=Down(), circuit_breaker=breaker)

    assert not any(
        breaker.is_open(module.qualified) for module in HolisticPlanner().opportunity_calculators
    )


def test_what_the_account_says_changes_the_trades_by_itself(small: PlannerContext):
    rich = replace(small, available_cash=6000, target_weights={"ACME": 0.56, "BOLT": 0.44})
    account = {
        "costs": {"settings_repo": {"transaction_cost_fixed": 500}},
        "limits": {"settings_repo": {"min_cash_reserve": 5000}},
        "cooldowns": {"trade_repo": Trades({"BOLT": {"last_buy": "2026-01-08"}})},
    }

    waiting = PlannerConfiguration()  # towards targets only a wait that is set counts
    waiting.filters.recently_traded.params["buy_cooldown_days"] = 30

    free = trades(plan(rich, waiting))

    # all cash over the reserve of 2 %, 360, is new money: 112 shares cost 5,613.20
    assert free == [("BUY", "BOLT", 112)]
    same = [name for name, what in account.items() if trades(plan(rich, waiting, **what)) == free]
    assert same == []


def test_nothing_of_one_planner_is_in_another(small: PlannerContext):
    config = PlannerConfiguration()
    first = HolisticPlanner()
    first.config.opportunity_calculators.weight_based.enabled = False
    first.config.filters.eligibility.params["min_hold_days"] = 1
    before = plan(small, config)

    plan(
        small, config, settings_repo={"transaction_cost_fixed": 50},
        trade_repo=Trades({"ACME": {"last_buy": "2026-01-08"}}),
    )  # fmt: skip

    assert HolisticPlanner().config == PlannerConfiguration() == config
    assert (
        plan(small, config).document.plan_id
        == before.document.plan_id
        == plan(small).document.plan_id
    )


def test_plans_made_at_once_in_tasks_and_threads_are_one_plan(small: PlannerContext):
    one = HolisticPlanner()

    async def together() -> list[str]:
        return [
            made.document.plan_id
            for made in await asyncio.gather(*(one.plan(small) for _ in range(4)))
        ]

    with ThreadPoolExecutor(4) as pool:
        ids = {
            plan_id
            for made in pool.map(lambda _: asyncio.run(together()), range(4))
            for plan_id in made
        }

    assert len(ids) == 1
    assert one.perf.get_stats()["weight_based.calculate"]["count"] == 16


def test_the_plan_is_the_native_one_of_the_same_inputs(small: PlannerContext):
    config = PlannerConfiguration(max_depth=4)
    inputs = convert(small, "core", {}, {})

    native = planner.plan(inputs.snapshot, inputs.market, config.strategy(), targets=inputs.targets)

    assert plan(small, config).document.plan_id == native.plan_id


def test_repositories_may_come_together(small: PlannerContext):
    together = SimpleNamespace(
        settings_repo=Settings(transaction_cost_fixed=7), trade_repo=Trades({})
    )

    assert plan(small, repositories=together).document.rules.costs.fixed == 7
