"""Partial fills and loosened rules: reports beside a plan that can change nothing in it."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given

from builders.buckets import rated
from builders.changes import calling, described, enabled, exact, scoped, scored
from builders.changes import same_plan as same_answer
from builders.context import candidates, context
from builders.each import each
from builders.world import BUSY, World, solution, world
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
from steelyard.planning.scored import score_set
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


def filled(*orders: str, params: Fills | None = None, lots: float = 1) -> list[tuple[int, ...]]:
    ctx = context("A B C", weights=[0.3, 0.3, 0.2], lot_sizes=lots)
    table = candidates(ctx, *orders)
    order = tuple(range(table.m))
    fills = partial_execution(ctx, table, order, SETTINGS, params or Fills())
    return [tuple(map(int, fill.quantities)) for fill in fills]


SELL_AND_BUY = ("sell A .10 .9 rebalance_sells", "buy B .07 .8 rebalance_buys")
"""100 shares, then 70."""


# partial_execution


def test_prefixes_come_first_then_each_order_in_part_with_the_others_whole():
    assert filled(*SELL_AND_BUY) == [(100, 0), (50, 70), (75, 70), (100, 35), (100, 52)]


def test_what_fills_is_whole_lots():
    assert filled(*SELL_AND_BUY, lots=10, params=Fills(prefixes=False)) == [
        (50, 70), (70, 70), (100, 30), (100, 50),
    ]  # fmt: skip


def test_what_is_under_the_least_number_of_shares_does_not_fill():
    assert filled("sell A .10 .9 rebalance_sells", params=Fills(min_shares=51)) == [(75,)]


def test_no_scenario_comes_twice_and_neither_hold_nor_the_plan_is_one():
    assert filled("buy A .001 .9 rebalance_buys", params=Fills(fills=(0.1, 0.5, 0.9))) == []
    assert filled(*SELL_AND_BUY, params=Fills(fills=(0.0, 0.001))) == [(100, 0), (0, 70)]


def test_a_plan_of_nothing_has_no_scenario():
    assert filled() == []


# constraint_relaxation


def loosened(ctx, **params) -> dict[str, tuple[float, float, str]]:
    rules = constraint_relaxation(ctx, candidates(ctx), (), SETTINGS, Rules(**params))
    return {rule.setting: (rule.now, rule.then, rule.unit) for rule in rules}


def test_every_rule_in_force_is_loosened_alone():
    limits = Limits(max_turnover_weight=0.1, max_group_weight=0.3)

    assert loosened(context("A B", weights=[0.5, 0.3], limits=limits), **ALL) == {
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


def test_one_more_order_is_asked_by_the_limit_that_binds_in_the_scope_of_the_plan():
    wrong = []
    for scope, most, depth, asked in (
        ("quantities", None, 5, {}),
        ("quantities", 7, 5, {"limits.max_orders": (7, 8, "order")}),
        ("candidates", None, 5, {"search.max_depth": (5, 6, "order")}),
        ("candidates", 7, 5, {"search.max_depth": (5, 6, "order")}),
        ("candidates", 3, 3, {"limits.max_orders": (3, 4, "order")}),
        ("proposals", None, 10, {}),
    ):
        rules = Rules()
        ctx = context("A", limits=Limits(max_orders=most))
        search = Search(scope=scope, max_depth=depth)
        ctx = replace(ctx, rules=replace(ctx.rules, search=search))
        every = constraint_relaxation(ctx, candidates(ctx), (), SETTINGS, rules)
        orders = {r.setting: (r.now, r.then, r.unit) for r in every if r.unit == "order"}
        if orders != asked:
            wrong.append((scope, most, depth, orders))

    assert wrong == []


def test_a_rule_that_is_off_or_as_loose_as_can_be_is_left_out():
    loose = {"cash_reserve_weight": 0, "max_position_weight": 1, "min_trade_weight": 0}
    free = context("A", limits=Limits(max_turnover_weight=2.0, **loose), max_depth=10)

    rules = loosened(replace(free, min_order_weight=0.0), **ALL, relax_min_lot=False)

    every = loosened(context("A"), **ALL)
    assert set(rules) == {setting for setting in every if setting.startswith("filters.")}


def test_no_step_goes_past_the_end_of_its_range():
    ctx = context("A", limits=Limits(cash_reserve_weight=0.004, max_position_weight=0.98))

    rules = loosened(ctx, **ALL)

    assert rules["limits.cash_reserve_weight"][1] == 0.0
    assert rules["limits.max_position_weight"][1] == 1.0


def test_of_three_rules_for_the_least_order_the_one_that_binds_is_loosened():
    names = {"limits.min_trade_weight", "limits.min_trade_base", "limits.max_cost_share"}

    def least(weight, **limits):
        rules = loosened(replace(context("A", limits=Limits(**limits)), min_order_weight=weight))
        return {name: rules[name] for name in names & set(rules)}

    assert least(0.005) == {"limits.min_trade_weight": (0.005, 0.0, "pp")}
    assert least(0.009, min_trade_base=900) == {"limits.min_trade_base": (900, 0.0, "USD")}
    assert least(0.02) == {"limits.max_cost_share": (0.01, 0.02, "pp")}


def test_sales_that_are_forbidden_are_tried_the_largest_first():
    ctx = context("A B C D E", weights=[0.1, 0.3, 0.2, 0.15, 0.0])
    listed = tuple(replace(own, allow_sell=own.symbol == "C") for own in ctx.securities)
    ctx = replace(ctx, securities=listed)

    rules = [name for name in loosened(ctx, max_securities=2) if name.endswith("allow_sell")]

    untradable = replace(ctx, tradable=frozen(np.zeros(5, dtype=np.bool_)))
    assert rules == ["securities.B.allow_sell", "securities.D.allow_sell"]
    assert "securities.E.allow_sell" not in loosened(ctx, max_securities=9)
    assert "securities.B.allow_sell" not in loosened(untradable)


def test_where_nothing_at_all_may_be_sold_that_is_the_rule_to_loosen():
    rules = loosened(context("A", weights=[0.5], limits=Limits(allow_sell=False)))

    assert rules["limits.allow_sell"] == (0, 1, "switch")


# in a plan


def relaxed(of, **params):
    """Setting -> what the report says of a rule of the world."""
    report = asking(of, "constraint_relaxation", **params).plan().what_if
    return {rule.setting: rule for rule in report.relaxations}


def test_the_whole_report_agrees_with_the_plan():
    plan = asking(BUSY, *GENERATORS).plan()
    fills = plan.what_if.fills

    nets = [scenario.improvement for scenario in fills.scenarios]
    assert verify.check(plan.document()).ok
    assert (fills.worst, fills.share) == (min(nets), sum(net > 0 for net in nets) / len(nets))
    assert fills.mean == pytest.approx(sum(nets) / len(nets))
    assert all(scenario.fills for scenario in fills.scenarios)
    for part in (part for scenario in fills.scenarios for part in scenario.fills):
        step = plan.steps[part.n - 1]
        assert 0 < part.quantity <= step.quantity
        assert part.notional_base == part.quantity * step.price * step.fx_rate
    assert {run.name: run.count for run in plan.modules if run.name in GENERATORS} == {
        "partial_execution": len(fills.scenarios),
        "constraint_relaxation": len(plan.what_if.relaxations),
    }


def test_a_prefix_is_worth_what_a_plan_of_those_orders_is_worth():
    whole = solution(BUSY)
    order = step_order(whole.orders, whole.choice.plan.row)
    hold = whole.choice.hold.evaluation.score

    scenarios = asking(BUSY, "partial_execution").plan().what_if.fills.scenarios

    nets = {tuple(part.n for part in s.fills): s.improvement for s in scenarios}
    for done in range(1, len(order)):
        prefix = score_set(whole.ctx, whole.objective, whole.orders, order[:done], hold)
        assert nets[tuple(range(1, done + 1))] == pytest.approx(prefix.net, abs=1e-12)


def test_an_order_that_fills_in_part_pays_its_whole_commission():
    of = world("AA 600 @ 100", "BB 100 @ 100", cash="29800", targets={"AA": 0.3, "BB": 0.1})
    plan = asking(of, "partial_execution", fills=(0.5,)).plan()

    (step,), (half,) = plan.steps, plan.what_if.fills.scenarios
    fixed, percent = plan.rules.costs.fixed, plan.rules.costs.percent
    proceeds = half.fills[0].notional_base
    cost = Decimal(repr(fixed)) + Decimal(repr(percent)) * proceeds
    after = sum(plan.cash.values()) + proceeds - cost
    assert half.fills[0].quantity == step.quantity / 2
    assert half.cash_after == pytest.approx(float(after / plan.value), abs=1e-12)


def test_a_sale_that_fills_in_part_may_leave_less_than_the_reserve_and_the_report_says_so():
    goals, limits = {"AA": 0.3, "BB": 0.67}, Limits(max_position_weight=1.0)
    tight = world("AA 700 @ 100", "BB 280 @ 100", cash="2000", targets=goals, limits=limits)

    fills = asking(tight, "partial_execution").plan().what_if.fills

    short = [scenario for scenario in fills.scenarios if not scenario.keeps_reserve]
    assert short
    assert all(scenario.cash_after < 0.02 for scenario in short)
    assert fills.text.endswith(f"; {len(short)} would leave less cash than must stay.")


def test_one_more_order_gains_what_a_deeper_plan_gains():
    shallow = replace(BUSY, strategy=replace(BUSY.strategy, search=Search(max_depth=2)))
    deeper = replace(shallow, strategy=replace(shallow.strategy, search=Search(max_depth=3))).plan()

    deep = relaxed(shallow)["limits.max_orders"]

    gain = deeper.score.improvement - shallow.planned.score.improvement
    assert deep.gain == pytest.approx(gain, abs=1e-12)
    assert deep.gain > 0
    assert deep.gain_per_unit == deep.gain
    assert exact(deep) == exact(deeper)


def test_a_rule_that_binds_has_a_price():
    def has_a_price(setting, value, least_gain, world=BUSY):
        of = world.having(limits={setting: value})
        plan = asking(of, "constraint_relaxation", **ALL).plan()
        rules = {rule.setting: rule for rule in plan.what_if.relaxations}
        rule = rules[f"limits.{setting}"]
        units = abs(rule.then - rule.now) * (100 if rule.unit == "pp" else 1)
        assert rule.gain > least_gain
        assert rule.gain_per_unit == pytest.approx(rule.gain / units)
        assert all(step.relaxed_constraints == (rule.setting,) for step in rule.steps)
        assert verify.check(plan.document()).ok

    has_a_price("max_turnover_weight", 0.05, 0.01)
    free = rated(BUSY.having(targets=None), AA=0.95, BB=0.95, CC=0.95, DD=0.95, EE=0.95)
    has_a_price("max_position_weight", 0.08, 0.0001, free)
    has_a_price("allow_sell", False, 0.01)


def test_a_reserve_that_stands_in_the_way_of_a_buy_has_a_price():
    goals, limits = {"AA": 0.3, "BB": 0.65}, {"max_position_weight": 1.0}
    limits = Limits(cash_reserve_weight=0.38, **limits)
    of = world("AA 300 @ 100", "BB 0 @ 100", cash="70000", targets=goals, limits=limits)

    first, rule = next(iter(relaxed(of).items()))

    assert (first, rule.now, rule.then) == ("limits.cash_reserve_weight", 0.38, 0.37)
    assert rule.gain > 0


def test_a_security_that_may_not_be_sold_and_the_lots_have_a_price():
    goals, lots = {"AA": 0.3, "B.B": 0.3}, {"B.B": "150"}
    of = world("AA 690 @ 100", "B.B 100 @ 100", cash="41000", targets=goals, lots=lots)

    rules = relaxed(described(of, allow_sell={"AA": False}))

    assert rules["securities.AA.allow_sell"].gain > 0
    assert rules["securities.lot_size"].gain > 0


def test_a_hold_plan_has_no_fills_and_may_have_gains():
    # without cash: new money would be put to work whatever the score gains
    plan = asking(scored(BUSY.having(cash={}), min_improvement=5.0), *GENERATORS).plan()

    assert plan.verdict.action == "hold"
    assert plan.what_if.fills is None
    assert {rule.gain for rule in plan.what_if.relaxations} == {0.0}
    assert [run.outcome for run in plan.modules if run.name == "partial_execution"] == ["nothing"]


def test_without_a_generator_there_is_no_report():
    assert BUSY.planned.what_if is None


# quarantine


def same_plan(plan, other) -> None:
    same_answer(plan, other)
    assert plan.steps == other.steps
    assert plan.verdict == other.verdict
    assert plan.problems == other.problems


def test_what_if_generators_change_nothing_in_a_plan():
    for scope in ("proposals", "candidates"):
        of = scoped(BUSY, scope)
        same_plan(of.planned, asking(of, *GENERATORS).plan())


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


def loosening(setting, now, then, unit="pp"):
    return lambda *_: [Loosening("x", setting, now, then, unit)]


def double(ctx, table, order, *_):
    return [Fill(order, tuple(2 * table.quantity[j] for j in order), None)]


WRONG = {
    "raises": lambda *_: 1 / 0, "number": lambda *_: [7], "too much": double,
    "another plan": lambda ctx, table, order, *_: [Fill(order[:1], (Decimal(1),), None)],
    "no rule": loosening("limits.no_such_rule", 1, 2),
    "no section": loosening("no_such_section.rule", 1, 2),
    "not loosened": loosening("search.max_depth", 5, 5, "order"),
}  # fmt: skip


@pytest.mark.parametrize("name", GENERATORS)
def test_a_generator_that_fails_costs_only_its_report(name):
    of = asking(BUSY, *GENERATORS)
    usual = of.planned

    def costs_only_its_report(answer):
        plan = calling(of, Kind.SEQUENCE, name, answer).plan()
        assert plan.steps == usual.steps
        assert [run.name for run in plan.modules if run.outcome == "failed"] == [name]
        assert [problem.module for problem in plan.problems] == [f"sequence_generators.{name}"]
        fills, relaxations = usual.what_if.fills, usual.what_if.relaxations
        left_out = (None, relaxations) if name == "partial_execution" else (fills, ())
        assert (plan.what_if.fills, plan.what_if.relaxations) == left_out

    each(WRONG, costs_only_its_report)


def test_a_rule_under_which_planning_is_refused_is_a_warning_and_the_others_stay():
    search = Search(max_candidates=len(BUSY.planned.candidates) + 8)
    of = scoped(replace(BUSY, strategy=replace(BUSY.strategy, search=search)), "candidates")
    large = Loosening("large", "search.max_candidates", 100, 1, "order")
    deep = Loosening("deep", "search.max_depth", 5, 6, "order")

    name = "constraint_relaxation"
    plan = calling(asking(of, name), Kind.SEQUENCE, name, lambda *_: [large, deep]).plan()

    codes = [w.code for w in plan.warnings if w.module == f"sequence_generators.{name}"]
    assert [rule.name for rule in plan.what_if.relaxations] == ["deep"]
    assert codes == ["what_if_refused"]


def test_what_fails_late_under_a_looser_rule_alone_stays_in_the_plan():
    def usable_once(ctx, table, params):
        if ctx.search.max_depth > BUSY.strategy.search.max_depth:
            raise FailedLate("pattern_generators.rebalance", "ValueError: late", struck=False)
        return np.zeros((0, ctx.search.max_depth), dtype=np.int64)

    of = calling(scoped(BUSY, "candidates"), Kind.PATTERN, "rebalance", usable_once)

    same_plan(of.plan(), asking(of, "constraint_relaxation").plan())
