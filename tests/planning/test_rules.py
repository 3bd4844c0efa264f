"""The rules that one plan is made by: thresholds by its names, idle settings, and both are said."""

from dataclasses import replace
from decimal import Decimal

import pytest

from builders.changes import scoped
from builders.context import context
from builders.world import world
from steelyard.modules.candidates import Proposal
from steelyard.orders import Side
from steelyard.planning.findings import Findings
from steelyard.planning.sizing import Sized
from steelyard.planning.wishes import cut
from steelyard.plans import verify
from steelyard.plans.plan import Plan
from steelyard.sentences import say
from steelyard.settings import Costs, Limits, Score, Search
from steelyard.strategies import parse, preset


def names(count: int, **sections: object):
    """An index of so many names with equal targets, bought with cash alone but for one holding."""
    symbols = [f"N{k:03d}" for k in range(count)]
    lines = [f"{symbol} {1000 if k == 0 else 0} @ 100" for k, symbol in enumerate(symbols)]
    targets = dict.fromkeys(symbols, 0.9 / count)
    return world(*lines, cash="900000", targets=targets, funds=symbols, **sections)


def told(plan: Plan, code: str) -> list[str]:
    return [notice.message for notice in plan.warnings if notice.code == code]


def test_a_plan_of_forty_names_has_half_the_thresholds_and_says_so():
    plan = names(40).planned
    shown = plan.rules.thresholds

    assert (shown.names, shown.min_trade_weight) == (40, 0.0025)
    assert (shown.order_hurdle, shown.min_improvement) == (0.00025, 0.0025)
    assert plan.score.min_improvement == 0.0025
    assert told(plan, "thresholds_follow") == [
        (
            "Thresholds that no file sets follow the 40 securities of the plan: "
            "limits.min_trade_weight 0.0025, score.order_hurdle 0.00025, "
            "score.min_improvement 0.0025, opportunity_calculators.weight_based.min_gap_threshold "
            "0.0025."
        )
    ]
    assert verify.check(verify.load(plan.to_json())).failed == ()


def test_up_to_twenty_names_nothing_is_said():
    plan = names(20).planned

    assert plan.rules.thresholds.min_trade_weight == 0.005
    assert told(plan, "thresholds_follow") == []


def test_a_threshold_that_is_set_stays_and_is_not_counted_among_those_that_follow():
    plan = names(40, score=Score(order_hurdle=0.001), limits=Limits(min_trade_weight=0.004)).planned
    shown = plan.rules.thresholds

    assert (shown.min_trade_weight, shown.order_hurdle) == (0.004, 0.001)
    assert shown.min_improvement == 0.0025
    (message,) = told(plan, "thresholds_follow")
    assert "order_hurdle" not in message


def test_an_index_of_names_smaller_than_the_old_least_order_is_followed_without_a_setting():
    # a target of .36 % of value is under the .5 % that an order had to be whatever the names
    of = names(250, costs=Costs(fixed=0.0, percent=0.0))

    assert len(of.planned.candidates) >= 249
    assert of.planned.verdict.action == "act"


def test_settings_that_the_scope_leaves_idle_are_named_in_one_warning_of_the_plan():
    text = (
        'search.scope = "candidates"\npriority_threshold = 0.4\nfilters.diversity.enabled = false'
    )
    of = replace(names(5), strategy=parse(text, "x"))

    assert told(of.planned, "idle_settings") == [
        (
            '2 settings are idle, for they change no plan where search.scope is "candidates": '
            "planner.priority_threshold, filters.diversity."
        )
    ]
    assert told(scoped(names(5), "proposals").planned, "idle_settings") == []


def test_a_preset_that_has_the_way_to_targets_off_trades_towards_them_all_the_same():
    of = replace(names(5), strategy=preset("conservative"))

    assert of.planned.steps
    assert told(of.planned, "targets_unused") == []


def test_a_least_order_over_the_value_is_told_with_both_figures():
    base = names(5, limits=Limits(min_trade_base=5_000_000)).planned
    share = names(5, costs=Costs(fixed=20_000.0)).planned

    assert told(base, "least_order_over_value") == [
        (
            "The smallest order by limits.min_trade_base is 5,000,000.00 USD, more than the value "
            "of 1,000,000.00: nothing can be traded but a holding sold whole. Lower it."
        )
    ]
    assert told(share, "least_order_over_value") == [
        (
            "The smallest order by limits.max_cost_share is 2,500,000.00 USD, more than the value "
            "of 1,000,000.00: nothing can be traded but a holding sold whole. Raise it."
        )
    ]
    assert base.steps == share.steps == ()


# a table over the limit


def rows(*sizes: tuple[int, float]) -> list[Sized]:
    made = Proposal("weight_based", say("because"), ())
    return [
        Sized(i, Side.BUY, Decimal(1), weight, False, False, 1.0, (made,)) for i, weight in sizes
    ]


@pytest.mark.parametrize(
    ("most", "due"),
    [
        (9, [(0, 0.1), (0, 0.2), (1, 0.15), (1, 0.3), (2, 0.05)]),
        (4, [(0, 0.2), (1, 0.15), (1, 0.3), (2, 0.05)]),
        (3, [(0, 0.2), (1, 0.3), (2, 0.05)]),
        (2, [(0, 0.2), (1, 0.3)]),
        (1, [(1, 0.3)]),
    ],
)
def test_a_table_over_the_limit_keeps_the_row_nearest_to_each_gap_the_largest_first(
    most: int, due: list[tuple[int, float]]
):
    ctx = context("A B C", weights=[0, 0, 0], targets=[0.2, 0.3, 0.05])
    ctx = replace(ctx, rules=replace(ctx.rules, search=Search(max_candidates=most)))
    findings = Findings()
    every = rows((0, 0.1), (0, 0.2), (1, 0.15), (1, 0.3), (2, 0.05))

    assert [(row.i, row.weight) for row in cut(ctx, every, findings)] == due
    said = [notice.message for notice in findings.warnings]
    assert said == ([] if most > len(every) else [
        (f"The calculators ask for 5 orders in 3 securities; the search begins from {most} of them "
        "(search.max_candidates), those nearest to the largest gaps. It may trade every security "
        "all the same.")
    ])  # fmt: skip
