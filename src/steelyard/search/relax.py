"""Upper bounds of a batch of nodes: a concave relaxation, a few Frank-Wolfe steps, the limits dualised.

A node includes some orders and may add up to `room` of those allowed, one per security. For any point z of
the relaxation and multipliers mu >= 0, concavity gives for every completion x of the node

    net(x) <= g(z) + grad g(z) . (x - z) + mu . (b - A x)

whose largest value over completions is a sum of the best order of each security, the best `room` securities.
Each step moves z towards that completion; the least bound of all steps counts.

The part of the quadratic term that is diagonal over securities is made linear first: with at most one order
per security, h (sum of delta_j x_j)^2 = h sum of delta_j^2 x_j exactly, which takes most of the curvature out
of the relaxation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from steelyard.context import PAD, BoolArray, IntArray, NormTable
from steelyard.money import FloatArray
from steelyard.scoring import LEAST_VARIANCE
from steelyard.search.problem import Problem

STRUCTURE = 1e-9
"""Relative error up to which the quadratic table counts as delta_i delta_j G(security i, security j)."""

EIGENVALUE_MARGIN = 1e-9
NEWTON_STEPS = 3


@dataclass(frozen=True)
class Relaxation:
    """The problem with the diagonal over securities made linear; (m + 1, …) tables carry a zero row.

    linear      (m,)
    quadratic   (m + 1, m)  what is left, positive semidefinite
    """

    problem: Problem
    linear: FloatArray
    quadratic: FloatArray


@dataclass(frozen=True, slots=True)
class Bounds:
    """bound (k,) of each node; with_order (k, m) of its completions that include an order, -inf where not allowed."""

    bound: FloatArray
    with_order: FloatArray


def relaxation(problem: Problem) -> Relaxation:
    """Move as much curvature as stays positive semidefinite from the quadratic into the linear part."""
    Q, delta, security = problem.tables.quadratic, problem.account.delta, problem.account.security
    if not problem.m:
        return Relaxation(problem, problem.tables.linear, problem.quadratic)
    first = problem.groups[:, 0]
    inverse = np.unique(security, return_inverse=True)[1]
    G = Q[np.ix_(first, first)] / np.outer(delta[first], delta[first])
    if np.abs(np.outer(delta, delta) * G[np.ix_(inverse, inverse)] - Q).max() > STRUCTURE * max(np.abs(Q).max(), STRUCTURE):
        return Relaxation(problem, problem.tables.linear, problem.quadratic)
    h = removable_diagonal(G)
    own = h[inverse] * delta**2
    same = inverse[:, None] == inverse[None, :]
    rest = Q - np.where(same, h[inverse][:, None] * np.outer(delta, delta), 0.0)
    return Relaxation(problem, problem.tables.linear - own, np.vstack([rest, np.zeros((1, problem.m))]))


def removable_diagonal(G: FloatArray) -> FloatArray:
    """h (s,) >= 0 with G - diag(h) positive semidefinite: the smallest eigenvalue of G scaled to unit diagonal."""
    diagonal = np.diag(G)
    if not (diagonal > 0).all():
        return np.zeros(len(G))
    scale = np.sqrt(diagonal)
    least = float(np.linalg.eigvalsh(G / np.outer(scale, scale))[0])
    return np.asarray(max(0.0, least - EIGENVALUE_MARGIN) * diagonal)


def bounds(relaxed: Relaxation, rows: IntArray, allowed: BoolArray, room: IntArray, mu: FloatArray, steps: int) -> Bounds:
    """Upper bounds of k nodes.

    rows      (k, d)  included orders
    allowed   (k, m)  orders that may be added
    room      (k,)    how many, at least 1
    mu        (k, p)  multipliers of the linear limits, >= 0
    steps     Frank-Wolfe steps, at least 1
    """
    A, b = relaxed.problem.limits
    state = _State.at(relaxed, rows)
    least = np.full(len(rows), np.inf)
    with_order = np.full(allowed.shape, np.inf)
    priced = mu @ A
    for step in range(steps):
        slope = state.gradient(relaxed) - priced
        constant = state.value(relaxed) - (state.gradient(relaxed) * state.z).sum(axis=1) + mu @ b + _included(slope, rows)
        total, chosen, forced = best_additions(relaxed.problem.groups, np.where(allowed, slope, -np.inf), room)
        least = np.minimum(least, constant + total)
        with_order = np.minimum(with_order, constant[:, None] + forced)
        if step < steps - 1:
            state.move(relaxed, np.concatenate([rows, chosen], axis=1))
    return Bounds(least, np.where(allowed, with_order, -np.inf))


def _included(slope: FloatArray, rows: IntArray) -> FloatArray:
    lifted = np.concatenate([slope, np.zeros((len(slope), 1))], axis=1)
    return np.asarray(np.take_along_axis(lifted, rows, axis=1).sum(axis=1))


def best_additions(groups: IntArray, slope: FloatArray, room: IntArray) -> tuple[FloatArray, IntArray, FloatArray]:
    """The best at most `room` orders by slope, one per security.

    groups    (s, g)  orders of each security
    slope     (k, m)  -inf where not allowed
    returns   total (k,) of the positive ones taken; chosen (k, r) their indices, PAD filled; forced (k, m) the best
              total of choices that include an order
    """
    k, m = slope.shape
    lifted = np.concatenate([slope, np.full((k, 1), -np.inf)], axis=1)
    by_security = lifted[:, groups]
    pick = by_security.argmax(axis=2)
    best = np.maximum(np.take_along_axis(by_security, pick[:, :, None], axis=2)[:, :, 0], 0.0)
    width = min(int(room.max(initial=1)), best.shape[1])
    order = np.argsort(-best, axis=1, kind="stable")[:, :width]
    top = np.take_along_axis(best, order, axis=1)
    counted = np.arange(width)[None, :] < room[:, None]
    top = np.where(counted, top, 0.0)
    total = top.sum(axis=1)
    orders = np.take_along_axis(groups[np.arange(groups.shape[0]), pick], order, axis=1)
    chosen = np.where(top > 0, orders, PAD)
    # an order forced in takes its own security's place, or that of the weakest one counted
    weakest = np.where(room <= best.shape[1], np.take_along_axis(top, np.minimum(room, width)[:, None] - 1, axis=1)[:, 0], 0.0)
    inside = np.zeros(best.shape, dtype=np.bool_)
    np.put_along_axis(inside, order, counted & (top > 0), axis=1)
    freed = np.where(inside, best, weakest[:, None])
    security_of = np.zeros(m, dtype=np.int64)
    for column in groups.T:
        members = column >= 0
        security_of[column[members]] = np.flatnonzero(members)
    return total, chosen, total[:, None] - freed[:, security_of] + slope


class _State:
    """A point z of the relaxation for each node, with the products that its value and gradient need."""

    def __init__(self, z: FloatArray, Qz: FloatArray, Vz: list[FloatArray]) -> None:
        self.z, self.Qz, self.Vz = z, Qz, Vz

    @classmethod
    def at(cls, relaxed: Relaxation, rows: IntArray) -> _State:
        """The point of the included orders alone."""
        z = np.zeros((len(rows), relaxed.problem.m + 1))
        np.put_along_axis(z, rows, 1.0, axis=1)
        return cls(z[:, :-1], relaxed.quadratic[rows].sum(axis=1), [V[rows].sum(axis=1) for V in relaxed.problem.variances])

    def value(self, relaxed: Relaxation) -> FloatArray:
        """g(z), (k,)."""
        total = self.z @ relaxed.linear - (self.z * self.Qz).sum(axis=1)
        for norm, Vz in zip(relaxed.problem.tables.norms, self.Vz, strict=True):
            total = total - norm.k * (np.sqrt(self._variance(norm, Vz)) - np.sqrt(norm.v0))
        return np.asarray(total)

    def _variance(self, norm: NormTable, Vz: FloatArray) -> FloatArray:
        raw = norm.v0 + self.z @ norm.linear + (self.z * Vz).sum(axis=1)
        return np.asarray(np.maximum(raw, LEAST_VARIANCE))

    def gradient(self, relaxed: Relaxation) -> FloatArray:
        """(k, m)."""
        slope = relaxed.linear - 2 * self.Qz
        for norm, Vz in zip(relaxed.problem.tables.norms, self.Vz, strict=True):
            slope = slope - norm.k * (norm.linear + 2 * Vz) / (2 * np.sqrt(self._variance(norm, Vz)))[:, None]
        return np.asarray(slope)

    def move(self, relaxed: Relaxation, towards: IntArray) -> None:
        """Go from z to the best point on the line to the vertex of the orders `towards` (k, r)."""
        y = np.zeros((len(towards), relaxed.problem.m + 1))
        np.put_along_axis(y, towards, 1.0, axis=1)
        y = y[:, :-1]
        dz, dQ = y - self.z, relaxed.quadratic[towards].sum(axis=1) - self.Qz
        dV = [V[towards].sum(axis=1) - Vz for V, Vz in zip(relaxed.problem.variances, self.Vz, strict=True)]
        t = self._line_search(relaxed, dz, dQ, dV)[:, None]
        self.z = self.z + t * dz
        self.Qz = self.Qz + t * dQ
        self.Vz = [Vz + t * d for Vz, d in zip(self.Vz, dV, strict=True)]

    def _line_search(self, relaxed: Relaxation, dz: FloatArray, dQ: FloatArray, dV: list[FloatArray]) -> FloatArray:
        """Newton's method on the concave g(z + t dz), t in 0..1; any t is valid, a good one is tight."""
        slope = dz @ relaxed.linear - 2 * (dz * self.Qz).sum(axis=1)
        bend = (dz * dQ).sum(axis=1)
        t = np.zeros(len(dz))
        for _ in range(NEWTON_STEPS):
            first = slope - 2 * bend * t
            second = -2 * bend
            for norm, Vz, d in zip(relaxed.problem.tables.norms, self.Vz, dV, strict=True):
                v0, v1, v2 = self._variance(norm, Vz), dz @ norm.linear + 2 * (dz * Vz).sum(axis=1), (dz * d).sum(axis=1)
                v = np.maximum(v0 + v1 * t + v2 * t**2, LEAST_VARIANCE)
                dv = v1 + 2 * v2 * t
                first = first - norm.k * dv / (2 * np.sqrt(v))
                second = second - norm.k * (v2 / np.sqrt(v) - dv**2 / (4 * v * np.sqrt(v)))
            t = np.clip(np.where(second < 0, t - first / np.minimum(second, -np.finfo(float).tiny), (first > 0).astype(float)), 0.0, 1.0)
        return np.asarray(t)
