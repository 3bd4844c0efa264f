"""Sums that are the same on every machine."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from steelyard import arrays
from steelyard.arrays import distinct, dot, firsts, gram, product, rounded_up

SEEDS = st.integers(0, 2**32 - 1)


@given(SEEDS, st.integers(1, 8), st.integers(1, 800))
def test_the_products_of_rows_are_those_of_exact_sums(seed, k, days):
    rows = np.random.default_rng(seed).standard_t(3, (k, days))
    sums = gram(rows)

    largest = float((rows**2).sum(axis=1).max())
    for i, j in itertools.product(range(k), repeat=2):
        assert sums[i, j] == pytest.approx(math.fsum(rows[i] * rows[j]), abs=1e-12 * largest)
    assert np.array_equal(sums, sums.T)


@given(SEEDS, st.integers(0, 8), st.integers(1, 800))
def test_with_blas_or_without_the_products_are_the_same_bits(seed, k, days):
    rows = np.random.default_rng(seed).normal(size=(k, days))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrays, "WITHOUT_BLAS", -1)
        by_blas = gram(rows)

    assert np.array_equal(gram(rows), by_blas)


@given(SEEDS, st.integers(0, 30))
def test_products_without_blas_are_products(seed, n):
    rng = np.random.default_rng(seed)
    matrix, a, b = rng.normal(size=(n + 1, n)), rng.normal(size=n), rng.normal(size=n)

    assert product(matrix, a) == pytest.approx(matrix @ a, abs=1e-12)
    assert dot(a, b) == pytest.approx(float(a @ b), abs=1e-12)


@given(st.floats(-1e3, 1e3))
def test_a_bound_is_never_rounded_down_and_by_less_than_its_ninth_decimal(bound):
    assert bound - 1e-12 <= rounded_up(bound) <= bound + 1.001e-9


@given(
    npst.arrays(
        np.int64, st.tuples(st.integers(0, 9), st.integers(1, 3)), elements=st.integers(-1, 3)
    )
)
def test_distinct_rows_and_first_places_are_those_that_numpy_finds(rows):
    assert np.array_equal(distinct(rows), np.unique(rows, axis=0))
    assert np.array_equal(firsts(rows[:, 0]), np.unique(rows[:, 0], return_index=True)[1])
