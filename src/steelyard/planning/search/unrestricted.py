"""The best that any quantities in any number of orders could reach: what the table and the depth
limit leave open.

Continuous weights within each security's room, one cash limit, proportional costs; no lots, no
fixed fees, no hurdle, no least order, no turnover or group caps.

    maximise  F(z0 + B t) - charges . t     over 0 <= t <= size, use . t <= cash

where t (2n,) holds what is bought and what is sold. Solved by Frank-Wolfe with away steps; at every
step the slope's best vertex gives a bound that nothing exceeds, so the answer is valid wherever the
search stops.
Source: Lacoste-Julien and Jaggi, On the global linear convergence of Frank-Wolfe variants (2015).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from steelyard.arrays import FloatArray
from steelyard.modules.terms import LEAST_VARIANCE
from steelyard.planning.score.model import ScoreModel, gradient, value

STEPS = 150
GAP = 2e-5
"""Gap in score units under which more steps change nothing that is shown: two thousandths of a
point.
"""

NEWTON_STEPS = 6


@dataclass(frozen=True, slots=True)
class Room:
    """What may be traded, n securities; weights and costs are fractions of value.

    size    (2n,)  largest amount bought, then sold, >= 0
    use     (2n,)  cash that a unit takes: 1 + cost bought, cost - 1 sold
    charge  (2n,)  score charged per unit
    cash    what may be spent before sales, >= 0
    """

    size: FloatArray
    use: FloatArray
    charge: FloatArray
    cash: float


@dataclass(frozen=True, slots=True)
class Unrestricted:
    """weights (n,) reached, their net improvement, and a net that nothing within the room
    exceeds.
    """

    weights: FloatArray
    net: float
    bound: float


def unrestricted(model: ScoreModel, start: FloatArray, room: Room) -> Unrestricted:
    """Maximise the score less proportional charges.

    start   (n + 1,)  z of hold: weights and cash
    """
    hold = value(model, start)
    trade = np.zeros(len(room.size))
    corners, shares = [trade], np.ones(1)
    best, bound = 0.0, math.inf
    for _ in range(STEPS):
        z = _moved(start, trade)
        best = value(model, z) - hold - float(room.charge @ trade)
        pull = gradient(model, z)
        inward = pull[:-1] - pull[-1]
        slope = np.concatenate([inward, -inward]) - room.charge
        towards = best_vertex(slope, room)
        gap = float(slope @ (towards - trade))
        bound = min(bound, best + gap)
        if gap <= GAP:
            break
        trade, corners, shares = _advance(model, z, trade, towards, corners, shares, slope, room)
    return Unrestricted(_moved(start, trade)[:-1], best, max(0.0, bound))


def _advance(
    model: ScoreModel,
    z: FloatArray,
    trade: FloatArray,
    towards: FloatArray,
    corners: list[FloatArray],
    shares: FloatArray,
    slope: FloatArray,
    room: Room,
) -> tuple[FloatArray, list[FloatArray], FloatArray]:
    """Move weight from the worst corner in use straight to the best one (a pairwise step)."""
    away = int(np.argmin([float(slope @ corner) for corner in corners]))
    direction = towards - corners[away]
    step = _line_search(
        model, z, _spread(direction), float(room.charge @ direction), float(shares[away])
    )
    known = next((k for k, corner in enumerate(corners) if np.array_equal(corner, towards)), None)
    if known is None:
        corners, shares, known = [*corners, towards], np.append(shares, 0.0), len(corners)
    shares = shares.copy()
    shares[known] += step
    shares[away] -= step
    kept = np.flatnonzero(shares > 0)
    return trade + step * direction, [corners[k] for k in kept], shares[kept]


def _spread(trade: FloatArray) -> FloatArray:
    """Change of z = (weights, cash) of a trade."""
    n = len(trade) // 2
    change = trade[:n] - trade[n:]
    return np.append(change, -change.sum())


def _moved(start: FloatArray, trade: FloatArray) -> FloatArray:
    return np.asarray(start + _spread(trade))


def _line_search(
    model: ScoreModel, z: FloatArray, d: FloatArray, charge: float, most: float
) -> float:
    """Newton's method for the best step in 0..most along a concave line."""
    first = float(model.slope @ d - 2 * (z @ model.curvature @ d)) - charge
    second = -2 * float(d @ model.curvature @ d)
    norms = [(k, float(z @ V @ z), 2 * float(z @ V @ d), float(d @ V @ d)) for k, V in model.norms]
    t = 0.0
    for _ in range(NEWTON_STEPS):
        slope, bend = first + second * t, second
        for k, v0, v1, v2 in norms:
            v = max(v0 + v1 * t + v2 * t * t, LEAST_VARIANCE)
            dv, root = v1 + 2 * v2 * t, math.sqrt(v)
            slope -= k * dv / (2 * root)
            bend -= k * (v2 / root - dv * dv / (4 * v * root))
        t = min(most, max(0.0, t - slope / bend)) if bend < 0 else (most if slope > 0 else 0.0)
    return t


def best_vertex(slope: FloatArray, room: Room) -> FloatArray:
    """The best trade for a linear score under one cash limit: a continuous knapsack.

    slope     (2n,)  per unit bought, then per unit sold
    returns   (2n,)  amounts bought, then sold
    """
    size, use = room.size, room.use
    taken = np.where(slope > 0, size, 0.0)
    short = float(use @ taken) - room.cash
    if short <= 0:
        return taken
    # give up the buys, or add the sales, that cost the least score per unit of cash
    mover = np.flatnonzero((size > 0) & np.where(use > 0, slope > 0, slope <= 0))
    price = np.abs(slope[mover]) / np.abs(use[mover])
    for j in mover[np.argsort(price, kind="stable")]:
        freed = min(size[j] * abs(use[j]), short)
        taken[j] += freed / abs(use[j]) if use[j] < 0 else -freed / use[j]
        short -= freed
        if short <= 0:
            break
    return np.asarray(np.maximum(taken, 0.0))
