"""What predictions of volatility have been worth: by a plain twin, and the rules in words."""

import itertools
import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.demo import growth
from steelyard.estimates.estimate import estimate
from steelyard.estimates.foresight import _predicted, _spreads, foresight, own_spreads
from steelyard.settings import Score

YEAR = 252


def walk(seed, days, names, sigma=0.01):
    rng = np.random.default_rng(seed)
    common = rng.normal(0, sigma / 2, (days, 1))
    return 100 * np.exp(np.cumsum(rng.normal(0, sigma, (days, names)) + common, axis=0))


def plain(closes, mix, shrinkage, mixed):
    """The same by loops: of each quarter, newest first."""
    logs = [
        [math.log(b / a) for a, b in itertools.pairwise(column)] for column in closes.T.tolist()
    ]
    count, days, ratios = len(logs), len(logs[0]), []
    for end in range(days - 63, YEAR - 1, -63):
        past = [row[max(0, end - 756) : end] for row in logs]
        sd = [statistics.stdev(row) for row in past]
        short = [statistics.stdev(row[-63:]) for row in past]
        sigma = [
            math.sqrt((a * a + b * b) / 2) if mixed else a for a, b in zip(sd, short, strict=True)
        ]
        pairs = [(i, j) for i in range(count) for j in range(count)]
        s = {(i, j): statistics.covariance(past[i], past[j]) / sd[i] / sd[j] for i, j in pairs}
        rho = statistics.fmean(s[pair] for pair in pairs if pair[0] != pair[1])
        r = {
            (i, j): 1.0 if i == j else (1 - shrinkage) * s[i, j] + shrinkage * rho for i, j in pairs
        }
        variance = sum(mix[i] * sigma[i] * r[i, j] * mix[j] * sigma[j] for i, j in pairs)
        after = [
            sum(m * row[t] for m, row in zip(mix, logs, strict=True)) for t in range(end, end + 63)
        ]
        ratios.append(statistics.stdev(after) / math.sqrt(variance))
    return ratios


def test_the_figures_are_those_of_a_plain_twin_in_both_settings():
    closes, mix = walk(1, 1500, 4), np.array([0.4, 0.3, 0.2, 0.1])
    wrong = []
    for option in ("mixed", "756"):
        ratios = plain(closes, mix.tolist(), 0.3, option == "mixed")
        least, most = np.quantile(ratios, (0.1, 0.9))
        due = (len(ratios), statistics.median(ratios), least, most, 1.0)
        past = foresight(closes, mix, Score(volatility=option), 0.3)
        ours = (past.quarters, past.median, past.least, past.most, past.covered)
        if ours != pytest.approx(due, rel=1e-9):
            wrong.append((option, ours, due))
    assert wrong == []


def test_a_prediction_made_today_is_the_one_that_the_estimates_make():
    closes, mix, nan = walk(2, 900, 5), np.full(5, 0.2), np.full(5, np.nan)
    for option in ("mixed", "756"):
        rules = Score(volatility=option)
        now = estimate(
            closes, settings=rules, dividend_yield=nan, fundamental_quality=nan,
            stated_return=nan, adjusted=True,
        )  # fmt: skip
        share = mix * now.volatility
        due = math.sqrt(share @ now.correlation @ share)
        returns = np.diff(np.log(closes), axis=0)[-756:]
        spreads = _spreads(returns, option == "mixed")
        assert _predicted(returns, mix, *spreads, now.shrinkage) == pytest.approx(due, rel=1e-9)


def test_in_a_market_that_doubles_its_moves_what_came_was_more_than_predicted():
    calm, wild = walk(3, 700, 3), walk(4, 700, 3, sigma=0.03)
    closes = np.vstack([calm, calm[-1] * wild / wild[0]])

    past = foresight(closes, np.full(3, 1 / 3), Score(), 0.1)
    steady = foresight(calm, np.full(3, 1 / 3), Score(), 0.1)

    assert past.most > 1.15 * steady.most
    assert steady.median == pytest.approx(1, abs=0.1)


def test_too_little_history_says_nothing_and_a_short_one_is_left_out_and_told():
    closes, mix = walk(5, 900, 3), np.array([0.5, 0.2, 0.3])
    closes[:500, 1] = np.nan

    assert foresight(closes[:500], mix, Score(), 0.1) is None
    assert foresight(closes, np.array([0.3, 0.7, 0.0]), Score(), 0.1) is None
    assert foresight(closes, np.zeros(3), Score(), 0.1) is None
    past = foresight(closes, mix, Score(), 0.1)
    assert past.covered == pytest.approx(0.8)
    whole = foresight(closes[:, [0, 2]], mix[[0, 2]], Score(), 0.1)
    assert (past.median, past.quarters) == (whole.median, whole.quarters)


@pytest.mark.real_quotes
def test_a_plan_says_what_its_predictions_were_worth_for_what_it_ends_with():
    past = growth().planned.score.foresight

    assert past.quarters == 31
    assert 0.5 < past.least < past.median < 1 < past.most < 2
    assert past.text.startswith("In the last 31 quarters volatility came out at 0.")
    assert "of what is held" not in past.text


@given(
    seed=st.integers(0, 2**32 - 1),
    days=st.integers(300, 1200),
    names=st.integers(2, 60),
    mixed=st.booleans(),
    data=st.data(),
)
def test_the_spreads_of_a_security_do_not_hang_on_what_stands_beside_it(
    seed, days, names, mixed, data
):
    returns = np.random.default_rng(seed).normal(0, 0.01, (days, names))
    some = data.draw(st.lists(st.integers(0, names - 1), min_size=2, max_size=5))

    whole = own_spreads(returns, mixed)
    part = own_spreads(np.ascontiguousarray(returns[:, some]), mixed)

    assert part.tobytes() == np.ascontiguousarray(whole[:, :, some]).tobytes()
