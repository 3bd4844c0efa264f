"""The figures of each mode against a plain calculation, scenario by scenario."""

import math
import tracemalloc

import numpy as np
import pytest

from builders.compared import evaluated, four, lists, objective
from steelyard.planning.modes import monte_carlo, objectives, stochastic, timeframes
from steelyard.planning.modes.compare import compare
from steelyard.planning.score.reference import evaluate

CHANGES = (
    [-0.1, 0.05, 0.05, 0.05],
    [0.0, 0.1, 0.0, 0.05],
    [-0.15, 0.0, 0.0, 0.0],
    [-0.2, -0.2, 0.1, 0.3],
)


def score(aim, z):
    """Of an end state, by the readable formulas."""
    return evaluate(aim.terms, aim.weights, z[:-1], float(z[-1])).score


def return_rate(ctx, aim):
    """Score of one unit of yearly return."""
    lo, hi = ctx.score.anchors.tr
    return aim.weights["total_return"] / (hi - lo)


@pytest.mark.parametrize("years", [0.5, 1.0, 4.0])
def test_a_path_scores_what_is_owned_at_its_end_and_the_return_as_it_came(years):
    ctx = four(paths=10, horizon_years=years)
    aim = objective(ctx)
    of = lists(ctx, aim, *CHANGES)
    outcomes = monte_carlo.outcomes(ctx, aim, of, np.arange(5))

    market = monte_carlo.market_of(ctx, of.active, years)
    (block,) = monte_carlo.drawn(ctx, market)
    expected = np.append(ctx.estimates.expected_return, ctx.score.risk_free)
    for side, multipliers in enumerate(market.multipliers(block, market.periods)):
        for pair, multiplier in enumerate(multipliers):
            for k, delta in enumerate(of.delta):
                worth = (of.start + delta) * multiplier
                after = worth / worth.sum()
                ratio, there = worth.sum() / (of.start + delta).sum(), float(after @ expected)
                came = ratio ** (1 / years) - 1
                if years < 1:
                    came = ratio - 1 + (1 - years) * there
                due = score(aim, after) + return_rate(ctx, aim) * (came - there)
                assert outcomes[k, pair, side] == pytest.approx(due - of.charge[k], abs=1e-9)


def test_a_fan_takes_little_more_memory_than_its_paths():
    ctx = four(paths=20_000, horizon_years=20.0)
    of = lists(ctx, objective(ctx), *CHANGES)

    tracemalloc.start()
    market, fan = monte_carlo.fanned(ctx, of, 1, (0.05, 0.5))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 2 * 8 * 20_000 * (market.periods + 1)
    assert fan.bands[:, -1] == pytest.approx(np.quantile(fan.ends, (0.05, 0.5)))
    assert (fan.falls >= 1 - fan.ends / fan.start).all()


def test_a_shock_is_traded_at_its_own_prices():
    ctx = four("stochastic", paths=20, shifts=[-0.3, 0.0, 0.2])
    aim = objective(ctx)
    of = lists(ctx, aim, *CHANGES)
    outcomes = stochastic.outcomes(ctx, aim, of, np.arange(5))

    shocks = stochastic.shocks_of(ctx, of.active)
    (block,) = stochastic.blocks(stochastic.seed_of(ctx), 7, 1, 4)
    for n, shift in enumerate(shocks.shifts):
        for side, sign in enumerate((1, -1)):
            for pair, multiplier in enumerate(shocks.multipliers(block, shift, sign)):
                for k, delta in enumerate(of.delta):
                    worth, traded = of.start * multiplier, (delta * multiplier)[:-1]
                    room = worth[-1] - traded[traded < 0].sum() - ctx.keeps_weight * worth.sum()
                    buys = traded[traded > 0].sum()
                    if buys > room:
                        traded = np.where(traded > 0, traded * max(room, 0.0) / buys, traded)
                    after = worth + np.append(traded, -traded.sum())
                    due = score(aim, after / after.sum()) - of.charge[k]
                    assert outcomes[k, pair, 2 * n + side] == pytest.approx(due, abs=1e-9)


def test_a_shock_moves_each_security_by_its_beta_and_the_whole_by_the_shift():
    ctx = four("stochastic", changes={"mix": [0.25] * 4})
    shocks = stochastic.shocks_of(ctx, np.arange(4))

    sigma = ctx.estimates.volatility
    covariance = ctx.estimates.correlation * np.outer(sigma, sigma)
    mix = ctx.neutral_mix
    np.testing.assert_allclose(shocks.beta, covariance @ mix / (mix @ covariance @ mix))
    assert float(shocks.beta @ mix) == pytest.approx(1.0)


def test_a_list_that_costs_more_and_pays_later_passes_the_other_between_one_and_five_years():
    quick = [0.0, 0.1, 0.0, 0.0]
    slow = [-0.1, 0.0, 0.0, 0.2]

    def ahead(years):
        ctx = four("multi_timeframe", horizon_years=years, changes={"targets": None})
        aim = objective(ctx)
        of = lists(ctx, aim, quick, slow, costs=[0.0005, 0.025])
        return compare(ctx, aim, of, np.arange(3))[:, 0]

    one, five = ahead(1), ahead(5)
    assert one[1] > one[2]
    assert five[2] > five[1]


def test_a_horizon_scores_where_weights_drift_with_calmer_years_and_costs_spread():
    ctx = four("multi_timeframe", horizon_years=[0.5, 2, 5])
    aim = objective(ctx)
    of = lists(ctx, aim, *CHANGES)
    figures = compare(ctx, aim, of, np.arange(5))

    prior, rate = ctx.score.neutral.mu, return_rate(ctx, aim)
    fade = timeframes.HALF_LIFE / math.log(2)
    for h, years in enumerate((0.5, 2, 5)):
        share = fade * (1 - math.exp(-years / fade)) / years
        mu = prior + share * (ctx.estimates.expected_return - prior)
        multiplier = np.append((1 + mu) ** years, (1 + ctx.score.risk_free) ** years)
        for k, delta in enumerate(of.delta):
            worth = (of.start + delta) * multiplier
            after = worth / worth.sum()
            expected = np.append(ctx.estimates.expected_return, ctx.score.risk_free)
            ratio, there = worth.sum() / (of.start + delta).sum(), float(after @ expected)
            came = ratio ** (1 / years) - 1 if years >= 1 else ratio - 1 + (1 - years) * there
            due = score(aim, after) + rate * (came - there)
            due += calmer(ctx, aim, after, years) - of.charge[k] * ctx.score.holding_years / years
            assert figures[k, h] == pytest.approx(due, abs=1e-9)


def calmer(ctx, aim, after, years):
    """Score that volatility costs less over several years."""
    (term,) = (term for term in aim.terms if term.name == "stability")
    (part,) = (part for part in term.parts if part.name == "vol")
    k = aim.weights["stability"] * part.share / (part.hi - part.lo)
    return k * part.raw(after[:-1], after[-1]) * (1 / math.sqrt(max(years, 1)) - 1)


def test_the_four_objectives_are_those_of_the_end_state():
    ctx = four("multi_objective")
    aim = objective(ctx)
    of = lists(ctx, aim, *CHANGES)
    figures = objectives.outcomes(ctx, of, np.arange(5))

    sigma = ctx.estimates.volatility
    covariance = ctx.estimates.correlation * np.outer(sigma, sigma)
    for k, delta in enumerate(of.delta):
        weights = (of.start + delta)[:-1]
        assert figures[k, 0] == pytest.approx(score(aim, of.start + delta))
        assert figures[k, 2] == pytest.approx(math.sqrt(weights @ covariance @ weights))
        assert figures[k, 3] == of.paid[k]


@pytest.mark.parametrize(
    "mode", ["monte_carlo", "stochastic", "multi_timeframe", "multi_objective"]
)
def test_figures_of_a_list_are_the_same_whatever_others_are_asked_beside_it(mode):
    ctx = four(mode, paths=200)
    aim = objective(ctx)
    of = lists(ctx, aim, *CHANGES)
    whole = compare(ctx, aim, of, np.arange(5))

    for row in range(5):
        np.testing.assert_allclose(compare(ctx, aim, of, np.array([row]))[0], whole[row], rtol=1e-9)


def test_a_portfolio_of_cash_alone_and_one_that_borrows_are_scored_too():
    for weights, cash in (([0.0] * 4, 1.0), ([3.0, 2.0, 1.0, 0.0], -5.0)):
        changes = {"weights": weights, "cash": cash}
        for mode in ("monte_carlo", "stochastic", "multi_timeframe", "multi_objective"):
            ctx = evaluated(four(changes=changes), mode=mode, paths=100, horizon_years=3)
            aim = objective(ctx)
            figures = compare(ctx, aim, lists(ctx, aim), np.array([0]))
            assert np.isfinite(figures).all()
