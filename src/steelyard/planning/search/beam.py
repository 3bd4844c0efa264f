"""Beam search that prices cash: good sets fast, to start the proof from.

A beam that keeps every prefix payable loses the sales: alone they lower the score, so they fall out
before the buys that they fund. Here prefixes may overdraw; they are ranked by net less the priced
use of the limits, and only sets that keep every limit are offered.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from steelyard.arrays import PAD, FloatArray, IntArray
from steelyard.ledger import feasible
from steelyard.planning.search.extend import extend, gathered, with_order
from steelyard.planning.search.problem import Problem

OFFERED = 4
"""Feasible sets offered per depth, as a multiple of the width."""


def beam(problem: Problem, mu: FloatArray, width: int) -> Iterator[IntArray]:
    """Feasible sets, depth by depth: yields canonical rows (k, depth).

    mu      (p,)  price of each linear limit
    width   prefixes kept at each depth
    """
    rows = np.full((1, problem.depth), PAD, dtype=np.int64)
    price = (mu[:, None] * problem.limits[0]).sum(axis=0)
    for _ in range(min(problem.depth, len(problem.groups))):
        extended = extend(problem, rows)
        offered = _best(
            problem, rows, np.where(extended.feasible, extended.net, -np.inf), OFFERED * width
        )
        yield offered[feasible(problem.account, offered)]
        ranked = np.where(
            extended.allowed, extended.net - gathered(price, rows)[:, None] - price, -np.inf
        )
        rows = _best(problem, rows, ranked, width)
        if not len(rows):
            return


def greedy(problem: Problem) -> IntArray:
    """The list of a greedy planner: the best payable order while one helps; (1, depth)."""
    row = np.full((1, problem.depth), PAD, dtype=np.int64)
    net = 0.0
    for _ in range(min(problem.depth, len(problem.groups))):
        extended = extend(problem, row)
        joining = np.flatnonzero(extended.feasible[0] & (extended.net[0] > net))
        longer = with_order(row, np.zeros(len(joining), dtype=np.int64), joining)
        good = feasible(problem.account, longer) & problem.permits(longer)
        if not good.any():
            break
        best = int(np.where(good, extended.net[0, joining], -np.inf).argmax())
        row, net = longer[best : best + 1], float(extended.net[0, joining[best]])
    return row


def _best(problem: Problem, rows: IntArray, value: FloatArray, count: int) -> IntArray:
    """The `count` best distinct one-order extensions by value (k, m), best first; -inf never."""
    flat = value.ravel()
    # each set of d orders is reached from up to d prefixes, so draw more than are wanted
    order = _largest(flat, min(len(flat), count * problem.depth))
    order = order[np.isfinite(flat[order])]
    longer = with_order(rows, order // problem.m, order % problem.m)
    by_row = np.lexsort(longer.T[::-1])
    first = by_row[np.diff(longer[by_row], axis=0, prepend=PAD - 1).any(axis=1)]
    # lexsort's last key is the first to count: the value downwards, then the row itself
    best = first[np.lexsort((*longer[first].T[::-1], -flat[order[first]]))]
    return longer[best[:count]]


def _largest(values: FloatArray, count: int) -> IntArray:
    """Indices of the `count` largest, of equals the first: argpartition takes any."""
    least = -np.partition(-values, count - 1)[count - 1]
    above, equal = np.flatnonzero(values > least), np.flatnonzero(values == least)
    return np.concatenate([above, equal[: count - len(above)]])
