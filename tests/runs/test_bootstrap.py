"""Intervals of mean differences: against plain loops, and how often they hold the true mean."""

import math
import statistics

import numpy as np
import pytest

from steelyard.runs.bootstrap import RESAMPLES, block_length, blocks, interval, student


def by_loops(values, seed):
    """The same interval with lists: the draws are those of the seed, all else is written out."""
    count, length = len(values), block_length(len(values))
    drawn = math.ceil(count / length)
    starts = np.random.default_rng(seed).integers(count, size=(RESAMPLES, drawn)).tolist()
    means = []
    for row in starts:
        series = [values[(start + k) % count] for start in row for k in range(length)][:count]
        means.append(math.fsum(series) / count)
    half = student(0.975, drawn - 1) * statistics.pstdev(means) * math.sqrt(drawn / (drawn - 1))
    mean = math.fsum(values) / count
    return mean - half, mean, mean + half


@pytest.mark.parametrize("count", [5, 6, 12, 23])
def test_the_interval_is_that_of_plain_loops_over_blocks_on_a_circle(count):
    values = np.random.default_rng(count).normal(0.3, 1.0, count)

    where = interval(values, blocks(count, np.random.default_rng(7)))

    assert (where.low, where.mean, where.high) == pytest.approx(by_loops(values.tolist(), 7))


def test_differences_that_are_all_alike_leave_no_doubt():
    where = interval(np.full(8, 0.02), blocks(8, np.random.default_rng(0)))

    assert (where.low, where.high) == pytest.approx((0.02, 0.02))
    assert where.excludes_zero


def test_the_other_way_round_the_interval_is_mirrored():
    values, places = np.random.default_rng(3).normal(size=9), blocks(9, np.random.default_rng(0))

    one_way, other = interval(values, places), interval(-values, places)

    assert (other.low, other.high) == pytest.approx((-one_way.high, -one_way.low))


@pytest.mark.parametrize(
    ("free", "quantile"), [(2, 4.303), (3, 3.182), (5, 2.571), (11, 2.201), (30, 2.042)]
)
def test_quantiles_of_student_are_those_of_the_tables_within_three_percent(free, quantile):
    assert student(0.975, free) == pytest.approx(quantile, rel=0.031)


def coverage(count, rho, series):
    """Part of the series, each value `rho` of the one before and noise, whose interval has 0."""
    random, hits = np.random.default_rng(11), 0
    for _ in range(series):
        noise = random.standard_normal(count + 50)
        values = np.zeros(count + 50)
        for k in range(1, count + 50):
            values[k] = rho * values[k - 1] + noise[k]
        hits += not interval(values[50:], blocks(count, random)).excludes_zero
    return hits / series


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("count", "rho", "least"),
    [(5, 0.0, 0.95), (12, 0.0, 0.94), (24, 0.0, 0.94), (24, 0.3, 0.90), (48, 0.3, 0.91)],
)
def test_intervals_of_95_percent_hold_the_mean_about_as_often(count, rho, least):
    assert coverage(count, rho, 1000) >= least
