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

from steelyard.arrays import FloatArray, dot, product, rounded_up
from steelyard.modules.terms import LEAST_VARIANCE
from steelyard.planning.score.model import Point, ScoreModel

STEPS = 150
GAP = 2e-5
"""Gap in score units under which more steps change nothing shown: .002 points."""

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
    """weights (n,) reached, their net improvement, and a net that nothing in the room exceeds."""

    weights: FloatArray
    net: float
    bound: float


@dataclass(frozen=True, slots=True)
class _Mix:
    """A trade (2n,) as shares (c,) of vertices of the room, corners (c, 2n)."""

    trade: FloatArray
    corners: FloatArray
    shares: FloatArray

    def towards(self, corner: FloatArray, away: int, step: float) -> _Mix:
        """The mix with `step` of weight taken from vertex `away` and given to another."""
        trade = self.trade + step * (corner - self.corners[away])
        corners, shares = self.corners, self.shares.copy()
        same = np.flatnonzero((corners == corner).all(axis=1))
        if len(same):
            shares[same[0]] += step
        else:
            corners, shares = np.vstack([corners, corner]), np.append(shares, step)
        shares[away] -= step
        return _Mix(trade, corners[shares > 0], shares[shares > 0])


def unrestricted(model: ScoreModel, start: FloatArray, room: Room) -> Unrestricted:
    """Maximise the score less proportional charges.

    start   (n + 1,)  z of hold: weights and cash
    """
    nothing = np.zeros(len(room.size))
    mix, point = _Mix(nothing, nothing[None, :], np.ones(1)), Point.at(model, start)
    hold, best, bound = point.value(), 0.0, math.inf
    for _ in range(STEPS):
        best = point.value() - hold - dot(room.charge, mix.trade)
        pull = point.gradient()
        inward = pull[:-1] - pull[-1]
        slope = np.concatenate([inward, -inward]) - room.charge
        corner = best_vertex(slope, room)
        gap = dot(slope, corner - mix.trade)
        bound = min(bound, best + gap)
        if gap <= GAP:
            break
        # a pairwise step: weight goes from the worst vertex in use straight to the best there is
        away = int(product(mix.corners, slope).argmin())
        direction = corner - mix.corners[away]
        d = Point.at(model, _spread(direction))
        step = _line_search(point, d, dot(room.charge, direction), float(mix.shares[away]))
        mix, point = mix.towards(corner, away, step), point.moved(d, step)
    weights = start[:-1] + _spread(mix.trade)[:-1]
    return Unrestricted(weights, best, max(0.0, rounded_up(bound)))


def _spread(trade: FloatArray) -> FloatArray:
    """Change of z = (weights, cash) of a trade."""
    n = len(trade) // 2
    change = trade[:n] - trade[n:]
    return np.append(change, -change.sum())


def _line_search(point: Point, d: Point, charge: float, most: float) -> float:
    """Newton's method for the best step in 0..most along a concave line."""
    first = dot(point.model.slope, d.z) - 2 * dot(d.z, point.products[0]) - charge
    second = -2 * d.squares[0]
    norms = [
        (k, v0, 2 * dot(d.z, Vz), v2)
        for (k, Vz, v0), v2 in zip(point.norms, d.squares[1:], strict=True)
    ]
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
    amounts = np.where(slope > 0, size, 0.0)
    short = dot(use, amounts) - room.cash
    if short <= 0:
        return amounts
    # give up the buys, or add the sales, that cost the least score per unit of cash
    mover = np.flatnonzero((size > 0) & np.where(use > 0, slope > 0, slope <= 0))
    price = np.abs(slope[mover]) / np.abs(use[mover])
    for j in mover[np.argsort(price, kind="stable")]:
        freed = min(size[j] * abs(use[j]), short)
        amounts[j] += freed / abs(use[j]) if use[j] < 0 else -freed / use[j]
        short -= freed
        if short <= 0:
            break
    return np.asarray(np.maximum(amounts, 0.0))
