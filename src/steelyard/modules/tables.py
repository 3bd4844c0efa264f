"""The score collapsed onto the rows of the candidate table, and its evaluation by arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from steelyard.arrays import FloatArray, IntArray, row_sums
from steelyard.modules.terms import LEAST_VARIANCE


@dataclass(frozen=True, slots=True)
class NormTable:
    """k x (sqrt(v0 + linear . x + x' Q x) - sqrt(v0)): what a set x of orders adds to one norm."""

    k: float
    v0: float
    linear: FloatArray
    quadratic: FloatArray


@dataclass(frozen=True, slots=True)
class Tables:
    """The score collapsed onto m orders: net(x) = linear . x - x' Q x - sum of the norms, 0 for the
    empty set.

    linear     (m,)    gradient at hold along each order, less its charges
    quadratic  (m, m)  symmetric
    """

    linear: FloatArray
    quadratic: FloatArray
    norms: tuple[NormTable, ...]


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
    m, total = len(matrix), np.zeros(len(rows))
    if not m:
        return total
    # a pad reads order 0 and counts zero times: no padded copy of a table that may be large
    real = np.ascontiguousarray((rows >= 0).T)
    whole = [bool(column.all()) for column in real]
    order = np.maximum(rows.T, 0)
    for a in range(len(order)):
        of_row = order[a] * m
        for b in range(a, len(order)):
            entries = matrix.take(of_row + order[b])
            if not whole[b]:
                entries *= real[b]
            if not whole[a]:
                entries *= real[a]
            total += entries if a == b else 2 * entries
    return total
