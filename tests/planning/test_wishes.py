"""What calculators ask for: targets that nothing trades towards are told, and no reason differs."""

import functools

from builders.changes import calling, off, scoped
from builders.each import each
from builders.world import world
from steelyard.modules.registry import Kind
from steelyard.plans import verify

NAME = "weight_based"
FAR_OFF = world("AA 90 @ 100", "BB 10 @ 100", cash="2000", targets={"AA": 0.3, "BB": 0.6})
FREE = world("AA 90 @ 100", "BB 10 @ 100", cash="2000")


def fail(ctx, params):
    raise RuntimeError("out of luck")


@functools.cache
def idle():
    """Why nothing trades towards the targets -> (why, a plan of which that is true)."""
    plans = {
        "is off": off(FAR_OFF, Kind.OPPORTUNITY, NAME).planned,
        "is out of service": FAR_OFF.plan(disabled={f"{Kind.OPPORTUNITY}.{NAME}": "3 failures"}),
        "failed": calling(FAR_OFF, Kind.OPPORTUNITY, NAME, fail).plan(),
    }
    return {why: (why, plan) for why, plan in plans.items()}


def unused(plan):
    return [notice.message for notice in plan.warnings if notice.code == "targets_unused"]


def test_a_plan_says_that_nothing_trades_towards_the_targets_and_why():
    def is_said(why, plan):
        (message,) = unused(plan)
        nothing = f"Target weights were given, and weight_based {why}: orders towards them come"
        assert message.startswith(
            f"{nothing} from the search alone, as far as the score gains by them; "
        )

    each(idle(), is_said)
    switch = "; switch it on with [opportunity_calculators.weight_based] enabled = true."
    assert unused(idle()["is off"][1])[0].endswith(switch)


def test_in_the_scopes_of_the_table_no_order_is_asked_for_to_reach_the_targets():
    for scope in ("candidates", "proposals"):
        plan = off(scoped(FAR_OFF, scope), Kind.OPPORTUNITY, NAME).planned

        (message,) = unused(plan)
        assert "weight_based is off: no order is asked for to reach them; switch it on" in message


def test_the_reason_of_what_is_not_traded_is_the_calculator_and_not_its_distance():
    def is_the_calculator(why, plan):
        reasons = [stop.reason for stop in plan.not_traded if stop.stage == "opportunity"]
        end = f"off its target; weight_based, which trades towards targets, {why}."
        assert any(reason.endswith(end) for reason in reasons)
        assert not any("less than any calculator acts on" in reason for reason in reasons)
        assert verify.check(verify.load(plan.to_json())).failed == ()

    each(idle(), is_the_calculator)


def test_where_something_trades_towards_the_targets_or_there_are_none_nothing_is_said():
    assert unused(FAR_OFF.planned) == []
    assert unused(off(FREE, Kind.OPPORTUNITY, NAME).planned) == []
