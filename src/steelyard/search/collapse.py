"""Collapse the score onto the candidate table: O(d^2) per sequence, whatever the number of securities.

With z = z0 + sum of x_j d_j, where order j moves `delta_j` of weight from cash into its security, the score
F(z) = b . z - z' H z - k sqrt(z' V z) becomes a function of the m binary x alone.
"""

from __future__ import annotations

import numpy as np

from steelyard.context import IntArray, NormTable, Tables, frozen
from steelyard.money import FloatArray
from steelyard.scoring import LEAST_VARIANCE
from steelyard.scoring.charges import ChargeRates
from steelyard.scoring.model import ScoreModel


def collapse(
    model: ScoreModel, start: FloatArray, security: IntArray, delta: FloatArray, cost: FloatArray, tax: FloatArray, rates: ChargeRates
) -> Tables:
    """Tables of net improvement over hold.

    start      (n + 1,)  z of hold
    security   (m,)      index of the order's security
    delta      (m,)      signed change of weight
    cost, tax  (m,)      of value
    """
    charges = rates.cost * cost + rates.tax * tax + rates.hurdle
    slope = model.slope - 2 * model.curvature @ start
    norms = tuple(
        NormTable(
            k,
            max(float(start @ variance @ start), LEAST_VARIANCE),
            frozen(2 * along(variance @ start, security, delta)),
            frozen(between(variance, security, delta)),
        )
        for k, variance in model.norms
    )
    return Tables(frozen(along(slope, security, delta) - charges), frozen(between(model.curvature, security, delta)), norms)


def along(slope: FloatArray, security: IntArray, delta: FloatArray) -> FloatArray:
    """(m,) slope . d_j: into the security, out of cash."""
    return np.asarray(delta * (slope[security] - slope[-1]))


def between(matrix: FloatArray, security: IntArray, delta: FloatArray) -> FloatArray:
    """(m, m) d_i' M d_j."""
    inner = matrix[np.ix_(security, security)] - matrix[security, -1][:, None] - matrix[-1, security][None, :] + matrix[-1, -1]
    return np.asarray(np.outer(delta, delta) * inner)
