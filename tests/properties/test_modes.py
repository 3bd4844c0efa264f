"""What holds of every plan that is chosen by more than the score of today."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.world import World, world
from builders.worlds import FEWER, worlds
from steelyard.errors import PlanRefused
from steelyard.planning.solve import local
from steelyard.plans import verify
from steelyard.plans.plan import Plan
from steelyard.settings import Evaluation, Mode
from steelyard.strategies import Strategy, default, parse
from steelyard.strategies.writing import effective

MODES: tuple[Mode, ...] = ("monte_carlo", "stochastic", "multi_objective", "multi_timeframe")


def chosen_by(world: World, mode: Mode, batch_size: int = 4096) -> Plan:
    strategy = dataclasses.replace(world.strategy, evaluation=Evaluation(mode=mode, paths=50))
    of = dataclasses.replace(world, strategy=strategy)
    return of.plan(steps=local(batch_size=batch_size))


@pytest.mark.parametrize("mode", MODES)
@FEWER
@given(world=worlds(most=4))
def test_every_mode_chooses_a_plan_that_is_worth_it_and_is_verified(mode: Mode, world: World):
    try:
        plan = chosen_by(world, mode)
    except PlanRefused:
        return
    document = plan.document()

    assert verify.check(document).failed == ()
    assert chosen_by(world, mode, batch_size=3).plan_id == plan.plan_id
    if plan.outlook is None:  # nothing is left to choose
        return
    names = [compared.name for compared in plan.outlook.beside]
    assert names.count("hold") == 1
    assert [compared.chosen for compared in plan.outlook.beside].count(True) == 1
    if plan.steps and not plan.occasions:
        assert plan.score.improvement >= plan.score.min_improvement
        assert plan.score.improvement > 0


@pytest.mark.parametrize("mode", MODES)
def test_where_nothing_is_owned_nothing_is_chosen(mode: Mode):
    plan = chosen_by(world(cash="0"), mode)

    assert (plan.steps, plan.outlook, plan.certificate.sampled) == ((), None, None)
    assert verify.check(plan.document()).failed == ()


def years() -> st.SearchStrategy[tuple[float, ...]]:
    return st.lists(st.floats(0.0039, 50), max_size=5, unique=True).map(lambda y: tuple(sorted(y)))


@st.composite
def evaluations(draw: st.DrawFn) -> Evaluation:
    """Any section that is valid."""
    mode, horizons = draw(st.sampled_from([*MODES, "single_objective"])), draw(years())
    count = len(Evaluation(mode=mode, horizon_years=horizons).horizons)
    shares = st.lists(st.floats(0.001, 1000), min_size=count, max_size=count).map(tuple)
    share = st.floats(0.001, 1000)
    return Evaluation(
        mode=mode,
        paths=draw(st.integers(10, 1_000_000)),
        horizon_years=horizons,
        horizon_shares=draw(st.one_of(st.just(()), shares)),
        shifts=draw(st.lists(st.floats(-0.95, 0.999), min_size=1, max_size=50).map(tuple)),
        tail=draw(st.floats(0.001, 0.5)),
        tail_weight=draw(st.floats(0, 1)),
        objectives=draw(
            st.fixed_dictionaries(
                dict.fromkeys(("score", "diversification", "risk", "cost"), share)
            )
        ),
        compared=draw(st.integers(2, 1000)),
    )


def with_evaluation(evaluation: Evaluation) -> Strategy:
    return dataclasses.replace(default(), evaluation=evaluation)


@settings(max_examples=30)
@given(evaluation=evaluations())
def test_whatever_an_evaluation_is_it_is_read_as_it_was_written(evaluation: Evaluation):
    strategy = with_evaluation(evaluation)
    again = parse(effective(strategy), "x")

    assert again.evaluation == evaluation
    assert again.content == strategy.content
