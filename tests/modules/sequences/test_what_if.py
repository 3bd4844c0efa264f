"""Partial fills and loosened rules: reports beside a plan that can change nothing in it."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given

from builders.changes import enabled
from builders.context import candidates, context
from builders.world import BUSY, World, solution, with_call, world
from builders.worlds import FEWER, worlds
from steelyard import strategies
from steelyard.arrays import frozen
from steelyard.errors import FailedLate, PlanRefused
from steelyard.modules.registry import Kind
from steelyard.modules.sequences import Fill, Loosening
from steelyard.modules.sequences.constraint_relaxation import Params as Rules
from steelyard.modules.sequences.constraint_relaxation import constraint_relaxation
from steelyard.modules.sequences.partial_execution import Params as Fills
from steelyard.modules.sequences.partial_execution import partial_execution
from steelyard.planning.choice import score_set
from steelyard.planning.solve import step_order
from steelyard.plans import verify
from steelyard.plans.orders import Step
from steelyard.settings import Limits, Search

SETTINGS = strategies.default().content
GENERATORS = ("partial_execution", "constraint_relaxation")
ALL = {"relax_max_position": True, "relax_cooldown": True}


def asking(of: World, *names: str, **params) -> World:
    """The world with what-if generators on; the parameters are of the first."""
    for name in names:
        of = enabled(of, Kind.SEQUENCE, name, **(params if name == names[0] else {}))
    return of


def filled(
    *orders: str, params: Fills | None = None, lots: float = 1, **options
) -> list[tuple[int, ...]]:
    ctx = context(**{"symbols": "A B C", "weights": [0.3, 0.3, 0.2], "lot_sizes": lots, **options})
    table = candidates(ctx, *orders)
    return [
        tuple(map(int, fill.quantities))
        for fill in partial_execution(
            ctx, table, tuple(range(table.m)), SETTINGS, params or Fills()
        )
    ]


SELL_AND_BUY = ("sell A .10 .9 rebalance_sells", "buy B .07 .8 rebalance_buys")
"""100 shares, then 70."""


# partial_execution


def test_prefixes_come_first_then_each_order_in_part_with_the_others_whole():
    assert filled(*SELL_AND_BUY) == [(100, 0), (50, 70), (75, 70), (100, 35), (100, 52)]


def test_what_fills_is_whole_lots():
    assert filled(*SELL_AND_BUY, lots=10, params=Fills(prefixes=False)) == [
        (50, 70),
        (70, 70),
        (100, 30),
        (100, 50),
    ]


def test_what_is_under_the_least_number_of_shares_does_not_fill():
    assert filled("sell A .10 .9 rebalance_sells", params=Fills(min_shares=51)) == [(75,)]


def test_no_scenario_comes_twice_and_neither_hold_nor_the_plan_is_one():
    assert filled("buy A .001 .9 rebalance_buys", params=Fills(fills=(0.1, 0.5, 0.9))) == []
    assert filled(*SELL_AND_BUY, params=Fills(fills=(0.0, 0.001))) == [(100, 0), (0, 70)]


def test_a_plan_of_nothing_has_no_scenario():
    assert filled() == []


# constraint_relaxation


def loosened(ctx, **params) -> dict[str, tuple[float, float, str]]:
    found = constraint_relaxation(ctx, candidates(ctx), (), SETTINGS, Rules(**params))
    return {one.setting: (one.now, one.then, one.unit) for one in found}


def test_every_rule_in_force_is_loosened_alone():
    ctx = context(
        "A B", weights=[0.5, 0.3], limits=Limits(max_turnover_weight=0.1, max_group_weight=0.3)
    )

    assert loosened(ctx, **ALL) == {
        "limits.cash_reserve_weight": (0.02, 0.01, "pp"),
        "limits.max_position_weight": (0.2, 0.25, "pp"),
        "limits.max_group_weight": (0.3, 0.35, "pp"),
        "limits.max_turnover_weight": (0.1, 0.15, "pp"),
        "limits.min_trade_weight": (0.005, 0.0, "pp"),
        "search.max_depth": (5, 6, "order"),
        "filters.recently_traded.buy_cooldown_days": (30, 0, "day"),
        "filters.recently_traded.sell_cooldown_days": (180, 0, "day"),
        "filters.recently_traded.opposite_days": (90, 0, "day"),
        "filters.eligibility.min_hold_days": (90, 0, "day"),
        "securities.lot_size": (1.0, 0.1, "lot"),
    }


def test_a_rule_that_is_off_or_as_loose_as_can_be_is_left_out():
    free = Limits(
        cash_reserve_weight=0.0,
        max_position_weight=1.0,
        min_trade_weight=0.0,
        max_turnover_weight=2.0,
    )

    assert set(
        loosened(
            replace(context("A", limits=free, max_depth=10), min_order_weight=0.0),
            **ALL,
            relax_min_lot=False,
        )
    ) == {one for one in loosened(context("A"), **ALL) if one.startswith("filters.")}


def test_no_step_goes_past_the_end_of_its_range():
    ctx = context("A", limits=Limits(cash_reserve_weight=0.004, max_position_weight=0.98))

    found = loosened(ctx, **ALL)

    assert found["limits.cash_reserve_weight"][1] == 0.0
    assert found["limits.max_position_weight"][1] == 1.0


@pytest.mark.parametrize(
    ("limits", "least", "expected"),
    [
        (Limits(), 0.005, ("limits.min_trade_weight", 0.005, 0.0, "pp")),
        (Limits(min_trade_base=900), 0.009, ("limits.min_trade_base", 900, 0.0, "USD")),
        (Limits(), 0.02, ("limits.max_cost_share", 0.01, 0.02, "pp")),
    ],
    ids=["weight", "money", "cost"],
)
def test_of_three_rules_for_the_least_order_the_one_that_binds_is_loosened(limits, least, expected):
    found = loosened(replace(context("A", limits=limits), min_order_weight=least))

    assert (expected[0], *found[expected[0]]) == expected
    assert (
        len(
            {"limits.min_trade_weight", "limits.min_trade_base", "limits.max_cost_share"}
            & set(found)
        )
        == 1
    )


def test_sales_that_are_forbidden_are_tried_the_largest_first():
    ctx = context("A B C D E", weights=[0.1, 0.3, 0.2, 0.15, 0.0])
    blocked = tuple(
        replace(security, allow_sell=security.symbol == "C") for security in ctx.securities
    )
    ctx = replace(ctx, securities=blocked)

    found = [one for one in loosened(ctx, max_securities=2) if one.endswith("allow_sell")]

    assert found == ["securities.B.allow_sell", "securities.D.allow_sell"]
    assert "securities.E.allow_sell" not in loosened(ctx, max_securities=9)
    assert "securities.B.allow_sell" not in loosened(
        replace(ctx, tradable=frozen(np.zeros(5, dtype=np.bool_)))
    )


def test_where_nothing_at_all_may_be_sold_that_is_the_rule_to_loosen():
    found = loosened(context("A", weights=[0.5], limits=Limits(allow_sell=False)))

    assert found["limits.allow_sell"] == (0, 1, "switch")


# in a plan


def test_the_whole_report_agrees_with_the_plan():
    plan = asking(BUSY, *GENERATORS).plan()
    report = plan.what_if

    assert verify.check(plan.document()).ok
    nets = [one.improvement for one in report.fills.scenarios]
    assert (report.fills.worst, report.fills.share) == (
        min(nets),
        sum(net > 0 for net in nets) / len(nets),
    )
    assert report.fills.mean == pytest.approx(sum(nets) / len(nets))
    for one in report.fills.scenarios:
        assert one.fills
        for part in one.fills:
            step = plan.steps[part.n - 1]
            assert 0 < part.quantity <= step.quantity
            assert part.notional_base == part.quantity * step.price * step.fx_rate
    counts = {run.name: run.count for run in plan.modules if run.name in GENERATORS}
    assert counts == {
        "partial_execution": len(report.fills.scenarios),
        "constraint_relaxation": len(report.relaxations),
    }


def test_a_prefix_is_worth_what_a_plan_of_those_orders_is_worth():
    made = solution(BUSY)
    order = step_order(made.table, made.choice.plan.row)
    hold = made.choice.hold.evaluation.score

    scenarios = asking(BUSY, "partial_execution").plan().what_if.fills.scenarios

    for done in range(1, len(order)):
        told = next(
            one for one in scenarios if [part.n for part in one.fills] == list(range(1, done + 1))
        )
        assert told.improvement == pytest.approx(
            score_set(made.ctx, made.objective, made.table, order[:done], hold).net, abs=1e-12
        )


def test_an_order_that_fills_in_part_pays_its_whole_commission():
    one = world("AA 600 @ 100", "BB 100 @ 100", cash="30000", targets={"AA": 0.3, "BB": 0.1})
    plan = asking(one, "partial_execution", fills=(0.5,)).plan()

    (step,), (half,) = plan.steps, plan.what_if.fills.scenarios
    rate = Decimal(repr(plan.rules.costs.percent))
    cost = Decimal(repr(plan.rules.costs.fixed)) + rate * half.fills[0].notional_base

    assert half.fills[0].quantity == step.quantity / 2
    after = sum(plan.cash.values()) + half.fills[0].notional_base - cost
    assert half.cash_after == pytest.approx(float(after / plan.value), abs=1e-12)


def test_a_sale_that_fills_in_part_may_leave_less_than_the_reserve_and_the_report_says_so():
    tight = world(
        "AA 700 @ 100",
        "BB 280 @ 100",
        cash="2000",
        targets={"AA": 0.3, "BB": 0.67},
        limits=Limits(max_position_weight=1.0),
    )
    plan = asking(tight, "partial_execution").plan()

    short = [one for one in plan.what_if.fills.scenarios if not one.keeps_reserve]

    assert short
    assert all(one.cash_after < 0.02 for one in short)
    assert plan.what_if.fills.text.endswith(f"; {len(short)} would leave less cash than must stay.")


def test_one_more_order_gains_what_a_deeper_plan_gains():
    shallow = replace(BUSY, strategy=replace(BUSY.strategy, search=Search(max_depth=2)))
    plan = asking(shallow, "constraint_relaxation").plan()
    deeper = replace(shallow, strategy=replace(shallow.strategy, search=Search(max_depth=3))).plan()

    told = next(one for one in plan.what_if.relaxations if one.setting == "search.max_depth")

    assert told.gain == pytest.approx(deeper.score.improvement - plan.score.improvement, abs=1e-12)
    assert told.gain > 0
    assert told.gain_per_unit == told.gain
    assert [(step.side, step.symbol, step.quantity) for step in told.steps] == [
        (step.side, step.symbol, step.quantity) for step in deeper.steps
    ]


@pytest.mark.parametrize(
    ("limits", "setting", "least_gain"),
    [
        (Limits(max_turnover_weight=0.05), "limits.max_turnover_weight", 0.01),
        (Limits(max_position_weight=0.12), "limits.max_position_weight", 0.001),
        (Limits(allow_sell=False), "limits.allow_sell", 0.01),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_rule_that_binds_has_a_price(limits, setting, least_gain):
    of = replace(BUSY, strategy=replace(BUSY.strategy, limits=limits))

    plan = asking(of, "constraint_relaxation", **ALL).plan()

    told = next(one for one in plan.what_if.relaxations if one.setting == setting)
    units = abs(told.then - told.now) * (100 if told.unit == "pp" else 1)
    assert told.gain > least_gain
    assert told.gain_per_unit == pytest.approx(told.gain / units)
    assert all(step.relaxed_constraints == (setting,) for step in told.steps)
    assert verify.check(plan.document()).ok


def test_a_reserve_that_stands_in_the_way_of_a_buy_has_a_price():
    limits = Limits(cash_reserve_weight=0.38, max_position_weight=1.0)
    of = world(
        "AA 300 @ 100", "BB 0 @ 100", cash="70000", targets={"AA": 0.3, "BB": 0.65}, limits=limits
    )

    told = asking(of, "constraint_relaxation").plan().what_if.relaxations[0]

    assert (told.setting, told.now, told.then) == ("limits.cash_reserve_weight", 0.38, 0.37)
    assert told.gain > 0


def test_a_security_that_may_not_be_sold_and_the_lots_have_a_price():
    locked = world(
        "AA 690 @ 100",
        "B.B 100 @ 100",
        cash="41000",
        targets={"AA": 0.3, "B.B": 0.3},
        lots={"B.B": "150"},
    )
    kept = tuple(
        replace(security, allow_sell=security.symbol != "AA")
        for security in locked.snapshot.securities
    )
    of = replace(locked, snapshot=replace(locked.snapshot, securities=kept))

    gains = {
        one.setting: one.gain
        for one in asking(of, "constraint_relaxation").plan().what_if.relaxations
    }

    assert gains["securities.AA.allow_sell"] > 0
    assert gains["securities.lot_size"] > 0


def test_a_hold_plan_has_no_fills_and_may_have_gains():
    still = replace(
        BUSY,
        strategy=replace(
            BUSY.strategy, score=BUSY.strategy.score.model_copy(update={"min_improvement": 5.0})
        ),
    )

    plan = asking(still, *GENERATORS).plan()

    assert plan.verdict.action == "hold"
    assert plan.what_if.fills is None
    assert {one.gain for one in plan.what_if.relaxations} == {0.0}
    assert [run.outcome for run in plan.modules if run.name == "partial_execution"] == ["nothing"]


def test_without_a_generator_there_is_no_report():
    assert BUSY.plan().what_if is None


# quarantine


def same_plan(one, other) -> None:
    assert one.steps == other.steps
    assert one.score == other.score
    assert one.verdict == other.verdict
    assert one.proposed_by == other.proposed_by
    assert one.certificate.model_copy(update={"seconds": None}) == other.certificate.model_copy(
        update={"seconds": None}
    )
    assert one.candidates == other.candidates
    assert one.problems == other.problems


@pytest.mark.parametrize("scope", ["proposals", "candidates"])
def test_what_if_generators_change_nothing_in_a_plan(scope):
    of = replace(
        BUSY,
        strategy=replace(
            BUSY.strategy, search=BUSY.strategy.search.model_copy(update={"scope": scope})
        ),
    )

    same_plan(of.plan(), asking(of, *GENERATORS).plan())


@FEWER
@given(worlds())
def test_a_plan_never_contains_what_only_a_looser_rule_allows(of):
    try:
        usual = of.plan()
    except PlanRefused:
        return
    asked = asking(of, "constraint_relaxation", "partial_execution", **ALL).plan()

    same_plan(usual, asked)
    assert verify.check(asked.document()).failed == ()
    assert "relaxed_constraints" not in Step.model_fields


@pytest.mark.parametrize(
    "answer",
    [
        lambda *_: 1 / 0,
        lambda *_: [7],
        lambda ctx, table, order, *_: [
            Fill(order, tuple(2 * table.quantity[j] for j in order), None)
        ],
        lambda ctx, table, order, *_: [Fill(order[:1], (Decimal(1),), None)],
        lambda *_: [Loosening("x", "limits.no_such_rule", 1, 2, "pp")],
        lambda *_: [Loosening("x", "no_such_section.rule", 1, 2, "pp")],
        lambda *_: [Loosening("x", "search.max_depth", 5, 5, "order")],
    ],
    ids=["raises", "number", "too much", "another plan", "no rule", "no section", "not loosened"],
)
@pytest.mark.parametrize("name", GENERATORS)
def test_a_generator_that_fails_costs_only_its_report(name, answer):
    of = asking(BUSY, *GENERATORS)

    plan = replace(of, strategy=with_call(of.strategy, Kind.SEQUENCE, name, answer)).plan()

    usual = of.plan()
    assert plan.steps == usual.steps
    assert [(run.name, run.outcome) for run in plan.modules if run.outcome == "failed"] == [
        (name, "failed")
    ]
    assert [problem.module for problem in plan.problems] == [f"sequence_generators.{name}"]
    if name == "partial_execution":
        assert (plan.what_if.fills, plan.what_if.relaxations) == (None, usual.what_if.relaxations)
    else:
        assert (plan.what_if.fills, plan.what_if.relaxations) == (usual.what_if.fills, ())


def test_a_rule_under_which_planning_is_refused_is_a_warning_and_the_others_stay():
    crowded = replace(
        BUSY,
        strategy=replace(
            BUSY.strategy, search=Search(max_candidates=len(BUSY.plan().candidates) + 8)
        ),
    )
    of = asking(crowded, "constraint_relaxation")
    large = Loosening("large", "search.max_candidates", 100, 1, "order")
    deep = Loosening("deep", "search.max_depth", 5, 6, "order")

    plan = replace(
        of,
        strategy=with_call(
            of.strategy, Kind.SEQUENCE, "constraint_relaxation", lambda *_: [large, deep]
        ),
    ).plan()

    assert [one.name for one in plan.what_if.relaxations] == ["deep"]
    assert [
        warning.code
        for warning in plan.warnings
        if warning.module == "sequence_generators.constraint_relaxation"
    ] == ["what_if_refused"]


def test_what_fails_late_under_a_looser_rule_alone_stays_in_the_plan():
    def usable_once(ctx, table, params):
        if ctx.search.max_depth > BUSY.strategy.search.max_depth:
            raise FailedLate("pattern_generators.rebalance", "ValueError: late", struck=False)
        return np.zeros((0, ctx.search.max_depth), dtype=np.int64)

    of = replace(BUSY, strategy=with_call(BUSY.strategy, Kind.PATTERN, "rebalance", usable_once))

    same_plan(of.plan(), asking(of, "constraint_relaxation").plan())
