from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.estimates.regime import UNKNOWN, detect
from steelyard.market import Index
from steelyard.settings import Regime as Rules

AS_OF = date(2024, 3, 15)
RULES = Rules()
SHORT = Rules(window=20)
WEEK = 5

walks = st.lists(st.floats(-0.05, 0.05), min_size=25, max_size=120).map(
    lambda steps: 100 * np.exp(np.cumsum(steps))
)


def days(count: int, until: date = AS_OF) -> np.ndarray:
    every = np.arange(
        np.datetime64(until - timedelta(days=2 * count + 7)), np.datetime64(until) + 1
    )
    return every[np.is_busday(every)][-count:]


def index(*columns, until: date = AS_OF) -> Index:
    """Indices by their levels, the last of each on one day."""
    longest = max(map(len, columns))
    levels = np.stack(
        [np.concatenate([np.full(longest - len(column), np.nan), column]) for column in columns],
        axis=1,
    )
    return Index(tuple(f"I{k}" for k in range(len(columns))), days(longest, until), levels)


def regime(*columns, rules: Rules = RULES, max_age: int = WEEK, until: date = AS_OF):
    return detect(index(*columns, until=until), AS_OF, rules, max_age)


def at_distances(*distances: float, window: int = 20) -> np.ndarray:
    """Levels that stand at these distances from their moving average, after a flat start."""
    levels = [100.0] * (window - 1)
    for distance in distances:
        # level = (1 + distance) x (sum of the others + level) / window
        share = (1 + distance) / window
        levels.append(share * sum(levels[-(window - 1) :]) / (1 - share))
    return np.array(levels)


FLAT = np.full(250, 100.0)


@pytest.mark.parametrize(
    ("levels", "name"),
    [
        (100 * 1.002 ** np.arange(250), "bull"), (100 * 0.998 ** np.arange(250), "bear"),
        (FLAT, "sideways"), (100 * 1.002 ** np.arange(199), "unknown"),
    ],
    ids=["rising", "falling", "flat", "short"],
)  # fmt: skip
def test_four_histories_are_four_regimes(levels, name):
    assert regime(levels).name == name


def test_two_hundred_sessions_are_enough_and_one_less_is_not():
    enough, short = regime(FLAT[:200]), regime(FLAT[:199])

    assert (enough.name, enough.observations, enough.distance) == ("sideways", 200, 0.0)
    assert (short.name, short.observations, short.distance) == ("unknown", 199, None)
    assert "199" in short.why.text
    assert "200" in short.why.text


def test_without_an_index_it_is_unknown_and_says_why():
    assert detect(None, AS_OF, RULES, WEEK) == UNKNOWN
    assert "--index" in UNKNOWN.why.text


@pytest.mark.parametrize(
    ("distances", "name"),
    [
        ((0.0499,), "sideways"), ((0.0501,), "bull"), ((0.06, 0.0301), "bull"),
        ((0.06, 0.0299), "sideways"), ((0.06, 0.0299, 0.0499), "sideways"), ((-0.0501,), "bear"),
        ((-0.06, -0.0301), "bear"), ((-0.06, -0.0299), "sideways"), ((0.06, -0.06), "bear"),
        ((-0.06, 0.06), "bull"),
    ],
)  # fmt: skip
def test_a_regime_begins_at_five_percent_and_ends_at_three(distances, name):
    answer = regime(at_distances(*distances), rules=SHORT)

    assert answer.name == name
    assert answer.distance == pytest.approx(distances[-1], abs=1e-12)


def test_a_market_that_crosses_one_line_every_other_day_does_not_flap():
    distances = [0.051, 0.049] * 20
    names = {
        regime(at_distances(*distances[:k]), rules=SHORT).name for k in range(1, len(distances) + 1)
    }

    assert names == {"bull"}


def test_the_mean_of_several_indices_decides():
    up, down = at_distances(0.08), at_distances(-0.06)

    assert regime(up, down, rules=SHORT).name == "sideways"
    assert regime(up, down, rules=SHORT).distance == pytest.approx(0.01)
    assert regime(up, at_distances(0.03), rules=SHORT).name == "bull"


def test_an_index_without_enough_history_does_not_count():
    young = at_distances(-0.5)[-19:]

    assert regime(at_distances(0.08), young, rules=SHORT) == regime(at_distances(0.08), rules=SHORT)


def test_only_days_on_which_all_indices_have_a_level_count():
    both = index(at_distances(0.0, 0.06, 0.0), at_distances(0.0, 0.06, 0.0))
    gap = both.levels.copy()
    gap[-1, 1] = np.nan

    answer = detect(replace(both, levels=gap), AS_OF, SHORT, WEEK)

    assert answer.name == "bull"
    assert answer.observations == len(gap) - 1


def test_indices_that_share_no_day_tell_nothing():
    levels = np.full((100, 2), np.nan)
    levels[::2, 0] = levels[1::2, 1] = 100.0

    answer = detect(Index(("A", "B"), days(100), levels), AS_OF, SHORT, WEEK)

    assert (answer.name, answer.observations) == ("unknown", 0)


def test_an_index_may_be_five_weekdays_old_and_not_six():
    rising = 100 * 1.002 ** np.arange(250)
    five, six = AS_OF - timedelta(days=7), AS_OF - timedelta(days=8)

    fresh, stale = regime(rising, until=five), regime(rising, until=six)

    assert fresh.name == "bull"
    assert (stale.name, stale.distance, stale.observations) == ("unknown", None, 250)
    assert "7 Mar 2024" in stale.why.text.replace("\u00a0", " ")
    assert "max_stale_sessions" in stale.why.text


def test_of_two_indices_the_one_that_is_followed_counts():
    rising, falling = 100 * 1.002 ** np.arange(250), 100 * 0.998 ** np.arange(250)
    falling[-6:] = np.nan

    assert regime(rising, falling) == regime(rising)


def test_an_index_of_other_days_alone_is_unknown():
    assert "no level" in regime(FLAT, until=AS_OF + timedelta(days=900)).why.text


@given(walks, st.integers(1, 20))
def test_what_comes_after_the_date_changes_nothing(levels, later):
    whole = index(levels)
    cut = min(later, len(levels) - 1)
    day = whole.dates[-1 - cut].astype(object)

    before = Index(whole.names, whole.dates[:-cut], whole.levels[:-cut])

    assert detect(whole, day, SHORT, WEEK) == detect(before, day, SHORT, WEEK)


@given(walks, walks, st.integers(-6, 6))
def test_an_index_counts_alike_in_any_unit(single, other, power):
    scaled = index(single * 2.0**power, other)

    assert detect(scaled, AS_OF, SHORT, WEEK) == detect(index(single, other), AS_OF, SHORT, WEEK)


@given(walks)
def test_a_market_upside_down_has_the_opposite_regime(levels):
    answer = regime(levels, rules=SHORT)
    distances = [
        100 * (level / levels[k - 19 : k + 1].mean() - 1)
        for k, level in enumerate(levels)
        if k >= 19
    ]

    mirrored = regime(at_distances(*[-distance / 100 for distance in distances]), rules=SHORT)

    opposite = {"bull": "bear", "bear": "bull", "sideways": "sideways"}
    assert mirrored.name == opposite[answer.name]
