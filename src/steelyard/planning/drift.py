"""Drift: half the sum of all distances from target, cash included; cash is before costs."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from steelyard.arrays import FloatArray, IntArray
from steelyard.modules.candidates import Orders
from steelyard.modules.context import Context

SAME_DRIFT = 0.0005
"""A drift that moves by less is the same: half of what is shown of it."""


def drift_of(ctx: Context, weights: FloatArray, cash: float) -> float | None:
    """Of an end state, weights (n,) and cash of value; None without targets."""
    if ctx.target_weights is None:
        return None
    off = np.abs(weights - ctx.target_weights).sum() + abs(cash - ctx.target_cash)
    return float(off + ctx.absent_target + ctx.kept_out_weight) / 2


def drift_after(ctx: Context, orders: Orders, row: Iterable[int]) -> float | None:
    """After a set of orders."""
    at = list(row)
    cash = ctx.cash_weight - math.fsum(orders.delta[at].tolist())
    return drift_of(ctx, orders.after(ctx.weights, at), cash)


def drifts_without(
    ctx: Context, after: FloatArray, cash: float, security: IntArray, delta: FloatArray
) -> list[float | None]:
    """(d,) of an end state without each of its orders, `delta` in `security`, the others as they
    are.
    """
    whole = drift_of(ctx, after, cash)
    if ctx.target_weights is None or whole is None:
        return [None] * len(security)
    off = after[security] - ctx.target_weights[security]
    own = np.abs(off - delta) - np.abs(off)
    of_cash = np.abs(cash + delta - ctx.target_cash) - abs(cash - ctx.target_cash)
    return [whole + float(more) / 2 for more in own + of_cash]
