"""Target fit and cash: squared distance from what the owner said, or from the wanted cash share."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.tables import gradient
from steelyard.errors import ModuleError
from steelyard.modules.registry import Kind, module
from steelyard.modules.scoring.cash import Params as CashParams
from steelyard.modules.scoring.cash import cash
from steelyard.modules.scoring.target_fit import Params as FitParams
from steelyard.modules.scoring.target_fit import target_fit
from steelyard.modules.terms import end_state
from steelyard.planning.score.model import build_model
from steelyard.planning.score.reference import evaluate
from steelyard.settings import Limits, Score

ANY_WEIGHT = Limits(max_position_weight=1)


def test_fit_is_the_squared_distance_with_cash_as_one_more_weight(context_for):
    ctx = context_for(2, targets=[0.5, 0.3])

    part = (
        evaluate([target_fit(ctx, FitParams())], {"target_fit": 1.0}, np.array([0.6, 0.3]), 0.1)
        .terms[0]
        .parts[0]
    )

    assert part.raw == pytest.approx(-(0.1**2 + 0.1**2))
    assert part.scaled == pytest.approx(1 - 0.02 / 0.10)


def test_an_untargeted_holding_counts_fully(context_for):
    ctx = context_for(2, targets=[1.0, 0.0])

    part = (
        evaluate([target_fit(ctx, FitParams())], {"target_fit": 1.0}, np.array([0.8, 0.2]), 0.0)
        .terms[0]
        .parts[0]
    )

    assert part.raw == pytest.approx(-2 * 0.2**2)


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 9))
@settings(deadline=None)
def test_on_target_fit_is_one_and_pulls_nowhere(some_context, seed, n):
    ctx = some_context(seed, n, with_targets=True)
    term = target_fit(ctx, FitParams())

    assert evaluate([term], {"target_fit": 1.0}, ctx.target_weights, ctx.target_cash).score == 1
    slope = gradient(
        build_model([term], {"target_fit": 1.0}), end_state(ctx.target_weights, ctx.target_cash)
    )
    assert slope == pytest.approx(np.zeros(n + 1), abs=1e-12)


def test_fit_without_targets_is_refused(context_for):
    with pytest.raises(ModuleError, match="needs target weights"):
        target_fit(context_for(2), FitParams())


def test_what_is_over_its_cap_counts_as_cash_does_so_trimming_it_costs_nothing_here(context_for):
    ctx = context_for(3, weights=np.array([0.5, 0.1, 0.1]))  # a cap of .2, cash .3

    def raw(first, cash_after):
        ends = np.array([first, 0.1, 0.1])
        return evaluate([cash(ctx, CashParams())], {"cash": 1.0}, ends, cash_after).score

    assert raw(0.5, 0.3) == pytest.approx(raw(0.2, 0.6))
    assert raw(0.5, 0.3) == pytest.approx(1 - (0.3 + 0.3 - 0.05) ** 2 / 0.02)
    assert raw(0.2, 0.05) == pytest.approx(1.0)  # invested, it is best


@pytest.mark.parametrize(("share", "shown"), [(0.05, 1.0), (0.15, 0.5), (0.05 + 0.02**0.5, 0.0)])
def test_cash_is_best_at_the_wanted_share_and_14_points_off_shows_nothing(
    context_for, share, shown
):
    ctx = context_for(2, limits=ANY_WEIGHT)

    value = evaluate(
        [cash(ctx, CashParams())], {"cash": 1.0}, np.array([1 - share, 0.0]), share
    ).score

    assert value == pytest.approx(shown)


def test_the_wanted_cash_share_is_a_setting(context_for):
    ctx = context_for(2, score=Score(cash_target=0.2), limits=ANY_WEIGHT)

    assert evaluate([cash(ctx, CashParams())], {"cash": 1.0}, np.array([0.8, 0.0]), 0.2).score == 1


@pytest.mark.parametrize(
    ("name", "needs"), [("target_fit", ("target_weights",)), ("cash", ("no_target_weights",))]
)
def test_fit_and_cash_say_in_which_mode_they_run(name, needs):
    assert module(Kind.TERM, name).needs == needs
