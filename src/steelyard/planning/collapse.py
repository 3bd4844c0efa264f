"""Collapse the score onto the candidate table: O(d^2) per sequence, whatever the number of
securities.

With z = z0 + sum of x_j d_j, where order j moves `delta_j` of weight from cash into its security,
the score F(z) = b . z - z' H z - k sqrt(z' V z) becomes a function of the m binary x alone.
"""

from __future__ import annotations

import numpy as np

from steelyard.arrays import (
    Factored,
    FloatArray,
    IntArray,
    Matrix,
    dot,
    firsts,
    frozen,
    product,
)
from steelyard.modules.tables import NormTable, Pairs, PairTable, Tables
from steelyard.modules.terms import LEAST_VARIANCE, Separable
from steelyard.planning.score.charges import ChargeRates
from steelyard.planning.score.model import ScoreModel


def collapse(
    model: ScoreModel,
    start: FloatArray,
    security: IntArray,
    delta: FloatArray,
    cost: FloatArray,
    tax: FloatArray,
    rates: ChargeRates,
    hurdled: FloatArray | float = 1.0,
) -> Tables:
    """Tables of net improvement over hold.

    start      (n + 1,)  z of hold
    security   (m,)      index of the order's security
    delta      (m,)      signed change of weight
    cost, tax  (m,)      of value
    hurdled    (m,)      1 where the hurdle is charged
    """
    charges = rates.cost * cost + rates.tax * tax + rates.hurdle * hurdled
    slope = model.slope - 2 * product(model.curvature, start)
    norms = []
    for k, variance in model.norms:
        pull = product(variance, start)
        v0 = max(dot(start, pull), LEAST_VARIANCE)
        linear = frozen(2 * along(pull, security, delta))
        norms.append(NormTable(k, v0, linear, between(variance, security, delta)))
    linear = along(slope, security, delta) - charges
    for k, shape in model.separables:
        linear = linear + k * separate(shape, start[:-1], security, delta)
    table = between(model.curvature, security, delta, model.separable[:-1])
    return Tables(frozen(linear), table, tuple(norms))


def separate(
    shape: Separable, weights: FloatArray, security: IntArray, delta: FloatArray
) -> FloatArray:
    """(m,) what each order adds to a sum of functions of one weight each; one per security."""
    before = shape.each(weights)
    added = np.zeros(len(security))
    rest = np.arange(len(security))
    while len(rest):
        # one order of each security at a time, since `each` sees all weights at once
        first = firsts(security[rest])
        now = rest[first]
        after = weights.copy()
        after[security[now]] += delta[now]
        added[now] = (shape.each(after) - before)[security[now]]
        rest = np.delete(rest, first)
    return added


def along(slope: FloatArray, security: IntArray, delta: FloatArray) -> FloatArray:
    """(m,) slope . d_j: into the security, out of cash."""
    return np.asarray(delta * (slope[security] - slope[-1]))


def between(
    matrix: Matrix, security: IntArray, delta: FloatArray, own: FloatArray | None = None
) -> PairTable:
    """(m, m) d_i' M d_j; of many securities not written out, see `Pairs`."""
    if isinstance(matrix, Factored):
        return Pairs(matrix, security, delta, np.zeros(len(matrix) - 1) if own is None else own)
    inner = matrix[:-1, :-1] - (matrix[:-1, -1:] + matrix[-1:, :-1]) + matrix[-1, -1]
    # entries are picked once per security, and whole rows copied for its orders: m x m may be large
    table: FloatArray = inner.take(security, axis=1).take(security, axis=0)
    # an outer product is symmetric to the last bit, two scalings in turn are not
    table *= np.multiply.outer(delta, delta)
    return frozen(table)
