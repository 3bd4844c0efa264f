"""Targets that nothing trades towards: the plan says so, and no reason says otherwise."""

from __future__ import annotations

from dataclasses import replace

import pytest

from builders.world import World, with_call, without, world
from steelyard.modules.context import Context
from steelyard.modules.registry import Kind, ModuleParams
from steelyard.plans import verify
from steelyard.plans.plan import Plan

NAME = "opportunity_calculators.weight_based"


def far_off() -> World:
    return world("AA 90 @ 100", "BB 10 @ 100", cash="2000", targets={"AA": 0.3, "BB": 0.6})


def off() -> Plan:
    of = far_off()
    return replace(of, strategy=without(of.strategy, Kind.OPPORTUNITY, "weight_based")).plan()


def out_of_service() -> Plan:
    return far_off().plan(disabled={NAME: "failed three times"})


def failed() -> Plan:
    def fail(ctx: Context, params: ModuleParams) -> None:
        raise RuntimeError("out of luck")

    of = far_off()
    return replace(
        of, strategy=with_call(of.strategy, Kind.OPPORTUNITY, "weight_based", fail)
    ).plan()


def told(plan: Plan) -> list[str]:
    return [notice.message for notice in plan.warnings if notice.code == "targets_unused"]


def unasked(plan: Plan) -> list[str]:
    return [stop.reason for stop in plan.not_traded if stop.stage == "opportunity"]


CASES = pytest.mark.parametrize(
    ("make", "why"),
    [(off, "is off"), (out_of_service, "is out of service"), (failed, "failed")],
    ids=["off", "out of service", "failed"],
)


@CASES
def test_a_plan_says_that_nothing_trades_towards_the_targets_and_why(make, why):
    plan = make()

    assert len(told(plan)) == 1
    assert told(plan)[0].startswith(
        f"Target weights were given, and weight_based {why}: no order is asked for to reach them; "
    )


def test_a_calculator_that_is_off_is_told_with_the_setting_that_switches_it_on():
    assert told(off())[0].endswith(
        "; switch it on with [opportunity_calculators.weight_based] enabled = true."
    )


@CASES
def test_the_reason_of_what_is_not_traded_is_the_calculator_and_not_its_distance(make, why):
    plan = make()

    assert unasked(plan)
    assert not any("less than any calculator acts on" in reason for reason in unasked(plan))
    assert any(
        reason.endswith(f"off its target; weight_based, which trades towards targets, {why}.")
        for reason in unasked(plan)
    )
    assert verify.check(verify.load(plan.to_json())).failed == ()


def test_where_something_trades_towards_the_targets_nothing_is_said():
    assert told(far_off().plan()) == []


def test_without_targets_nothing_is_said():
    of = replace(far_off(), targets=None)

    assert (
        told(replace(of, strategy=without(of.strategy, Kind.OPPORTUNITY, "weight_based")).plan())
        == []
    )
