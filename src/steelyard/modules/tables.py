"""The score collapsed onto the rows of the candidate table, and its evaluation by arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from steelyard.arrays import (
    Factored,
    FloatArray,
    IntArray,
    across,
    column_of,
    diagonal_of,
    product,
    row_sums,
)
from steelyard.modules.terms import LEAST_VARIANCE


@dataclass(frozen=True, slots=True)
class Pairs:
    """d_i' M d_j of m orders over many securities, made where asked for: (m, m) that is never
    written out. Order j moves `delta_j` from cash into its security.

    matrix     (n + 1, n + 1)  the last row is of cash
    security   (m,)
    delta      (m,)
    own        (n,)  what may be taken from the diagonal: the rest is still semidefinite
    """

    matrix: Factored
    security: IntArray
    delta: FloatArray
    own: FloatArray

    def __len__(self) -> int:
        return len(self.security)

    @property
    def diagonal(self) -> FloatArray:
        """(m,) d_j' M d_j."""
        cash = column_of(self.matrix, -1)
        own = diagonal_of(self.matrix) - 2 * cash + cash[-1]
        return np.asarray(self.delta**2 * own[self.security])

    def times(self, x: FloatArray) -> FloatArray:
        """(m,) the table times shares x (m,) of the orders."""
        moved, z = x * self.delta, np.zeros(len(self.matrix))
        np.add.at(z, self.security, moved)
        z[-1] = -moved.sum()
        pull = product(self.matrix, z)
        return np.asarray(self.delta * (pull[self.security] - pull[-1]))

    def rest(self) -> Pairs:
        """The table without `own`."""
        diagonal, few = self.matrix.diagonal - np.append(self.own, 0.0), self.matrix
        rest = Factored(diagonal, few.factors, few.weights)
        return Pairs(rest, self.security, self.delta, np.zeros_like(self.own))

    def between(self, rows: IntArray, columns: IntArray) -> FloatArray:
        """(r, c) entries of some orders with others, no two of one security."""
        factors, weights = self.matrix.factors, self.matrix.weights
        a, b = (
            (factors[self.security[some]] - factors[-1]) * self.delta[some][:, None]
            for some in (rows, columns)
        )
        by_cash = np.multiply.outer(self.delta[rows], self.delta[columns])
        return np.asarray(across(a * weights, b) + self.matrix.diagonal[-1] * by_cash)

    def sums(self, rows: IntArray) -> FloatArray:
        """(k,) x' M x of rows (k, d) of at most one order per security, -1 pads."""
        moved = np.where(rows >= 0, self.delta[rows], 0.0)
        security, cash = self.security[rows], -moved.sum(axis=1)
        diagonal, factors = self.matrix.diagonal, self.matrix.factors
        inner = cash[:, None] * factors[-1]
        for change, place in zip(moved.T, security.T, strict=True):
            inner += change[:, None] * factors[place]
        total = np.einsum("kf,f->k", inner * inner, self.matrix.weights)
        return np.asarray(
            total + (moved**2 * diagonal[security]).sum(axis=1) + cash**2 * diagonal[-1]
        )


PairTable = Pairs | FloatArray
"""(m, m) what two orders do to each other."""


@dataclass(frozen=True, slots=True)
class NormTable:
    """k x (sqrt(v0 + linear . x + x' Q x) - sqrt(v0)): what a set x of orders adds to one norm."""

    k: float
    v0: float
    linear: FloatArray
    quadratic: PairTable


@dataclass(frozen=True, slots=True)
class Tables:
    """The score collapsed onto m orders: net(x) = linear . x - x' Q x - sum of the norms, 0 for the
    empty set.

    linear     (m,)    gradient at hold along each order, less its charges
    quadratic  (m, m)  symmetric
    """

    linear: FloatArray
    quadratic: PairTable
    norms: tuple[NormTable, ...]


CHUNK = 16_384
"""Rows at a time: keeps the gathered columns in cache."""

FEW = 512
"""Rows at a time where each takes as many numbers as there are factors."""


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


def pair_nets(tables: Tables, rows: IntArray, columns: IntArray) -> FloatArray:
    """(r, c) net of each of some orders with each of others, over many securities."""
    alone = np.concatenate([rows, columns])[:, None]

    def both(linear: FloatArray, table: PairTable, sign: float) -> FloatArray:
        own = linear[alone[:, 0]] + sign * pair_sums(table, alone)
        sums = np.add.outer(own[: len(rows)], own[len(rows) :])
        return np.asarray(sums + sign * 2 * _between(table, rows, columns))

    net = both(tables.linear, tables.quadratic, -1.0)
    for norm in tables.norms:
        variance = norm.v0 + both(norm.linear, norm.quadratic, 1.0)
        net -= norm.k * (np.sqrt(np.maximum(variance, LEAST_VARIANCE)) - np.sqrt(norm.v0))
    return net


def _between(table: PairTable, rows: IntArray, columns: IntArray) -> FloatArray:
    if isinstance(table, Pairs):
        return table.between(rows, columns)
    return table[np.ix_(rows, columns)]


def pair_sums(matrix: PairTable, rows: IntArray) -> FloatArray:
    """x' M x of each row for a symmetric M (m, m)."""
    m, total = len(matrix), np.zeros(len(rows))
    if not m:
        return total
    if isinstance(matrix, Pairs):
        for start in range(0, len(rows), FEW):
            total[start : start + FEW] = matrix.sums(rows[start : start + FEW])
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
