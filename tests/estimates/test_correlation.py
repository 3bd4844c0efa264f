"""Correlation of many securities: factors that stand for the matrix that few would have."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard import arrays
from steelyard.arrays import Factored, dense, diagonal_of
from steelyard.estimates.correlation import correlation_of

SEEDS = st.integers(0, 2**32 - 1)


def in_both_forms(closes, limit, neutral=0.4):
    """The correlation of closes (n, d), as an array and as factors."""
    as_array = correlation_of(closes, neutral)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrays, "LARGEST_DENSE", limit)
        return as_array, correlation_of(closes, neutral)


def histories(seed, n, common, kinds):
    """Closes (n, 757) of movements in common: whole, young, too young, none, standing still."""
    rng = np.random.default_rng(seed)
    moves = common * rng.normal(0, 0.01, 756) + rng.normal(0, 0.01, (n, 756))
    closes = 50 * np.exp(np.cumsum(np.pad(moves, ((0, 0), (1, 0))), axis=1))
    for row, kind in zip(closes, rng.choice(kinds, n), strict=True):
        row[: {"young": rng.integers(400), "too young": 700, "none": 757}.get(kind, 0)] = np.nan
        if kind == "still":
            row[:] = 9.0
    return closes


@given(
    seed=SEEDS, n=st.integers(0, 70), common=st.sampled_from([0.0, 0.3, 1.0, 20.0]),
    kinds=st.sampled_from(
        [["whole"], ["whole", "young"], ["none"], ["whole", "whole", "none"],
         ["whole", "young", "too young", "none", "still"], ["still", "too young"]]
    ),
)  # fmt: skip
@settings(deadline=None, max_examples=60)
def test_factors_are_the_matrix(seed, n, common, kinds):
    written, factored = in_both_forms(histories(seed, n, common, kinds), min(20, n - 1))

    assert isinstance(factored.matrix, Factored)
    assert dense(factored.matrix) == pytest.approx(written.matrix, abs=1e-10)
    assert factored.shrinkage == pytest.approx(written.shrinkage, abs=1e-10)
    assert np.array_equal(factored.known, written.known)
    assert diagonal_of(factored.matrix) == pytest.approx(np.ones(n), abs=1e-14)
