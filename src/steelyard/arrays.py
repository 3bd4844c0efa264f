"""Arrays as all of planning writes them: their types, closing them to writing, and rows of indices.

k rows of at most d indices into m things; PAD fills the rest of a row.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
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
WITHOUT_BLAS = 2_000_000
"""Multiplications of a matrix product up to which numpy alone is as fast."""

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


def product(matrix: FloatArray, vector: FloatArray) -> FloatArray:
    """M x, (k,), of a matrix (k, n) and a vector (n,), without BLAS as `dot`."""
    return np.asarray((matrix * vector).sum(axis=1))


def rounded_up(bound: float) -> float:
    """A bound up to nine decimals: it stays valid, and its last digits do not matter."""
    return math.ceil(bound * BOUND_UNITS) / BOUND_UNITS


def gram(rows: FloatArray) -> FloatArray:
    """R R', (k, k), of rows R (k, d), alike on every machine; to 1e-12 of the largest entry or 1.

    BLAS sums in another order on every processor. Whole numbers under 2^53 sum to the same in any
    order, so the rows are cut into two slices of so many bits that no sum of products needs more.
    """
    bits = (DOUBLE_BITS - math.ceil(math.log2(max(2, rows.shape[1])))) // 2
    scale = 2.0 ** (bits - math.frexp(float(np.abs(rows).max(initial=1.0)))[1])
    high = np.rint(rows * scale)
    low = np.rint((rows * scale - high) * 2.0**bits)
    across = _products(high, low)
    sums = _products(high, high) + (across + across.T) * 2.0**-bits
    sums += _products(low, low) * 2.0 ** (-2 * bits)
    return np.asarray(sums / scale**2)


def _products(a: FloatArray, b: FloatArray) -> FloatArray:
    """A B' of whole numbers, exact; BLAS and its threads only where that pays."""
    if a.size * len(b) > WITHOUT_BLAS:
        return np.asarray(a @ b.T)
    return np.array([product(b, row) for row in a]).reshape(len(a), len(b))


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
    total = np.zeros(len(rows))
    for column in rows.T:
        total += lifted[column]
    return total
