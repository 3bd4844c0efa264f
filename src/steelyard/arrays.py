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
            f"A sequence names candidate {int(rows.max())} of a table of {m}. Nothing was planned."
        )
    lifted = np.sort(np.where(rows < 0, m, rows), axis=1)
    return np.where(lifted == m, PAD, lifted)


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
