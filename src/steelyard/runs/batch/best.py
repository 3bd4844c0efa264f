"""Of a range what can still be among the best few, and how it is stored.

Whoever calculates a range knows others. A sequence that is not among the best of these is not
among the best of all, by a total order, so that it need not be stored, whoever calculates what and
when. With rank filters that holds of each ranking, and what is in none of them need not be stored.

    steelyard slice: <4s B B I I    "SLC1", bytes of an index, depth, rows, feasible ones
    rows (k, depth) as little-endian integers, then net (k,) as little-endian floats
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from steelyard.arrays import BoolArray
from steelyard.errors import StoreError
from steelyard.modules.candidates import Ranking, Scores
from steelyard.planning.keep import best, merge
from steelyard.planning.proposals import first_by

MARK = b"SLC1"
HEAD = struct.Struct("<4sBBII")
SMALL = 1 << 15
"""Candidates up to which an index takes two bytes."""


@dataclass
class Best:
    """The best of the ranges that came, as `planning.proposals.keep_best` keeps them."""

    depth: int
    rankings: Sequence[Ranking]

    def __post_init__(self) -> None:
        """Nothing came yet."""
        nothing = Scores(0, np.zeros((0, self.depth), dtype=np.int64), np.zeros(0))
        self._pool, self._tops = best(self.depth, ()), [nothing] * len(self.rankings)

    def enter(self, scores: Scores) -> BoolArray:
        """Take a range's scores in: (k,) which of its rows are among the best so far."""
        if not self.rankings:
            self._pool = merge(self._pool, scores)
            return _among(scores, set(map(bytes, self._pool.rows)))
        good = np.isfinite(scores.net)
        rows, net = scores.rows[good], scores.net[good]
        self._tops = [
            first_by(ranking, top, rows, net)
            for ranking, top in zip(self.rankings, self._tops, strict=True)
        ]
        return _among(scores, {row for top in self._tops for row in map(bytes, top.rows)})


def _among(scores: Scores, rows: set[bytes]) -> BoolArray:
    among = [bytes(row) in rows for row in scores.rows]
    return np.array(among, dtype=np.bool_) & np.isfinite(scores.net)


def packed(scores: Scores, chosen: BoolArray) -> bytes:
    """A range as it is stored: its chosen rows, and how many were feasible."""
    rows, net = scores.rows[chosen], scores.net[chosen]
    size = 2 if rows.size == 0 or int(rows.max()) < SMALL else 4
    feasible = int(np.isfinite(scores.net).sum()) + scores.others
    head = HEAD.pack(MARK, size, rows.shape[1], len(rows), feasible)
    return head + rows.astype(f"<i{size}").tobytes() + net.astype("<f8").tobytes()


def unpacked(number: int, body: bytes, depth: int) -> Scores:
    """A stored range; raises StoreError for one that is damaged."""
    try:
        mark, size, width, count, feasible = HEAD.unpack_from(body)
        if mark != MARK or width != depth or len(body) != HEAD.size + count * (size * width + 8):
            raise ValueError("its length or its mark is another")
        rows = np.frombuffer(body, f"<i{size}", count * width, HEAD.size)
        net = np.frombuffer(body, "<f8", count, HEAD.size + count * size * width)
    except (struct.error, ValueError, TypeError) as error:
        mend = "Restore a backup with: steelyard db restore F"
        raise StoreError(
            f"A stored slice is damaged: {error}. Nothing was planned. {mend}",
            code="slice_damaged",
            place="run_slice",
            hint=mend,
        ) from error
    whole = rows.reshape(count, width).astype(np.int64)
    return Scores(number, whole, net.astype(np.float64), feasible - count)
