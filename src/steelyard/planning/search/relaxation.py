"""A problem over whole lots relaxed: what all of its nodes share."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from steelyard.arrays import FloatArray, IntArray, dot
from steelyard.planning.score.model import Point
from steelyard.planning.search.curvature import inside
from steelyard.planning.search.lots import LotProblem

POWER_STEPS = 8
ROOM = 1.2
"""Over the estimate of the largest curvature: few steps estimate it from below."""
LEAST_PROX = 1e-3
LEAST_SQUARE = 1e-6
"""Of a variance: the curvature of its root is without end at 0."""


@dataclass(frozen=True)
class Relaxation:
    """A problem with what all of its nodes share.

    delta   (n + 1,)  curvature inside each security, and in cash
    first   (s,)      where each traded security's ways begin
    hold    F(start)
    prox    l, at least the largest curvature of R on changes that sum to 0
    cash    (2,)      least and most that cash may change
    """

    problem: LotProblem
    delta: FloatArray
    first: IntArray
    hold: float
    prox: float
    cash: tuple[float, float]

    @property
    def start(self) -> FloatArray:
        """(n + 1,) z of hold."""
        return self.problem.start


def relaxation(problem: LotProblem) -> Relaxation:
    """What every node of the search shares."""
    ways, start = problem.ways, problem.start
    starts = np.flatnonzero(np.diff(ways.security, prepend=-1)) if len(ways) else np.zeros(0, int)
    reach = np.zeros((2, problem.n))
    np.maximum.at(
        reach, (np.where(ways.lot > 0, 0, 1), ways.security), np.abs(ways.lot) * ways.most
    )
    delta, point = inside(problem.model), Point.at(problem.model, start)
    return Relaxation(
        problem,
        delta,
        starts,
        point.value(),
        _steepest(problem, delta, point),
        (-float(reach[0].sum()), float(reach[1].sum())),
    )


def _steepest(problem: LotProblem, delta: FloatArray, point: Point) -> float:
    """About the largest curvature of R over changes that sum to 0, by power iteration."""
    size = len(delta)
    if size < 3:  # noqa: PLR2004 one security and cash move along one line
        return LEAST_PROX + 4 * float(np.abs(problem.model.slope).max(initial=0.0))
    v, most = np.where(np.arange(size) % 2, 1.0, -1.0) / np.arange(1, size + 1), 0.0
    for _ in range(POWER_STEPS):
        v = v - v.mean()
        v = v / math.sqrt(dot(v, v))
        d = Point.at(problem.model, v)
        pull = 2 * (d.products[0] - delta * v)
        for (k, _, variance), (_, along, _) in zip(point.norms, d.norms, strict=True):
            pull = pull + k * along / math.sqrt(max(variance, LEAST_SQUARE))
        pull = pull - pull.mean()
        most = math.sqrt(dot(pull, pull))
        if most == 0:
            break
        v = pull
    return max(LEAST_PROX, ROOM * most)
