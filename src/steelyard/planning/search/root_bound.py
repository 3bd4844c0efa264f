"""The bound of the whole problem, with the multipliers and the point that make it tight.

The limits are dualised: any mu >= 0 gives a valid bound. Frank-Wolfe on the augmented Lagrangian
finds good ones for all limits together: overdrawing has a price that rises with the overdraft
(`relax.bounds`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from steelyard.arrays import PAD, FloatArray
from steelyard.planning.search.relax import Relaxation, bounds

STEPS = 10
ROUNDS = 8
ENOUGH = 2e-3
"""A round that lowers the bound by a smaller share is the last."""


@dataclass(frozen=True, slots=True)
class Root:
    """What the search starts from.

    bound     on the net of every feasible set
    mu        (p,)  multipliers of the linear limits
    z         (m,)  point of the relaxation
    """

    relaxed: Relaxation
    bound: float
    mu: FloatArray
    z: FloatArray


def root_bound(relaxed: Relaxation) -> Root:
    """Bound of the empty node; at least 0, the net of doing nothing."""
    problem = relaxed.problem
    mu, z = np.zeros((1, len(problem.limits[1]))), np.zeros((1, problem.m))
    if not problem.m:
        return Root(relaxed, 0.0, mu[0], z[0])
    rows, allowed = np.full((1, 1), PAD, dtype=np.int64), np.ones((1, problem.m), dtype=np.bool_)
    best = np.inf
    for _ in range(ROUNDS):
        bounded = bounds(relaxed, rows, allowed, np.array([problem.depth]), mu, STEPS, z)
        mu, z, before, best = bounded.mu, bounded.z, best, min(best, float(bounded.bound[0]))
        if before - best <= ENOUGH * abs(best):
            break
    return Root(relaxed, max(0.0, best), mu[0], z[0])
