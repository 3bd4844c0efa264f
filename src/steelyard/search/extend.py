"""Every one-order extension of a batch of sets, exactly: value and feasibility of k x m sets at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from steelyard.context import BoolArray, IntArray
from steelyard.ledger import padded
from steelyard.money import FloatArray
from steelyard.scoring import LEAST_VARIANCE
from steelyard.search.problem import Problem


@dataclass(frozen=True, slots=True)
class Extensions:
    """Of k sets by each of m orders.

    net       (k, m)  net of the set with the order
    use       (k, m, p) what it takes of each linear limit
    allowed   (k, m)  may the order join by security and conflicts
    feasible  (k, m)  allowed, and within every linear limit
    """

    net: FloatArray
    use: FloatArray
    allowed: BoolArray
    feasible: BoolArray


def extend(problem: Problem, rows: IntArray) -> Extensions:
    """Evaluate each row with one more order.

    rows   (k, d) indices, PAD where empty
    """
    A, b = problem.limits
    linear, Q = problem.tables.linear, problem.tables.quadratic
    base, cross = own_and_cross(problem.quadratic, rows)
    net = gathered(linear, rows)[:, None] + linear - base[:, None] - 2 * cross - np.diag(Q)
    for norm, table in zip(problem.tables.norms, problem.variances, strict=True):
        own, between = own_and_cross(table, rows)
        variance = norm.v0 + gathered(norm.linear, rows)[:, None] + norm.linear + own[:, None] + 2 * between + np.diag(norm.quadratic)
        net -= norm.k * (np.sqrt(np.maximum(variance, LEAST_VARIANCE)) - np.sqrt(norm.v0))
    use = np.stack([gathered(a, rows)[:, None] + a for a in A], axis=2)
    allowed = problem.allowed(rows)
    return Extensions(net, use, allowed, allowed & (use <= b).all(axis=2))


def gathered(values: FloatArray, rows: IntArray) -> FloatArray:
    """(k,) sum of values (m,) over each row."""
    return np.asarray(padded(values)[rows].sum(axis=1))


def own_and_cross(table: FloatArray, rows: IntArray) -> tuple[FloatArray, FloatArray]:
    """x' M x (k,) and M x (k, m) of each row x, for a table M (m + 1, m) with a zero row."""
    cross = table[rows].sum(axis=1)
    lifted = np.concatenate([cross, np.zeros((len(cross), 1))], axis=1)
    own = np.take_along_axis(lifted, rows, axis=1).sum(axis=1)
    return own, cross


def with_order(rows: IntArray, which: IntArray, orders: IntArray) -> IntArray:
    """Rows `which` of `rows`, each with one order put in its first empty place; canonical.

    Raises IndexError when a row is full.
    """
    made = rows[which].copy()
    made[np.arange(len(made)), (made >= 0).sum(axis=1)] = orders
    last = np.iinfo(np.int64).max
    lifted = np.sort(np.where(made < 0, last, made), axis=1)
    return np.where(lifted == last, -1, lifted)
