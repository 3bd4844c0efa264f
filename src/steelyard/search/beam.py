"""Beam search that prices cash: good sets fast, to start the proof from.

A beam that keeps every prefix payable loses the sales: alone they lower the score, so they fall out before the
buys that they fund. Here prefixes may overdraw; they are ranked by net less the priced use of the limits, and
only sets that keep every limit are offered.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from steelyard.context import PAD, IntArray
from steelyard.money import FloatArray
from steelyard.search.extend import extend, with_order
from steelyard.search.problem import Problem

OFFERED = 4
"""Feasible sets offered per depth, as a multiple of the width."""


def beam(problem: Problem, mu: FloatArray, width: int) -> Iterator[IntArray]:
    """Feasible sets, depth by depth: yields canonical rows (k, depth).

    mu      (p,)  price of each linear limit
    width   prefixes kept at each depth
    """
    rows = np.full((1, problem.depth), PAD, dtype=np.int64)
    for _ in range(min(problem.depth, len(problem.groups))):
        found = extend(problem, rows)
        yield _best(problem, rows, np.where(found.feasible, found.net, -np.inf), OFFERED * width)
        ranked = np.where(found.allowed, found.net - found.use @ mu, -np.inf)
        rows = _best(problem, rows, ranked, width)
        if not len(rows):
            return


def greedy(problem: Problem) -> IntArray:
    """The list that a greedy planner makes: the best payable order, again and again while it helps; (1, depth)."""
    row = np.full((1, problem.depth), PAD, dtype=np.int64)
    net = 0.0
    for _ in range(min(problem.depth, len(problem.groups))):
        found = extend(problem, row)
        value = np.where(found.feasible, found.net, -np.inf)
        j = int(value.argmax())
        if not value[0, j] > net:
            break
        longer = with_order(row, np.zeros(1, dtype=np.int64), np.array([j]))
        if not problem.permits(longer)[0]:
            break
        row, net = longer, float(value[0, j])
    return row


def _best(problem: Problem, rows: IntArray, value: FloatArray, count: int) -> IntArray:
    """The `count` best distinct one-order extensions by value (k, m), best first; -inf never."""
    flat = value.ravel()
    # each set of d orders is reached from up to d prefixes, so draw more than are wanted
    drawn = min(len(flat), count * problem.depth)
    order = np.argpartition(-flat, drawn - 1)[:drawn]
    order = order[np.isfinite(flat[order])]
    made = with_order(rows, order // problem.m, order % problem.m)
    distinct, first = np.unique(made, axis=0, return_index=True)
    ranked = np.lexsort((*distinct.T[::-1], -flat[order[first]]))
    return distinct[ranked[:count]]
