"""Keep the best few sequences over all batches; the order of arrival cannot matter.

Rows are kept by a total order (net, then the canonical row), so that merging pools is associative.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from steelyard.arrays import FloatArray, IntArray
from steelyard.modules.candidates import Scores

TIE = 1e-9
"""Sets this close to the best are tied: the reference evaluator decides between them."""

FEW = 200
"""Rows kept besides the ties: what a black-box term re-ranks."""

MOST_TIES = 1_000


@dataclass(frozen=True, slots=True)
class Pool:
    """The best rows so far, best first: rows (k, d), net (k,); `seen` feasible ones came."""

    rows: IntArray
    net: FloatArray
    seen: int


def best(depth: int, scores: Iterable[Scores]) -> Pool:
    """The best of all batches, in any order of arrival; infeasible rows (-inf) are never kept.

    depth   columns of every row
    """
    pool = Pool(np.zeros((0, depth), dtype=np.int64), np.zeros(0), 0)
    for batch in scores:
        pool = merge(pool, batch)
    return pool


def merge(pool: Pool, batch: Scores) -> Pool:
    """The best of a pool and one batch."""
    good = np.isfinite(batch.net)
    rows = np.concatenate([pool.rows, batch.rows[good]])
    net = np.concatenate([pool.net, batch.net[good]])
    # lexsort's last key is the first to count: net downwards, then the row itself
    order = np.lexsort((*rows.T[::-1], -net))
    size = FEW if len(net) <= FEW else max(FEW, min(MOST_TIES, int((net >= net.max() - TIE).sum())))
    first = order[:size]
    return Pool(rows[first], net[first], pool.seen + int(good.sum()) + batch.others)
