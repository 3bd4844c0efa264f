"""Orders scored by another strategy's rules, against the end state written down by hand."""

import math
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given

from builders.world import AS_OF, prepared, world
from builders.worlds import FEWER, worlds
from steelyard import strategies
from steelyard.errors import PlanRefused
from steelyard.orders import Side
from steelyard.planning.planner import solved_plan
from steelyard.planning.questions.judge import judged, traded
from steelyard.planning.score.reference import evaluate
from steelyard.portfolio import Flow
from steelyard.settings import Costs, Limits, Score

BUSY = world(
    "AA 60 @ 100", "BB 20 @ 100", "CC 0 @ 50",
    cash="2000", targets={"AA": 0.3, "BB": 0.35, "CC": 0.3},
)  # fmt: skip
OTHER = replace(
    strategies.default(),
    score=Score(profile="aggressive", target_fit_weight=0.2, cost_aversion=9.0),
    costs=Costs(fixed=7.0, percent=0.004, spread_bps=10.0),
)


def by_hand(judge, plan):
    """The score of a plan's end under another world's rules: weights from the document's money, the
    charge of each order from the judge's settings.
    """
    solved, value = prepared(judge), float(plan.value)
    ctx, objective, costs = solved.ctx, solved.objective, judge.strategy.costs
    weights, cash, charge = ctx.weights.copy(), ctx.cash_weight, 0.0
    for step in plan.steps:
        share = float(step.quantity * step.price * step.fx_rate) / value
        sign = 1 if step.side is Side.BUY else -1
        weights[ctx.place[step.symbol]] += sign * share
        cash -= sign * share
        cost = costs.fixed / value + share * (costs.percent + costs.spread_bps / 20_000)
        charge += objective.rates.cost * cost + objective.rates.hurdle
    return evaluate(objective.terms, objective.weights, weights, cash).score - charge


def test_under_another_strategy_the_end_is_scored_by_its_terms_and_charged_by_its_costs():
    solution, plan = solved_plan(BUSY.case)
    judge = replace(BUSY, strategy=OTHER)

    (score,) = judged(judge.case, [traded(solution)])

    assert plan.steps
    assert score == pytest.approx(by_hand(judge, plan), abs=1e-12)
    assert abs(score - plan.score.hold - plan.score.improvement) > 0.001


@FEWER
@given(worlds())
def test_by_its_own_strategy_a_plan_has_the_score_that_it_says(portfolio):
    try:
        solution, plan = solved_plan(portfolio.case)
    except PlanRefused:
        return

    (score,) = judged(portfolio.case, [traded(solution)])

    own = plan.score.hold + plan.score.improvement
    assert math.isclose(score, own, rel_tol=1e-9, abs_tol=1e-9)


def test_what_is_bought_with_new_money_is_free_of_the_hurdle_under_every_scoring():
    flow = Flow("USD", Decimal(3000), AS_OF)
    rich = BUSY.having(flows=(flow,))
    solution, plan = solved_plan(rich.case)

    (score,) = judged(rich.case, [traded(solution)])

    assert any(order.free for order in traded(solution))
    assert score == pytest.approx(plan.score.hold + plan.score.improvement, abs=1e-9)


def test_an_order_in_what_the_judge_may_not_buy_is_scored_all_the_same():
    solution, plan = solved_plan(BUSY.case)
    judge = BUSY.having(targets=None, limits={"allow_buy": False})
    assert plan.step("CC") is not None
    assert "CC" not in prepared(judge).ctx.symbols

    hold, score = judged(judge.case, [(), traded(solution)])

    assert hold != score


def test_a_judge_that_cannot_value_the_snapshot_refuses():
    old = BUSY.having(as_of=AS_OF + timedelta(days=7), limits={"max_stale_sessions": 20})
    solution, _ = solved_plan(old.case)
    judge = replace(old, strategy=replace(old.strategy, limits=Limits(max_stale_sessions=0)))

    with pytest.raises(PlanRefused, match="AA"):
        judged(judge.case, [traded(solution)])
