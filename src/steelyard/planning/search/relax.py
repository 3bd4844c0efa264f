"""Upper bounds of a batch of nodes: a concave relaxation, a few Frank-Wolfe steps, the limits
dualised.

A node includes some orders and may add up to `room` of those allowed, one per security. For any
point z of the relaxation and multipliers mu >= 0, concavity gives for every completion x of the
node

    net(x) <= g(z) + grad g(z) . (x - z) + mu . (b - A x)

whose largest value over completions is a sum of the best order of each security, the best `room`
securities.
Each step moves z towards that completion and the multipliers towards what z overdraws; the least
bound of all steps counts. Whatever z and mu are, the bound is valid: how they are found only
decides how tight it is.

The part of the quadratic term that is diagonal over securities is made linear first: with at most
one order per security, h (sum of delta_j x_j)^2 = h sum of delta_j^2 x_j exactly, which takes half
of the curvature out of the relaxation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from steelyard.arrays import PAD, BoolArray, FloatArray, IntArray
from steelyard.modules.tables import Pairs, PairTable
from steelyard.modules.terms import LEAST_VARIANCE
from steelyard.planning.search.extend import applied, indicator, summed
from steelyard.planning.search.problem import Problem

STRUCTURE = 1e-9
"""Relative error up to which the quadratic table is delta_i delta_j G(security i, security j)."""

EIGENVALUE_MARGIN = 1e-9

GRID, OFF_GRID = 2.0**20, 1 / 3
"""Eigenvalues are rounded down to whole parts of the grid, a third of a part on."""

ELIMINATED = 32
"""Securities up to which elimination takes no longer than the rest of the root."""

SHIFTS, ROUNDS = 16, 2
"""Shifts tried at once, each round between two of the last: to 1/256."""

STIFFNESS = 0.1
"""Price of overdrawing a limit, in slopes per size; 1 and 0.01 settle more slowly."""

SETTLE = 5
"""Steps between two updates of the multipliers that the price starts from."""

TINY = 1e-200
"""Keeps a division by zero finite where the numerator is zero too."""


@dataclass(frozen=True)
class Relaxation:
    """The problem with the diagonal over securities made linear.

    linear      (m,)
    quadratic   (m, m)  what is left, positive semidefinite
    """

    problem: Problem
    linear: FloatArray
    quadratic: PairTable

    @cached_property
    def stiffness(self) -> FloatArray:
        """(p,) what the multiplier of each limit rises by per unit of overdraft."""
        A, _ = self.problem.limits
        return np.asarray(
            STIFFNESS * np.abs(self.linear).sum() / np.maximum((A**2).sum(axis=1), TINY)
        )

    @property
    def quadratics(self) -> tuple[PairTable, ...]:
        """The quadratic table, then that of each norm, (m, m) each."""
        return (self.quadratic, *(norm.quadratic for norm in self.problem.tables.norms))


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of k nodes; any child does well to start from z and mu.

    bound        (k,)
    with_order   (k, m)  bound of the completions that include an order, -inf where not allowed
    z            (k, m)  the last point
    mu           (k, p)  the last multipliers
    """

    bound: FloatArray
    with_order: FloatArray
    z: FloatArray
    mu: FloatArray


def relaxation(problem: Problem) -> Relaxation:
    """Move as much curvature as stays positive semidefinite into the linear part."""
    Q, delta = problem.tables.quadratic, problem.account.delta
    unchanged = Relaxation(problem, problem.tables.linear, Q)
    if not problem.m:
        return unchanged
    if isinstance(Q, Pairs):
        linear = problem.tables.linear - Q.own[Q.security] * delta**2
        return Relaxation(problem, linear, Q.rest())
    first, place = problem.groups[:, 0], problem.place
    G = Q[np.ix_(first, first)] / np.outer(delta[first], delta[first])
    # one table as scratch: it may be hundreds of megabytes
    wide = G.take(place, axis=1)
    wide *= delta
    rest = wide.take(place, axis=0)
    rest *= delta[:, None]
    rest -= Q
    if max(rest.max(), -rest.min()) > STRUCTURE * np.abs(np.diag(Q)).max():
        return unchanged
    h = removable_diagonal(G)[place]
    # h sum delta_j^2 leaves the diagonal and, where a security has several orders, their pairs too
    rest[:] = Q
    i, j = np.broadcast_arrays(problem.groups[:, :, None], problem.groups[:, None, :])
    i, j = i[(i >= 0) & (j >= 0)], j[(i >= 0) & (j >= 0)]
    rest[i, j] -= h[i] * delta[i] * delta[j]
    return Relaxation(problem, problem.tables.linear - h * delta**2, rest)


def removable_diagonal(G: FloatArray) -> FloatArray:
    """h (s,) >= 0 with G - diag(h) positive semidefinite: one share of every diagonal entry."""
    diagonal = np.diag(G)
    some = diagonal > 0
    if not some.any():
        return np.zeros(len(G))
    scale = np.sqrt(diagonal[some])
    least = least_eigenvalue(G[np.ix_(some, some)] / np.outer(scale, scale))
    return np.where(some, least * diagonal, 0.0)


def least_eigenvalue(matrix: FloatArray) -> float:
    """A number >= 0 and not over the smallest eigenvalue of a matrix (s, s) with a unit diagonal.

    The same on every machine: by plain elimination, or from LAPACK down to a coarser grid.
    """
    if len(matrix) > ELIMINATED:
        # its last bits are the processor's; no plain number like 1/2 lies on the grid
        least = float(np.linalg.eigvalsh(matrix)[0]) - EIGENVALUE_MARGIN
        return max(0.0, (math.floor(least * GRID - OFF_GRID) + OFF_GRID) / GRID)
    least, step = 0.0, 1 / SHIFTS
    for _ in range(ROUNDS):
        shifts = least + step * np.arange(1, SHIFTS + 1)
        least += step * int(np.cumprod(_definite(matrix, shifts)).sum())
        step /= SHIFTS
    return max(0.0, least * (1 - 2 * EIGENVALUE_MARGIN))


def _definite(matrix: FloatArray, shifts: npt.NDArray[np.floating]) -> BoolArray:
    """(t,) True where the matrix less each shift (t,) on its diagonal is positive definite."""
    # a little less, so that a matrix whose eigenvalue is a shift passes it
    less = shifts * (1 - 2 * EIGENVALUE_MARGIN)
    rest = matrix - less[:, None, None] * np.eye(len(matrix))
    good = np.ones(len(shifts), dtype=np.bool_)
    for j in range(len(matrix)):
        pivot = rest[:, j, j]
        good &= pivot > EIGENVALUE_MARGIN
        # one that has failed is left as it is: it would only grow
        row = rest[:, j, j + 1 :] * good[:, None]
        scaled = row / np.where(good, pivot, 1.0)[:, None]
        rest[:, j + 1 :, j + 1 :] -= scaled[:, :, None] * row[:, None, :]
    return good


def bounds(
    relaxed: Relaxation,
    rows: IntArray,
    allowed: BoolArray,
    room: IntArray,
    mu: FloatArray,
    steps: int,
    start: FloatArray | None = None,
) -> Bounds:
    """Upper bounds of k nodes.

    rows      (k, d)  included orders
    allowed   (k, m)  orders that may be added; none that is included
    room      (k,)    how many, at least 1
    mu        (k, p)  multipliers of the linear limits to start from, >= 0
    steps     Frank-Wolfe steps, at least 1
    start     (k, m)  where to start, for example the parent's z; the included orders alone if left
              out
    """
    problem, (A, b) = relaxed.problem, relaxed.problem.limits
    included = indicator(rows, problem.m)
    point = _Point.at(relaxed, included if start is None else np.where(allowed, start, included))
    least = np.full(len(rows), np.inf)
    with_order = np.full(allowed.shape, np.inf)
    settled = mu
    for step in range(steps):
        # a price rises with the overdraft from where it last settled (augmented Lagrangian):
        # plain subgradient steps swing around the price instead of meeting it
        mu = np.maximum(0.0, settled + relaxed.stiffness * (_used(point.z, A) - b))
        if step % SETTLE == SETTLE - 1:
            settled = mu
        constant, slope = point.tangent(relaxed)
        for price, use in zip(mu.T, A, strict=True):
            if price.any():
                slope -= price[:, None] * use
        constant += (mu * b).sum(axis=1) + _dots(included, slope)
        # what the tangent at z promises at most is a bound for every completion, since g is concave
        total, chosen, forced = best_additions(problem, np.where(allowed, slope, -np.inf), room)
        least = np.minimum(least, constant + total)
        with_order = np.minimum(with_order, constant[:, None] + forced)
        # the last step only bounds: nobody would look at the point after it
        if step < steps - 1:
            point.move(relaxed, np.concatenate([rows, chosen], axis=1), slope, mu > 0)
    return Bounds(least, np.where(allowed, with_order, -np.inf), point.z, mu)


def best_additions(
    problem: Problem, slope: FloatArray, room: IntArray
) -> tuple[FloatArray, IntArray, FloatArray]:
    """The best at most `room` orders by slope, one per security.

    slope     (k, m)  -inf where not allowed
    room      (k,)    at least 1
    returns   total (k,) of the positive ones used; chosen (k, r) their indices, PAD filled; forced
              (k, m) the best total of choices that include an order
    """
    groups = problem.groups
    by_security = np.where(groups >= 0, slope[:, groups], -np.inf)
    pick = by_security.argmax(axis=2)
    best = np.maximum(np.take_along_axis(by_security, pick[:, :, None], axis=2)[:, :, 0], 0.0)
    width = min(int(room.max()), best.shape[1])
    order = np.argsort(-best, axis=1, kind="stable")[:, :width]
    top = np.take_along_axis(best, order, axis=1)
    used = (np.arange(width) < room[:, None]) & (top > 0)
    top = np.where(used, top, 0.0)
    total = top.sum(axis=1)
    chosen = np.where(used, groups[order, np.take_along_axis(pick, order, axis=1)], PAD)
    # an order forced in takes the place of its own security, or that of the weakest one if no place
    # is free
    weakest = np.where(
        room <= best.shape[1],
        np.take_along_axis(top, np.minimum(room, width)[:, None] - 1, axis=1)[:, 0],
        0.0,
    )
    freed = np.repeat(weakest[:, None], best.shape[1], axis=1)
    np.put_along_axis(freed, order, np.where(used, top, weakest[:, None]), axis=1)
    return total, chosen, total[:, None] - freed[:, problem.place] + slope


@dataclass
class _Point:
    """A point z (k, m) with its products: Mz of the quadratic table, then of each norm's."""

    z: FloatArray
    products: list[FloatArray]

    @classmethod
    def at(cls, relaxed: Relaxation, z: FloatArray) -> _Point:
        """The point with its products."""
        return cls(z, [_times(M, z) for M in relaxed.quadratics])

    def tangent(self, relaxed: Relaxation) -> tuple[FloatArray, FloatArray]:
        """Of g at z: its value at x = 0, (k,), and its slope (k, m)."""
        Qz = self.products[0]
        constant, slope = _dots(self.z, Qz), relaxed.linear - 2 * Qz
        for norm, Vz in zip(relaxed.problem.tables.norms, self.products[1:], strict=True):
            along, bend = _dots(self.z, norm.linear), _dots(self.z, Vz)
            root = np.sqrt(np.maximum(norm.v0 + along + bend, LEAST_VARIANCE))
            # of -k sqrt(v): the slope is -k v' / 2 sqrt(v), and v' = linear + 2 V z
            slope -= (norm.k / (2 * root))[:, None] * (norm.linear + 2 * Vz)
            constant -= norm.k * (root - np.sqrt(norm.v0) - (along + 2 * bend) / (2 * root))
        return constant, slope

    def move(
        self, relaxed: Relaxation, towards: IntArray, slope: FloatArray, priced: BoolArray
    ) -> None:
        """Go from z to about the best point on the line to a vertex.

        towards   (k, r)  orders of the vertex
        slope     (k, m)  at z, prices included
        priced    (k, p)  limits whose price rises on the way
        """
        products = [
            summed(M, towards) - Mz for M, Mz in zip(relaxed.quadratics, self.products, strict=True)
        ]
        d = _Point(indicator(towards, relaxed.problem.m) - self.z, products)
        t = self._line_search(relaxed, d, slope, priced)[:, None]
        self.z = self.z + t * d.z
        self.products = [Mz + t * Md for Mz, Md in zip(self.products, d.products, strict=True)]

    def _line_search(
        self, relaxed: Relaxation, d: _Point, slope: FloatArray, priced: BoolArray
    ) -> FloatArray:
        """t (k,) in 0..1 where the slope along d would be 0 if it fell evenly from here to z + d.

        Exact where nothing but squares is scored. Any t is valid, a good one is tight.
        """
        A, _ = relaxed.problem.limits
        here = _dots(d.z, slope)
        there = (
            here
            - 2 * _dots(d.z, d.products[0])
            - (priced * relaxed.stiffness * _used(d.z, A) ** 2).sum(axis=1)
        )
        for norm, Vz, Vd in zip(
            relaxed.problem.tables.norms, self.products[1:], d.products[1:], strict=True
        ):
            v0 = norm.v0 + _dots(self.z, norm.linear) + _dots(self.z, Vz)
            v1, v2 = _dots(d.z, norm.linear) + 2 * _dots(d.z, Vz), _dots(d.z, Vd)
            before, after = np.maximum(v0, LEAST_VARIANCE), np.maximum(v0 + v1 + v2, LEAST_VARIANCE)
            there += norm.k * (v1 / (2 * np.sqrt(before)) - (v1 + 2 * v2) / (2 * np.sqrt(after)))
        return np.asarray(np.clip(here / np.maximum(here - there, TINY), 0.0, 1.0))


def _times(table: PairTable, z: FloatArray) -> FloatArray:
    """(k, m) M z of each z (k, m), which has few entries."""
    if isinstance(table, Pairs):
        return applied(table, z)
    total = np.zeros(z.shape)
    for j in np.flatnonzero(z.any(axis=0)):
        total += z[:, j, None] * table[j]
    return total


def _dots(x: FloatArray, y: FloatArray) -> FloatArray:
    """(k,) of each pair of rows (k, m), or of each row with y (m,)."""
    return np.asarray((x * y).sum(axis=1))


def _used(z: FloatArray, A: FloatArray) -> FloatArray:
    """(k, p) what points (k, m) use of each limit (p, m)."""
    return np.stack([_dots(z, use) for use in A], axis=1)
