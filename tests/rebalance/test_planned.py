"""The plan document of the reference engine: the planner's form, exact orders, a second opinion."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from builders.world import AS_OF, World, world
from builders.worlds import FEWER, worlds
from steelyard.errors import InputError, PlanRefused
from steelyard.plans import verify
from steelyard.plans.plan import Plan
from steelyard.rebalance.planned import plan
from steelyard.settings import Costs, Limits, Rebalance
from steelyard.targets import Band, Targets, TargetsFailed

FREE = Costs(fixed=0.0, percent=0.0)
NO_RESERVE = Limits(cash_reserve_weight=0.0)
HELD = ("AA 40 @ 100", "BB 40 @ 100")
TARGETS = {"AA": 0.5, "BB": 0.3}


def exact(small: World, **more: Any) -> Plan:
    return plan(
        small.snapshot, small.market, small.strategy, targets=small.targets, state=small.state,
        **more,
    )  # fmt: skip


def orders(document: Plan) -> dict[str, str]:
    return {step.symbol: f"{step.side} {step.quantity}" for step in document.steps}


def stops(document: Plan) -> dict[str, str]:
    return {stop.symbol: stop.rule for stop in document.not_traded}


def small(*held: str, cash: str = "2000", targets: Any = None, **sections: Any) -> World:
    sections = {"costs": FREE, "limits": NO_RESERVE, **sections}
    return world(*(held or HELD), cash=cash, targets=targets or TARGETS, **sections)


def test_the_document_says_which_engine_made_it_and_that_nothing_was_searched():
    document = exact(small())

    assert orders(document) == {"BB": "sell 10", "AA": "buy 10"}
    certificate = document.certificate
    assert (certificate.scope, certificate.status) == ("targets", "none")
    assert certificate.covers == "exact orders to the target weights; nothing was searched"
    assert document.candidates == ()
    assert {step.proposed_by for step in document.steps} == {("rebalance",)}
    assert document.drift.after == pytest.approx(0)
    assert [other.name for other in document.alternatives] == ["hold"]


@FEWER
@given(worlds())
def test_every_figure_of_it_is_derived_again_by_the_second_opinion(ugly: World):
    if not isinstance(ugly.targets, Targets) or not ugly.targets.weights:
        return

    report = verify.check(exact(ugly).document())

    assert report.failed == ()


def test_it_comes_back_from_its_json():
    document = exact(small())

    assert Plan.from_json(document.to_json()).to_json() == document.to_json()
    assert exact(small()).plan_id == document.plan_id


def test_engines_are_switched_back_and_forth_and_each_makes_its_own_plan_again():
    portfolio = small()
    by_fast, by_reference = portfolio.plan(), exact(portfolio)

    assert by_fast.certificate.scope != by_reference.certificate.scope
    assert portfolio.plan().plan_id == by_fast.plan_id
    assert exact(portfolio).plan_id == by_reference.plan_id


@pytest.mark.parametrize("targets", [None, TargetsFailed("the service is down")])
def test_without_targets_there_is_nothing_to_be_exact_about(targets: TargetsFailed | None):
    with pytest.raises(InputError, match="needs target weights"):
        exact(replace(small(), targets=targets))


def test_the_reserve_is_what_buys_leave():
    document = exact(small("AA 0 @ 100", cash="10000", targets={"AA": 1.0}, limits=Limits(
        cash_reserve_weight=0.05, max_position_weight=1.0)))  # fmt: skip

    assert orders(document) == {"AA": "buy 95"}


def test_costs_come_out_of_the_same_money():
    costs = Costs(fixed=10.0, percent=0.01)
    document = exact(small("AA 0 @ 1", cash="1020", targets={"AA": 1.0}, costs=costs))

    assert orders(document) == {"AA": "buy 1000"}
    assert document.cash_after == {"USD": 0}


def test_a_sale_that_costs_more_than_it_brings_is_none():
    document = exact(small("AA 99 @ 100", "ZZ 1 @ 20", cash="80", targets={"AA": 1.0},
                           costs=Costs(fixed=25.0, percent=0.0)))  # fmt: skip

    assert (orders(document), stops(document)["ZZ"]) == ({}, "costs_more")


@pytest.mark.parametrize(
    ("least", "due"),
    [(0.0, {"AA": "buy 5"}), (6.0, {}), (1.0, {"AA": "buy 5"}), (0.5, {"AA": "buy 5"})],
)
def test_the_least_order_is_5_unless_another_is_set(least: float, due: dict[str, str]):
    limits = Limits(cash_reserve_weight=0.0, min_trade_base=least)
    document = exact(small("AA 95 @ 1", cash="5", targets={"AA": 1.0}, limits=limits))

    assert orders(document) == due
    assert document.rules.min_order_base == max(Decimal(str(least)), 1) if least else 5


def test_bands_of_the_targets_file_stand_over_that_of_the_strategy():
    wide = Targets(TARGETS, bands={"AA": Band(0.2)})
    document = exact(replace(small(), targets=wide))

    assert orders(document) == {"BB": "sell 10"}
    assert stops(document) == {"AA": "within_band"}


def test_a_strategy_that_trades_only_for_bands_is_planned_all_the_same():
    document = exact(small(rebalance=Rebalance(trigger="band")))

    assert orders(document) == {"BB": "sell 10", "AA": "buy 10"}
    assert verify.check(document.document()).failed == ()


def test_what_a_filter_stops_waits_and_its_money_is_not_spent():
    portfolio = small()
    recent = replace(portfolio.snapshot.holdings[1], last_bought=AS_OF - timedelta(days=3))
    snapshot = replace(portfolio.snapshot, holdings=(portfolio.snapshot.holdings[0], recent),
                       cash={"USD": Decimal(500)})  # fmt: skip
    document = exact(replace(portfolio, snapshot=snapshot))

    stop = next(stop for stop in document.not_traded if stop.symbol == "BB")
    assert (stop.stage, stop.module) == ("filter", "eligibility")
    assert orders(document) == {"AA": "buy 2"}  # 500 of the 2,500 that are left, not of the sale


@pytest.mark.parametrize(
    "limits", [Limits(cash_reserve_weight=0.0, max_orders=1),
               Limits(cash_reserve_weight=0.0, max_turnover_weight=0.05)],
)  # fmt: skip
def test_a_limit_on_all_orders_together_leaves_out_the_smaller_ones(limits: Limits):
    document = exact(small(limits=limits))

    assert orders(document) == {"BB": "sell 10"}
    assert [problem.code for problem in document.problems] == ["limits_leave_out"]
    assert verify.check(document.document()).failed == ()


def test_sales_of_today_pay_for_nothing_where_only_settled_money_counts():
    limits = Limits(cash_reserve_weight=0.0, funding="settled")
    held = ("AA 50 @ 100", "BB 50 @ 100")
    document = exact(small(*held, cash="0", targets={"AA": 0.9}, limits=limits))

    assert orders(document) == {"BB": "sell 50"}
    assert stops(document)["AA"] == "no_cash"


def test_what_is_worth_nothing_holds_and_what_owes_is_refused():
    assert exact(small("AA 0 @ 100", cash="0")).verdict.action == "hold"
    with pytest.raises(PlanRefused, match="more is owed than"):
        exact(small("AA 1 @ 100", cash="-101"))


def test_a_holding_without_a_target_waits_while_a_target_has_no_price():
    document = exact(small("AA 40 @ 100", "ZZ 10 @ 100", targets={"AA": 0.4, "NO": 0.3}))

    assert stops(document)["ZZ"] == "blocked"
    assert "ZZ" not in orders(document)


def test_all_cash_is_a_target_too():
    document = exact(replace(small(), targets=Targets({})))

    assert orders(document) == {"AA": "sell 40", "BB": "sell 40"}


def test_its_events_are_those_of_a_plan():
    told: list[str] = []

    def observe(event: object) -> None:
        told.append(type(event).__name__)

    exact(small(), observe=observe)

    assert (told[0], told[-1]) == ("PlanningStarted", "PlanningCompleted")
    told.clear()
    with pytest.raises(InputError):
        exact(replace(small(), targets=None), observe=observe)
    assert told == ["PlanningStarted", "PlanningFailed"]


def test_why_a_symbol_is_not_traded_is_said_with_its_numbers():
    document = exact(small(*HELD, "CC 60 @ 1", targets={**TARGETS, "CC": 0.01}))

    reason = next(stop.reason for stop in document.not_traded if stop.symbol == "CC")
    assert reason.replace("\u00a0", " ") == (
        "0.6 % of value, 0.4 pp off its target of 1.0 %: inside its band."
    )
