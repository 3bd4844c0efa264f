"""Net improvement of batches of sequences from the collapsed tables.

Column by column, so that the figure of a row never depends on the batch it came in.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from steelyard.context import IntArray, Tables
from steelyard.ledger import row_sums
from steelyard.money import FloatArray
from steelyard.scoring import LEAST_VARIANCE

CHUNK = 16_384
"""Rows at a time: keeps the gathered columns in cache."""


def evaluate(tables: Tables, rows: IntArray) -> FloatArray:
    """Net improvement of each row over hold.

    rows      (k, d)  indices into the m orders, -1 pads; order does not matter
    returns   (k,)
    """
    parts = [_chunk(tables, rows[start : start + CHUNK]) for start in range(0, len(rows), CHUNK)]
    return np.concatenate(parts) if parts else np.zeros(0)


def _chunk(tables: Tables, rows: IntArray) -> FloatArray:
    net = row_sums(tables.linear, rows) - pair_sums(tables.quadratic, rows)
    for norm in tables.norms:
        variance = norm.v0 + row_sums(norm.linear, rows) + pair_sums(norm.quadratic, rows)
        net -= norm.k * (np.sqrt(np.maximum(variance, LEAST_VARIANCE)) - np.sqrt(norm.v0))
    return np.asarray(net)


def pair_sums(matrix: FloatArray, rows: IntArray) -> FloatArray:
    """x' M x of each row for a symmetric M (m, m)."""
    lifted: npt.NDArray[np.float64] = np.pad(matrix, (0, 1))
    total = np.zeros(len(rows))
    for a in range(rows.shape[1]):
        total += lifted[rows[:, a], rows[:, a]]
        for b in range(a + 1, rows.shape[1]):
            total += 2 * lifted[rows[:, a], rows[:, b]]
    return total
