"""Stability: volatility of the whole and drawdown of the parts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.tables import gradient
from steelyard.modules.scoring.stability import Params, stability
from steelyard.modules.terms import end_state
from steelyard.planning.score.model import build_model
from steelyard.planning.score.reference import evaluate

ALONE = {"stability": 1.0}


def of(ctx, w, cash=0.0):
    return {
        part.name: part
        for part in evaluate([stability(ctx, Params())], ALONE, np.array(w), cash).terms[0].parts
    }


def test_volatility_is_that_of_the_whole(context_for):
    ctx = context_for(2, vol=[0.2, 0.3], correlation=[[1, 0.5], [0.5, 1]])

    # .01 + .0225 + 2 x .5 x .1 x .15
    assert of(ctx, [0.5, 0.5])["vol"].raw == pytest.approx(-np.sqrt(0.0475))
    assert of(ctx, [1.0, 0.0])["vol"].raw == pytest.approx(-0.2)


def test_drawdown_is_the_mean_of_the_parts_and_cash_has_none(context_for):
    ctx = context_for(2, drawdown=[0.2, 0.6])

    assert of(ctx, [0.5, 0.25], 0.25)["dd"].raw == pytest.approx(-0.25)


def test_all_cash_is_off_scale_at_the_top_and_its_slope_is_finite(context_for):
    ctx = context_for(3)

    parts = of(ctx, [0.0, 0.0, 0.0], 1.0)
    slope = gradient(build_model([stability(ctx, Params())], ALONE), end_state(np.zeros(3), 1.0))

    assert parts["vol"].scaled == pytest.approx(1.5, abs=1e-8)
    assert np.isfinite(slope).all()


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 9), more=st.floats(1e-6, 0.5))
@settings(deadline=None)
def test_a_deeper_drawdown_never_helps(some_context, seed, n, more):
    ctx = some_context(seed, n, with_targets=False)
    deeper = ctx.estimates.drawdown.copy()
    deeper[0] += more
    worse = some_context(seed, n, with_targets=False, drawdown=deeper)

    assert of(worse, ctx.weights)["dd"].raw <= of(ctx, ctx.weights)["dd"].raw


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 9), more=st.floats(1e-6, 0.5))
@settings(deadline=None)
def test_more_volatility_never_helps_where_nothing_moves_against_it(some_context, seed, n, more):
    ctx = some_context(seed, n, with_targets=False)
    together = (np.abs(ctx.estimates.correlation) + 3 * np.eye(n)) / 4
    louder = ctx.estimates.volatility.copy()
    louder[0] += more

    calm = some_context(seed, n, with_targets=False, correlation=together)
    loud = some_context(seed, n, with_targets=False, correlation=together, vol=louder)

    assert of(loud, ctx.weights)["vol"].raw <= of(calm, ctx.weights)["vol"].raw + 1e-15


def test_with_a_hedge_more_volatility_can_help(context_for):
    hedged = [[1, -0.9], [-0.9, 1]]

    quiet, louder = (context_for(2, vol=[0.1, own], correlation=hedged) for own in (0.05, 0.10))

    assert of(louder, [0.5, 0.5])["vol"].raw > of(quiet, [0.5, 0.5])["vol"].raw
