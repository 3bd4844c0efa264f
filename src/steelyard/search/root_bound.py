"""The bound of the whole problem, and the multipliers that make it tight.

The limits are dualised: any mu >= 0 gives a valid bound, and the least over mu is searched one limit at a time
on a grid that narrows around its best point. Cash comes first, since it nearly always binds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from steelyard.context import PAD
from steelyard.money import FloatArray
from steelyard.search.relax import Relaxation, bounds

STEPS = 12
"""Frank-Wolfe steps at the root: it is solved once and every node inherits its multipliers."""

GRID = 17
ROUNDS = 3
REACH = 1e-4
"""Least multiplier looked at, relative to the largest slope per unit of the limit."""


@dataclass(frozen=True, slots=True)
class Root:
    """bound on the net of every feasible set; mu (p,) multipliers of the linear limits."""

    bound: float
    mu: FloatArray


def root_bound(relaxed: Relaxation) -> Root:
    """Bound of the empty node with the best multipliers found; at least 0, the net of doing nothing."""
    problem = relaxed.problem
    A, b = problem.limits
    mu = np.zeros(len(b))
    if not problem.m:
        return Root(0.0, mu)
    best = _bound(relaxed, mu[None, :])[0]
    for p in range(len(b)):
        if not (A[p] > 0).any():
            continue
        low, high = _range(relaxed, A[p])
        for _ in range(ROUNDS):
            grid = np.concatenate([[0.0], np.geomspace(low, high, GRID - 1)])
            trials = np.tile(mu, (GRID, 1))
            trials[:, p] = grid
            values = _bound(relaxed, trials)
            k = int(values.argmin())
            if values[k] < best:
                best, mu = values[k], trials[k]
            low, high = _narrowed(grid, k, low)
    return Root(max(0.0, float(best)), mu)


def _bound(relaxed: Relaxation, mu: FloatArray) -> FloatArray:
    """(t,) bounds of the empty node under each row of multipliers (t, p)."""
    problem, t = relaxed.problem, len(mu)
    rows = np.full((t, 1), PAD, dtype=np.int64)
    room = np.full(t, problem.depth, dtype=np.int64)
    return bounds(relaxed, rows, np.ones((t, problem.m), dtype=np.bool_), room, mu, STEPS).bound


def _range(relaxed: Relaxation, use: FloatArray) -> tuple[float, float]:
    """From next to nothing to where no order that uses the limit could pay."""
    users = use > 0
    high = float((np.abs(relaxed.linear[users]) / use[users]).max(initial=0.0)) or 1.0
    return REACH * high, high


def _narrowed(grid: FloatArray, k: int, low: float) -> tuple[float, float]:
    """The two neighbours of the best grid point."""
    left = grid[k - 1] if k > 1 else low * REACH
    right = grid[min(k + 1, len(grid) - 1)]
    return float(max(left, np.finfo(float).tiny)), float(max(right, left * (1 + REACH), np.finfo(float).tiny))
