"""Act or hold: what a plan must gain, and how long an earlier act counts."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from builders.changes import USUAL, scored, usual
from builders.worlds import FEWER, worlds
from steelyard.portfolio import BucketState
from steelyard.settings import Score

VERDICTS = [None, "hold", "act"]


def test_an_act_verdict_is_kept_until_seven_tenths_of_the_least_improvement():
    net = USUAL.planned.score.improvement

    def acts(least):
        """Does the plan act after no verdict, after a hold, after an act?"""
        of = usual(score=Score(min_improvement=least))
        plans = [
            replace(of, state=BucketState(verdict)).plan() for verdict in (None, "hold", "act")
        ]
        assert [plan.verdict.previous for plan in plans] == [None, "hold", "act"]
        return [plan.verdict.action == "act" for plan in plans]

    assert acts(net * 0.999) == [True, True, True]
    assert acts(net * 1.2) == [False, False, True]
    assert acts(net * 1.5) == [False, False, False]


def test_a_hold_improves_nothing_and_costs_nothing():
    plan = scored(USUAL, min_improvement=100.0).plan()

    assert plan.verdict.action == "hold"
    score = plan.score
    assert {score.improvement, score.charges.total, plan.costs.total, plan.turnover} == {0}
    assert plan.score.plan == plan.score.hold
    assert plan.cash_after == plan.cash
    assert plan.drift.after == plan.drift.before


@FEWER
@given(worlds(), st.floats(1, 5))
def test_a_higher_least_improvement_never_turns_hold_into_act(of, times):
    stricter = scored(of, min_improvement=of.strategy.score.min_improvement * times)

    if of.plan().verdict.action == "hold":
        assert stricter.plan().verdict.action == "hold"
