"""Every one-order extension of a batch of sets, exactly: value and feasibility."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from steelyard.arrays import BoolArray, FloatArray, IntArray, padded
from steelyard.modules.tables import Pairs, PairTable, Tables
from steelyard.modules.terms import LEAST_VARIANCE
from steelyard.planning.search.problem import Problem

ROUNDING = 1e-13
"""A set this far over a limit still counts as feasible here: sums in another order than the
ledger's may say so of a set that is exactly on the limit. The ledger has the last word on every set
that is offered.
"""


@dataclass(frozen=True, slots=True)
class Extensions:
    """Of k sets by each of m orders.

    net       (k, m)  net of the set with the order
    allowed   (k, m)  may the order join by security and conflicts
    feasible  (k, m)  allowed, and within every linear limit but for rounding
    """

    net: FloatArray
    allowed: BoolArray
    feasible: BoolArray


def extend(problem: Problem, rows: IntArray) -> Extensions:
    """Evaluate each row with one more order.

    rows   (k, d) indices, PAD where empty
    """
    net, allowed = net_with_order(problem.tables, rows), problem.allowed(rows)
    feasible = allowed.copy()
    for use, limit in zip(*problem.limits, strict=True):
        feasible &= gathered(use, rows)[:, None] + use <= limit + ROUNDING
    return Extensions(net, allowed, feasible)


def net_with_order(tables: Tables, rows: IntArray) -> FloatArray:
    """(k, m) net of each row (k, d) with each order added to it."""
    linear, Q = tables.linear, tables.quadratic
    base, cross = own_and_cross(Q, rows)
    net = gathered(linear, rows)[:, None] + linear - base[:, None] - 2 * cross - alone(Q)
    for norm in tables.norms:
        own, between = own_and_cross(norm.quadratic, rows)
        variance = (
            norm.v0
            + gathered(norm.linear, rows)[:, None]
            + norm.linear
            + own[:, None]
            + 2 * between
            + alone(norm.quadratic)
        )
        net -= norm.k * (np.sqrt(np.maximum(variance, LEAST_VARIANCE)) - np.sqrt(norm.v0))
    return np.asarray(net)


def gathered(values: FloatArray, rows: IntArray) -> FloatArray:
    """(k,) sum of values (m,) over each row."""
    return np.asarray(padded(values)[rows].sum(axis=1))


def alone(table: PairTable) -> FloatArray:
    """(m,) what each order does by itself."""
    return table.diagonal if isinstance(table, Pairs) else np.diag(table)


def summed(table: PairTable, rows: IntArray) -> FloatArray:
    """(k, m) M x of each row x (k, d), for a symmetric table M (m, m)."""
    if isinstance(table, Pairs):
        return applied(table, indicator(rows, len(table)))
    total = np.zeros((len(rows), len(table)))
    for column in rows.T:
        real = np.flatnonzero(column >= 0)
        if len(real) == len(column):
            total += table[column]
        elif len(real):
            total[real] += table[column[real]]
    return total


def applied(table: Pairs, z: FloatArray) -> FloatArray:
    """(k, m) M z of each z (k, m)."""
    return np.array([table.times(row) for row in z]).reshape(z.shape)


def indicator(rows: IntArray, m: int) -> FloatArray:
    """(k, m) 1 where an order is in the row (k, d)."""
    x = np.zeros((len(rows), m + 1))
    np.put_along_axis(x, rows, 1.0, axis=1)
    return x[:, :-1]


def own_and_cross(table: PairTable, rows: IntArray) -> tuple[FloatArray, FloatArray]:
    """x' M x (k,) and M x (k, m) of each row x, for a symmetric table M (m, m)."""
    cross = summed(table, rows)
    own = np.where(rows >= 0, np.take_along_axis(cross, rows, axis=1), 0.0).sum(axis=1)
    return own, cross


def with_order(rows: IntArray, which: IntArray, orders: IntArray) -> IntArray:
    """Rows `which` of `rows`, each with one order put in its first empty place; canonical.

    Raises IndexError when a row is full.
    """
    longer = rows[which].copy()
    longer[np.arange(len(longer)), (longer >= 0).sum(axis=1)] = orders
    last = np.iinfo(np.int64).max
    lifted = np.sort(np.where(longer < 0, last, longer), axis=1)
    return np.where(lifted == last, -1, lifted)
