"""The whole number of lots nearest to a target: no order passes its target by half a lot or more.

Judged on pre-trade prices. Floats decide what is clear; at half a lot the decimals of the document
do, and a tie does not cross.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from steelyard.arrays import IntArray
from steelyard.modules.context import Context
from steelyard.money import ZERO

UNSURE = 1e-9
"""Lots from a tie within which floats do not decide."""

NOISE = 1e-14
"""Rounding of a weight, relative: what it is in lots grows with the lots that it holds."""

MOST = 4 * 10**18
"""Lots of any order: more are beyond what an integer counts."""


def nearest_lots(ctx: Context, some: IntArray) -> IntArray:
    """(s,) lots from weight to target of the securities `some`, < 0 to sell; 0 without targets."""
    if ctx.target_weights is None:
        return np.zeros(len(some), dtype=np.int64)
    weights, targets, lot = ctx.weights[some], ctx.target_weights[some], ctx.lot_weight[some]
    gap = targets - weights
    lots = np.divide(np.abs(gap), lot, out=np.zeros(len(some)), where=lot > 0)
    whole = np.minimum(np.maximum(np.ceil(lots - 0.5), 0.0), MOST).astype(np.int64)
    noise = UNSURE + NOISE * np.divide(
        weights + targets, lot, out=np.zeros_like(lots), where=lot > 0
    )
    for k in np.flatnonzero(np.abs(lots - np.floor(lots) - 0.5) <= noise).tolist():
        whole[k] = _decided(ctx, int(some[k]), float(lots[k]))
    return np.where(gap < 0, -whole, whole)


def _decided(ctx: Context, i: int, lots: float) -> int:
    """Nearest lots of security i where floats see a tie; without decimals it is one."""
    money = ctx.exact
    if money is None or money.value <= 0 or ctx.target_weights is None:
        return math.floor(lots)
    holding = ctx.holdings[i]
    lot = Fraction(ctx.securities[i].lot_size) * Fraction(money.shares[i])
    present = Fraction(holding.quantity if holding else ZERO) * Fraction(money.shares[i])
    goal = Fraction(repr(float(ctx.target_weights[i]))) * Fraction(money.value)
    return math.ceil(abs(goal - present) / lot - Fraction(1, 2))
