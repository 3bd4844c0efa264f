"""Histories: daily or not, gaps, splits, slips, and what is told of each."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.ages import is_daily
from steelyard.importers.prices.history import (
    daily_since,
    judged_history,
    spikes,
    split_adjusted,
)

NAN = float("nan")


def weekdays(count: int, start: str = "2020-01-01"):
    return np.busday_offset(start, np.arange(count), roll="forward").astype("datetime64[D]")


def walk(rows: int, columns: int = 1, seed: int = 0):
    steps = np.random.default_rng(seed).normal(0, 0.02, (rows, columns))
    return 100 * np.exp(np.cumsum(steps, axis=0))


def test_a_daily_history_goes_through_as_it_is():
    dates, closes = weekdays(300), walk(300, 3)

    history = judged_history(dates, closes, ("A", "B", "C"), {})

    assert np.array_equal(history.dates, dates)
    assert np.array_equal(history.closes, closes)
    assert history.notices == ()


@pytest.mark.parametrize("days", [7, 30])
def test_weekly_and_monthly_closes_are_no_history_and_it_is_said_first(days: int):
    dates = np.datetime64("2020-01-01") + np.arange(30) * np.timedelta64(days, "D")

    history = judged_history(dates, walk(30), ("A",), {})

    assert (history.dates.shape, history.closes.shape) == ((0,), (0, 1))
    (notice,) = history.notices
    assert (notice.code, notice.head) == ("history_not_daily", True)
    assert f"are {days} days apart (median of 30 dates, 2020-01-01 to" in notice.message


def test_a_few_quotes_are_of_any_days():
    dates = np.datetime64("2020-01-01") + np.arange(19) * np.timedelta64(30, "D")

    assert is_daily(dates)
    assert judged_history(dates, walk(19), ("A",), {}).notices == ()


def test_statistics_begin_after_the_last_gap_and_both_its_dates_are_told():
    late = weekdays(100)
    # ten weekdays may be holidays, eleven are a gap
    cases = [
        (np.concatenate([weekdays(50, "2010-01-04"), late]), 50),
        (np.concatenate([[np.datetime64("2019-12-18")], late]), 0),
        (np.concatenate([[np.datetime64("2019-12-17")], late]), 1),
    ]
    wrong = [(dates[0], start) for dates, start in cases if daily_since(dates) != start]
    assert not wrong

    history = judged_history(cases[0][0], walk(150), ("A",), {})

    assert np.array_equal(history.dates, late)
    (notice,) = history.notices
    assert (notice.code, notice.head) == ("history_gap", True)
    assert "from 2010-03-12 to 2020-01-01" in notice.message
    assert "the 100 dates since, not from the 50 before" in notice.message


def test_days_after_years_of_months_are_a_history():
    months = np.datetime64("2005-01-03") + np.arange(120) * np.timedelta64(30, "D")
    dates = np.concatenate([months, weekdays(60)])

    history = judged_history(dates, walk(180), ("A",), {})

    assert len(history.dates) == 60
    assert [notice.code for notice in history.notices] == ["history_gap"]


def test_closes_before_a_split_are_divided_where_the_price_changes_as_it_says():
    dates, on = weekdays(6), weekdays(6)[3].astype(object)
    cases = {
        "raw": ([100, 101, 102, 10.3, 10.2, 10.1], 10, [10, 10.1, 10.2, 10.3, 10.2, 10.1]),
        "adjusted": ([10, 10.1, 10.2, 10.3, 10.2, 10.1], 10, None),
        "no price on it": ([100, NAN, NAN, NAN, 10, 9], 10, [10, NAN, NAN, NAN, 10, 9]),
        "reverse": ([1, 1.01, 1.02, 10.3, 10, 10], 0.1, [10, 10.1, 10.2, 10.3, 10, 10]),
        "a small one": ([11, 11, 11, 10, 10, 10], 1.1, [10, 10, 10, 10, 10, 10]),
        "a small one, adjusted": ([10, 10, 10, 9.9, 10, 10], 1.1, None),
        "too far off": ([100, 100, 100, 13, 13, 13], 10, None),
        "before any price": ([NAN, NAN, NAN, 10, 10, 10], 10, None),
        "after any price": ([100, 100, 100, NAN, NAN, NAN], 10, None),
    }  # fmt: skip

    wrong = {}
    for name, (closes, shares, expected) in cases.items():
        adjusted = split_adjusted(dates, np.array(closes, dtype=float), {on: shares})
        if not np.allclose(adjusted, expected or closes, equal_nan=True):
            wrong[name] = adjusted.tolist()
    assert not wrong


def test_two_splits_multiply():
    dates = weekdays(4)
    splits = {dates[1].astype(object): 2.0, dates[3].astype(object): 3.0}

    assert split_adjusted(dates, np.array([60.0, 30, 30, 10]), splits).tolist() == [10, 10, 10, 10]


@given(st.integers(0, 10**6), st.integers(0, 98), st.sampled_from([10, 100, 0.1, 0.01]))
def test_a_drawn_close_of_a_random_walk_off_by_10_or_100_is_the_only_slip(
    seed: int, row: int, by: float
):
    closes = walk(100, 2, seed)
    closes[np.random.default_rng(seed).random((100, 2)) < 0.1] = NAN
    closes[[0, 1, 2, -1]] = 100
    closes[row, 1] = 100
    assert not spikes(closes).any()

    closes[row, 1] *= by

    assert np.argwhere(spikes(closes)).tolist() == [[row, 1]]


def test_a_step_a_rise_and_the_newest_close_are_no_slips():
    cases = [
        [10, 10, 40, 40, 40],
        [1, 4, 16, 64, 256],
        [10, 10, 10, 10, 100],
        [100, 10],
        [100],
        [],
        [NAN] * 5,
    ]

    slips = [case for case in cases if spikes(np.array(case, dtype=float)[:, None]).any()]

    assert not slips


def test_slips_leave_the_statistics_and_are_told_with_their_figures():
    dates, closes = weekdays(40), np.full((40, 2), 10.0)
    closes[[3, 9, 15, 21], 0] = 1000
    closes[[0, 12, 18], 1] = 0.1

    history = judged_history(dates, closes, ("AAA", "BBB"), {})

    assert int(np.isnan(history.closes).sum()) == 7
    assert closes[3, 0] == 1000
    (notice,) = history.notices
    assert (notice.code, notice.symbol) == ("price_spike", None)
    assert notice.message == (
        "7 closes are over 3 times, or under a third of, those beside, and no return or risk is "
        "taken from them: AAA 1000 on 2020-01-06 (between 10 and 10), AAA 1000 on 2020-01-14 "
        "(between 10 and 10), AAA 1000 on 2020-01-22 (between 10 and 10), AAA 1000 on 2020-01-30 "
        "(between 10 and 10), BBB 0.1 on 2020-01-01 (before 10), and 2 more."
    )


def test_a_split_that_the_file_names_is_no_slip_and_no_step():
    dates = weekdays(40)
    closes = np.where(np.arange(40) < 20, 100.0, 10.0)[:, None]
    splits = {"A": {dates[20].astype(object): 10.0}}

    history = judged_history(dates, closes, ("A",), splits)

    assert history.notices == ()
    assert (history.closes == 10).all()
