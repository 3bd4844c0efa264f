"""The relaxed problem: every security on its concave envelope, tied by cash and the limits.

    maximise  R(z) + sum of envelopes(d_i) - D_c (c + e)^2    over d and cash e = -sum d
    subject   use <= limits, spread along the envelopes

R is the score less its diagonal part (`curvature`), concave and smooth. Solved by accelerated
proximal steps: at y, R is its tangent less l/2 |z - y|^2, so that every security answers a price
alone; Newton's method finds the prices of cash and of the limits at which the answers fit together.
Any point and any prices give a valid bound (`bound`); those of the optimum give a tight one.
Source: Beck and Teboulle, A fast iterative shrinkage-thresholding algorithm (2009), restarted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from steelyard.arrays import FloatArray, dot
from steelyard.planning.score.model import Point
from steelyard.planning.search.clearing import GOOD, Market, cash_range, hopeless, sides_of
from steelyard.planning.search.relaxation import Relaxation
from steelyard.planning.search.response import Exact, Open, Prices, exact

NEAR = 1e-8
"""A step that moves no weight further than this is the last."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A point of the relaxation: change of z (n + 1,), its Point, price of cash, of limits (p,)."""

    change: FloatArray
    point: Point
    cash: float
    limits: FloatArray


def begin(relaxed: Relaxation) -> Spot:
    """Where the first node starts: hold, nothing priced."""
    change = np.zeros(len(relaxed.start))
    point = Point.at(relaxed.problem.model, relaxed.start)
    return Spot(change, point, float(point.gradient()[-1]), np.zeros(len(relaxed.problem.limits)))


def improve(relaxed: Relaxation, node: Open, spot: Spot, steps: int, good: float = GOOD) -> Spot:
    """The optimum of the relaxation over a node, nearly: at most `steps` proximal steps.

    good   misfit of the answers, of value, that will do
    """
    sides = sides_of(relaxed, node)
    y, here, momentum = spot, spot, 1.0
    for _ in range(steps):
        pull = _pull(relaxed, y)
        market = Market(relaxed, sides, y.change, pull, good)
        cash, limits, answer = market.settle(here.cash, here.limits)
        change = np.append(answer.u[0] - answer.u[1], answer.e)
        point = Point.at(relaxed.problem.model, relaxed.start + change)
        new = Spot(change, point, cash, limits)
        moved = change - y.change
        if float(np.abs(moved).max(initial=0.0)) <= NEAR or hopeless(cash, limits):
            return new
        ahead = change - here.change
        if dot(moved, ahead) < 0:
            momentum = 1.0
        later = (1 + math.sqrt(1 + 4 * momentum**2)) / 2
        y = _extrapolated(here, new, (momentum - 1) / later)
        here, momentum = new, later
    return here


def _extrapolated(before: Spot, new: Spot, share: float) -> Spot:
    if share == 0:
        return new
    point = new.point.moved(new.point, share).moved(before.point, -share)
    change = new.change + share * (new.change - before.change)
    return Spot(change, point, new.cash, new.limits)


def _pull(relaxed: Relaxation, spot: Spot) -> FloatArray:
    """(n + 1,) slope of R at a point, with the slope of the diagonal part at the start."""
    slope = spot.point.gradient() + 2 * relaxed.delta * spot.point.z
    return np.asarray(slope - 2 * relaxed.delta * relaxed.start)


@dataclass(frozen=True, slots=True)
class Bounded:
    """A bound on the net of every list of a node, how each security answers its prices, and the
    change of cash that answers its own.
    """

    bound: float
    exact: Exact
    cash: float


def bound(relaxed: Relaxation, node: Open, spot: Spot) -> Bounded:
    """No list of the node has a larger net, whatever the spot; that of the optimum is tight."""
    problem, delta, start = relaxed.problem, relaxed.delta, relaxed.start
    pull, z = _pull(relaxed, spot), spot.point.z
    tangent = spot.point.value() + dot(delta * z, z)
    tangent -= dot(pull + 2 * delta * start, spot.change) + dot(delta * start, start)
    slope, curve = float(pull[-1]) - spot.cash, float(delta[-1])
    free = slope / (2 * curve) if curve > 0 else math.copysign(math.inf, slope)
    low, high = cash_range(relaxed, node)
    e = min(max(free, low), high)
    answer = exact(
        problem.ways,
        relaxed.first,
        delta[:-1],
        Prices(pull[:-1] - spot.cash, spot.limits),
        node,
    )
    total = tangent - relaxed.hold + slope * e - curve * e * e
    total += math.fsum(answer.value.tolist()) + dot(spot.limits, problem.limits)
    return Bounded(total, answer, free)
