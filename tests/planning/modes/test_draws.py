"""What is drawn: by its moments, by its seed, and what no covariance may be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.compared import four, lists, objective
from steelyard.errors import InternalError
from steelyard.planning.modes.compare import compare
from steelyard.planning.modes.contenders import seed_of
from steelyard.planning.modes.draws import blocks, factor_of
from steelyard.planning.modes.monte_carlo import drawn, market_of
from steelyard.planning.modes.tails import tail_of

ERRORS = 4


def logarithms(ctx, years):
    """(paths, n) logarithms of the multipliers over a horizon."""
    market = market_of(ctx, np.arange(ctx.n), years)
    parts = [
        side[:, :-1]
        for block in drawn(ctx, market)
        for side in market.multipliers(block, market.periods)
    ]
    return np.log(np.concatenate(parts))


@pytest.mark.parametrize("years", [0.1, 1.0, 3.0])
def test_paths_have_the_means_and_the_covariance_that_the_estimates_say(years):
    ctx = four(paths=20_000, horizon_years=years)
    moved, sigma = logarithms(ctx, years), ctx.estimates.volatility
    covariance = ctx.estimates.correlation * np.outer(sigma, sigma) * years
    grown = (1 + ctx.estimates.expected_return) ** years

    pairs = len(moved) // 2
    about = moved - (np.log(grown) - sigma**2 * years / 2)
    assert np.abs(about.mean(axis=0)).max() < 1e-12  # antithetic: the draws cancel
    # a pair of draws and their negatives has one and the same product: half as many count
    error = np.sqrt((np.outer(np.diag(covariance), np.diag(covariance)) + covariance**2) / pairs)
    assert (np.abs(about.T @ about / len(about) - covariance) < ERRORS * error).all()
    means, spread = np.exp(moved).mean(axis=0), np.exp(moved).std(axis=0)
    assert (np.abs(means - grown) < ERRORS * spread / np.sqrt(pairs)).all()


@pytest.mark.parametrize("mode", ["monte_carlo", "stochastic"])
def test_twice_as_many_paths_move_mean_and_cvar_by_less_than_four_errors(mode):
    once, twice = four(mode, paths=10_000), four(mode, paths=20_000)
    aim = objective(once)
    of = lists(once, aim, [-0.1, 0.05, 0.05, 0.05], [0.0, 0.1, 0.0, 0.05])

    few, many = (compare(ctx, aim, of, np.arange(3)) for ctx in (once, twice))
    assert (np.abs(few[:, :2] - many[:, :2]) < ERRORS * few[:, 2:] + 1e-12).all()
    assert (many[:, 3] < few[:, 3]).all()


def test_more_paths_go_on_where_fewer_end_and_another_seed_is_another_path():
    few = np.concatenate([block.normals for block in blocks(7, 3_000, 2, 3)])
    more = np.concatenate([block.normals for block in blocks(7, 9_001, 2, 3)])
    other = np.concatenate([block.normals for block in blocks(8, 3_000, 2, 3)])

    assert len(few) == 1_500
    assert len(more) == 4_501
    np.testing.assert_array_equal(more[:1_500], few)
    assert not np.isclose(few, other).any()


def test_a_seed_is_of_the_inputs():
    assert seed_of(four(paths=50)) == seed_of(four("stochastic", paths=5_000))
    others = [{"seed": 1}, {"weights": [0.4, 0.2, 0.1, 0.1]}, {"volatility": [0.1] * 4}]
    seeds = {seed_of(four(changes=change)) for change in others}
    assert len(seeds | {seed_of(four())}) == 4


@given(st.integers(0, 5), st.integers(0, 5), st.randoms(use_true_random=False))
def test_a_factor_gives_its_covariance_back_whatever_its_rank(n, rank, random):
    loads = np.array([[random.uniform(-1, 1) for _ in range(rank)] for _ in range(n)])
    covariance = loads.reshape(n, rank) @ loads.reshape(n, rank).T
    factor = factor_of(covariance)
    np.testing.assert_allclose(factor @ factor.T, covariance, atol=1e-12)


@pytest.mark.parametrize(
    ("covariance", "code"),
    [
        ([[1.0, 2.0], [2.0, 1.0]], "covariance_not_semidefinite"),
        ([[1.0, np.nan], [np.nan, 1.0]], "covariance_not_finite"),
    ],
)
def test_what_is_no_covariance_is_refused(covariance, code):
    with pytest.raises(InternalError) as refusal:
        factor_of(np.array(covariance))
    assert refusal.value.fault.code == code


@given(
    st.lists(st.floats(-5, 5), min_size=4, max_size=60),
    st.sampled_from([0.05, 0.1, 0.5]),
)
def test_cvar_is_the_mean_of_the_worst(numbers, tail):
    outcomes = np.array(numbers[: len(numbers) // 2 * 2]).reshape(-1, 2)
    worst = sorted(outcomes.ravel().tolist())[: max(1, int(np.ceil(tail * outcomes.size - 1e-9)))]

    of = tail_of(outcomes, tail)
    assert of.cvar == pytest.approx(sum(worst) / len(worst), abs=1e-12)
    assert of.mean == pytest.approx(outcomes.mean(), abs=1e-12)
    assert of.cvar <= of.mean + 1e-12


def test_the_errors_are_the_spread_of_many_runs():
    rng = np.random.default_rng(3)
    runs = [tail_of(rng.standard_normal((2_000, 1)), 0.1) for _ in range(400)]
    for figure, error in (("mean", "mean_error"), ("cvar", "cvar_error")):
        spread = np.std([getattr(run, figure) for run in runs])
        said = np.mean([getattr(run, error) for run in runs])
        assert said == pytest.approx(spread, rel=0.15)
