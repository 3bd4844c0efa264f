"""Trends: what recent prices did, with holes in them."""

from datetime import date

import numpy as np
import pytest

from builders.world import session_days, walk
from steelyard.estimates.trends import MONTH, YEAR, momentum, peaks, volatility_ratio

SESSIONS = 300
DAYS = session_days(SESSIONS)


def closes() -> np.ndarray:
    return np.stack([100 * walk(seed, SESSIONS) for seed in (1, 2)], axis=1)


def test_momentum_is_the_growth_of_a_year_less_its_newest_month():
    usable = closes()

    assert momentum(usable) == pytest.approx(usable[-1 - MONTH] / usable[-1 - YEAR] - 1)
    assert np.isnan(momentum(usable[-YEAR:])).all()


@pytest.mark.parametrize("end", [MONTH, YEAR])
def test_a_holiday_at_an_end_of_the_year_takes_the_close_before_it(end):
    usable = closes()
    usable[-1 - end, 0] = usable[-2 - end, 0]
    holed = usable.copy()
    holed[-1 - end, 0] = np.nan

    assert momentum(holed) == pytest.approx(momentum(usable))


def test_a_week_without_a_close_makes_momentum_unknown():
    holed = closes()
    holed[-5 - MONTH : -MONTH, 0] = np.nan

    assert np.isnan(momentum(holed)).tolist() == [True, False]


def test_a_peak_counts_from_the_purchase_on_and_passes_over_holes():
    usable = closes()
    usable[-3, 0], usable[-2, 0] = 900.0, np.nan

    ratios = peaks(usable, DAYS, [DAYS[-5].astype(object), None])
    assert ratios[0] == 900.0
    assert np.isnan(ratios[1])
    assert np.isnan(peaks(usable, DAYS, [date(2030, 1, 1), date(2030, 1, 1)])).all()


def test_one_young_holding_does_not_hide_a_stormy_market():
    stormy = closes()
    stormy[-20::2] *= 1.2
    young = stormy.copy()
    young[:-5, 1] = np.nan

    assert volatility_ratio(stormy, np.array([0.9, 0.1])) > 1.5
    assert volatility_ratio(young, np.array([0.9, 0.1])) > 1.5


def test_a_mix_of_which_less_than_half_is_known_has_no_volatility():
    young = closes()
    young[:, 1] = np.nan

    assert np.isnan(volatility_ratio(young, np.array([0.4, 0.6])))
    assert np.isnan(volatility_ratio(np.full((SESSIONS, 2), 100.0), np.array([0.5, 0.5])))
