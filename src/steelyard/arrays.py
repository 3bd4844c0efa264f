"""Arrays as all of planning writes them: their types, closing them to writing, and rows of indices.

k rows of at most d indices into m things; PAD fills the rest of a row.
A symmetric matrix of many securities is never written out: see `Factored`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from steelyard.errors import InternalError

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

DOUBLE_BITS = 53
BOUND_UNITS = 1e9
AT_ONCE = 250_000
"""Multiplications of a matrix product that BLAS does without waking its threads."""
WITHOUT_THREADS = 2_000_000
"""Multiplications up to which waking them takes longer than the product."""

LARGEST_DENSE = 500
"""Securities up to which their matrices are arrays; those of more are `Factored`."""

PAD = -1
"""Fills the rest of a row of candidate indices."""

T = TypeVar("T", bound=np.generic)


def frozen(array: npt.NDArray[T]) -> npt.NDArray[T]:
    """The same array, closed to writing."""
    array.setflags(write=False)
    return array


def floats(values: Iterable[Decimal | float | None]) -> FloatArray:
    """Numbers as an array closed to writing; None is NaN."""
    numbers = [math.nan if value is None else float(value) for value in values]
    return frozen(np.array(numbers, dtype=np.float64))


def flags(values: Iterable[bool]) -> BoolArray:
    """Truths as an array closed to writing."""
    return frozen(np.array(list(values), dtype=np.bool_))


def canonical_rows(rows: IntArray, m: int) -> IntArray:
    """Each row as a set: indices ascending, PAD last. The table lists sells first, so a canonical
    row does too.

    rows      (k, d)
    returns   (k, d)
    Raises InternalError for an index that the table does not have.
    """
    if rows.size and (rows.max() >= m or rows.min() < PAD):
        raise InternalError(
            f"A sequence names candidate {int(rows.max())} of a table of {m}. Nothing was planned.",
            code="beyond_table",
            value=int(rows.max()),
            limit=m,
        )
    lifted = np.sort(np.where(rows < 0, m, rows), axis=1)
    return np.where(lifted == m, PAD, lifted)


def dot(a: FloatArray, b: FloatArray) -> float:
    """Sum of products, without BLAS: the last bit is the same on every processor."""
    return float((a * b).sum())


@dataclass(frozen=True, slots=True)
class Factored:
    """A symmetric matrix M = diag(d) + F diag(w) F' of n rows, in n x k numbers.

    diagonal   (n,)    d
    factors    (n, k)  F
    weights    (k,)    w, of either sign
    """

    diagonal: FloatArray
    factors: FloatArray
    weights: FloatArray

    @property
    def shape(self) -> tuple[int, int]:
        """(n, n), as of the array that it stands for."""
        return len(self.diagonal), len(self.diagonal)

    def __len__(self) -> int:
        return len(self.diagonal)


Matrix = Factored | FloatArray
"""A symmetric matrix in either form."""


def finite(matrix: Matrix) -> bool:
    """Is every number in it finite? Also of any array."""
    if isinstance(matrix, Factored):
        return all(map(finite, (matrix.diagonal, matrix.factors, matrix.weights)))
    return bool(np.isfinite(matrix).all())


def written_out(n: int) -> bool:
    """Are the matrices of n securities arrays?"""
    return n <= LARGEST_DENSE


def diagonal_matrix(values: FloatArray, n: int) -> Matrix:
    """diag(values), in the form of n securities."""
    if written_out(n):
        return frozen(np.diag(values))
    return Factored(values, np.zeros((len(values), 0)), np.zeros(0))


def square_of(vector: FloatArray, n: int) -> Matrix:
    """v v', in the form of n securities."""
    if written_out(n):
        return frozen(np.multiply.outer(vector, vector))
    return Factored(np.zeros(len(vector)), vector[:, None], np.ones(1))


def product(matrix: Matrix, vector: FloatArray) -> FloatArray:
    """M x, (k,), of a matrix (k, n) and a vector (n,), without BLAS as `dot`."""
    if isinstance(matrix, Factored):
        inner = matrix.weights * np.einsum("nk,n->k", matrix.factors, vector)
        return np.asarray(matrix.diagonal * vector + np.einsum("nk,k->n", matrix.factors, inner))
    return np.asarray((matrix * vector).sum(axis=1))


def diagonal_of(matrix: Matrix) -> FloatArray:
    """(n,) M_ii."""
    if isinstance(matrix, Factored):
        squares = np.einsum("nk,nk,k->n", matrix.factors, matrix.factors, matrix.weights)
        return np.asarray(matrix.diagonal + squares)
    return np.diagonal(matrix)


def column_of(matrix: Matrix, j: int) -> FloatArray:
    """(n,) M_ij over i."""
    if isinstance(matrix, Factored):
        inner = matrix.weights * matrix.factors[j]
        column = np.einsum("nk,k->n", matrix.factors, inner)
        column[j] += matrix.diagonal[j]
        return np.asarray(column)
    return matrix[:, j]


def block(matrix: Matrix, rows: IntArray, columns: IntArray) -> FloatArray:
    """(r, c) entries M_ij of some rows and columns."""
    if isinstance(matrix, Factored):
        entries = across(matrix.factors[rows] * matrix.weights, matrix.factors[columns])
        same = rows[:, None] == columns[None, :]
        return entries + np.where(same, matrix.diagonal[rows][:, None], 0.0)
    return matrix[np.ix_(rows, columns)]


def dense(matrix: Matrix) -> FloatArray:
    """(n, n) M as an array; only of few rows."""
    everything = np.arange(len(matrix))
    return block(matrix, everything, everything) if isinstance(matrix, Factored) else matrix


def times(number: float, matrix: Matrix) -> Matrix:
    """k M."""
    if isinstance(matrix, Factored):
        return Factored(number * matrix.diagonal, matrix.factors, number * matrix.weights)
    return number * matrix


def scaled(matrix: Matrix, scale: FloatArray) -> Matrix:
    """s_i M_ij s_j."""
    if isinstance(matrix, Factored):
        factors = matrix.factors * scale[:, None]
        return Factored(matrix.diagonal * scale**2, factors, matrix.weights)
    return np.multiply.outer(scale, scale) * matrix


def with_cash(matrix: Matrix) -> Matrix:
    """(n + 1, n + 1): one more row and column, of zeros."""
    if isinstance(matrix, Factored):
        factors = np.pad(matrix.factors, ((0, 1), (0, 0)))
        return Factored(np.append(matrix.diagonal, 0.0), factors, matrix.weights)
    return frozen(np.pad(matrix, ((0, 1), (0, 1))))


def total(parts: list[Matrix], size: int, n: int) -> Matrix:
    """The sum of matrices of `size` rows, in the form of n securities.

    Raises InternalError for an array where there are too many securities for one.
    """
    if written_out(n):
        return sum((dense(part) for part in parts), np.zeros((size, size)))
    factored = [part for part in parts if isinstance(part, Factored)]
    if len(factored) < len(parts):
        raise InternalError(
            f"A matrix of {n:,} securities is written out; of more than {LARGEST_DENSE} factors "
            "are due. Nothing was planned.",
            code="matrix_written_out",
            value=n,
            limit=LARGEST_DENSE,
        )
    return Factored(
        sum((part.diagonal for part in factored), np.zeros(size)),
        np.concatenate([np.zeros((size, 0)), *(part.factors for part in factored)], axis=1),
        np.concatenate([np.zeros(0), *(part.weights for part in factored)]),
    )


def rounded_up(bound: float) -> float:
    """A bound up to nine decimals: it stays valid, and its last digits do not matter."""
    return math.ceil(bound * BOUND_UNITS) / BOUND_UNITS


def gram(rows: FloatArray) -> FloatArray:
    """R R', (k, k), of rows R (k, d), alike on every machine; to 1e-12 of the largest entry or 1.

    BLAS sums in another order on every processor. Whole numbers under 2^53 sum to the same in any
    order, so the rows are cut into two slices of so many bits that no sum of products needs more.
    """
    high, low, scale, step = _slices(rows)
    between = _products(high, low)
    sums = _products(high, high) + (between + between.T) * step
    sums += _products(low, low) * step**2
    return np.asarray(sums / scale**2)


def across(a: FloatArray, b: FloatArray) -> FloatArray:
    """A B', (k, m), of rows A (k, d) and B (m, d), in the way of `gram`."""
    (a_high, a_low, a_scale, step), (b_high, b_low, b_scale, _) = _slices(a), _slices(b)
    sums = _products(a_high, b_low) + _products(a_low, b_high)
    sums = _products(a_high, b_high) + sums * step + _products(a_low, b_low) * step**2
    return np.asarray(sums / (a_scale * b_scale))


def _slices(rows: FloatArray) -> tuple[FloatArray, FloatArray, float, float]:
    """Whole numbers H and L with rows = (H + step L) / scale."""
    bits = (DOUBLE_BITS - math.ceil(math.log2(max(2, rows.shape[1])))) // 2
    largest = max(1.0, float(rows.max(initial=1.0)), -float(rows.min(initial=-1.0)))
    scale = 2.0 ** (bits - math.frexp(largest)[1])
    low = rows * scale
    high = np.rint(low)
    low -= high
    low *= 2.0**bits
    return high, np.rint(low, out=low), scale, 2.0**-bits


def _products(a: FloatArray, b: FloatArray) -> FloatArray:
    """A B' of whole numbers, exact in any order; the threads of BLAS only where they pay."""
    rows = len(a) if a.size * len(b) > WITHOUT_THREADS else max(1, AT_ONCE // max(1, b.size))
    if rows >= len(a):
        return np.asarray(a @ b.T)
    return np.concatenate([a[k : k + rows] @ b.T for k in range(0, len(a), rows)])


def firsts(values: IntArray) -> IntArray:
    """Where each distinct value of (m,) stands first, in the order of the values.

    Not `np.unique`, which imports masked arrays: a tenth of the time that numpy itself takes.
    """
    order = np.argsort(values, kind="stable")
    return np.asarray(order[_new(values[order, None])])


def distinct(rows: IntArray) -> IntArray:
    """The different rows of (k, d), in their own order."""
    ordered = rows[np.lexsort(rows.T[::-1])]
    return np.asarray(ordered[_new(ordered)])


def _new(ordered: IntArray) -> BoolArray:
    """(k,) False for each row that is the one before it."""
    changes = (ordered[1:] != ordered[:-1]).any(axis=1)
    return np.append(True, changes)[: len(ordered)]


def padded(values: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """Values (m, …) with a zero row appended, which index -1 (PAD) then reads."""
    return np.concatenate([values, np.zeros((1, *values.shape[1:]), dtype=values.dtype)])


def row_sums(values: FloatArray, rows: IntArray) -> FloatArray:
    """Sum over each row, column by column, so that a row's sum does not depend on its batch.

    values    (m,)
    rows      (k, d) indices, -1 pads
    returns   (k,)
    """
    lifted = padded(values)
    if rows.shape[1] > len(rows):  # few long rows; summed in the same order
        return np.asarray(np.cumsum(lifted[rows], axis=1)[:, -1])
    total = np.zeros(len(rows))
    for column in rows.T:
        total += lifted[column]
    return total
