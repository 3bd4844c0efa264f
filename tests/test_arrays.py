"""Sums that are the same on every machine."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from steelyard import arrays
from steelyard.arrays import (
    LARGEST_DENSE,
    Factored,
    across,
    block,
    column_of,
    dense,
    diagonal_matrix,
    diagonal_of,
    distinct,
    dot,
    firsts,
    gram,
    product,
    rounded_up,
    scaled,
    times,
    total,
    with_cash,
)
from steelyard.errors import InternalError

SEEDS = st.integers(0, 2**32 - 1)


@given(SEEDS, st.integers(1, 8), st.integers(1, 800))
def test_the_products_of_rows_are_those_of_exact_sums(seed, k, days):
    rows = np.random.default_rng(seed).standard_t(3, (k, days))
    sums = gram(rows)

    largest = float((rows**2).sum(axis=1).max())
    for i, j in itertools.product(range(k), repeat=2):
        assert sums[i, j] == pytest.approx(math.fsum(rows[i] * rows[j]), abs=1e-12 * largest)
    assert np.array_equal(sums, sums.T)


@given(SEEDS, st.integers(0, 8), st.integers(1, 800), st.integers(1, 5000))
def test_however_many_rows_blas_multiplies_at_once_the_products_are_the_same_bits(
    seed, k, days, at_once
):
    rows = np.random.default_rng(seed).normal(size=(k, days))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrays, "AT_ONCE", at_once)
        in_parts = gram(rows)

    assert np.array_equal(gram(rows), in_parts)
    plain = np.array([[math.fsum(a * b) for b in rows] for a in rows]).reshape(k, k)
    assert np.allclose(in_parts, plain, rtol=0, atol=1e-9)


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


@given(SEEDS, st.integers(1, 8), st.integers(1, 8), st.integers(1, 800))
def test_the_products_of_rows_with_others_are_those_of_exact_sums(seed, k, m, days):
    rng = np.random.default_rng(seed)
    a, b = 10.0 ** rng.integers(-3, 2) * rng.standard_t(3, (k, days)), rng.normal(size=(m, days))

    largest = max(1.0, np.abs(a).max()) * max(1.0, np.abs(b).max()) * days
    sums = across(a, b)

    for i, j in itertools.product(range(k), range(m)):
        assert sums[i, j] == pytest.approx(math.fsum(a[i] * b[j]), abs=1e-12 * largest)


@given(SEEDS, st.integers(1, 30), st.integers(0, 5))
def test_factors_are_used_as_the_matrix_that_they_stand_for(seed, n, k):
    rng = np.random.default_rng(seed)
    few = Factored(rng.random(n), rng.normal(size=(n, k)), rng.normal(size=k))
    written = np.diag(few.diagonal) + few.factors @ np.diag(few.weights) @ few.factors.T
    x, j = rng.normal(size=n), int(rng.integers(n))
    rows, columns = rng.integers(0, n, 3), rng.integers(0, n, 4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrays, "LARGEST_DENSE", n - 1)
        both = total([few, diagonal_matrix(x, n)], n, n)

    for by_factors, due in (
        (dense(few), written),
        (product(few, x), written @ x),
        (diagonal_of(few), np.diagonal(written)),
        (column_of(few, j), written[:, j]),
        (block(few, rows, columns), written[np.ix_(rows, columns)]),
        (dense(times(-2.0, few)), -2 * written),
        (dense(scaled(few, x)), np.outer(x, x) * written),
        (dense(with_cash(few)), with_cash(written)),
        (dense(both), written + np.diag(x)),
    ):
        assert by_factors == pytest.approx(due, abs=1e-10)
    assert isinstance(both, Factored)
    assert few.shape == written.shape


def test_a_matrix_of_too_many_securities_is_never_written_out():
    n = LARGEST_DENSE + 1

    assert isinstance(diagonal_matrix(np.ones(n), n), Factored)
    with pytest.raises(InternalError, match="501 securities is written out"):
        total([np.eye(n)], n, n)
