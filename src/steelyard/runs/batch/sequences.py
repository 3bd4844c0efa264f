"""Sequences as a task: evaluated in ranges of their canonical order, of which the best are stored.

Ranges come in any order and any length: the best few of all are the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from steelyard.arrays import IntArray
from steelyard.modules.candidates import Scores
from steelyard.runs.batch.best import Best, packed, unpacked
from steelyard.runs.batch.ranges import Task
from steelyard.store.batches import Slice


def sequences(
    part: str, rows: IntArray, size: int, evaluate: Callable[[int, IntArray], Scores], best: Best
) -> Task[Scores]:
    """The evaluation of one table's sequences.

    rows       (k, d)  every sequence, in order
    evaluate   (number, rows) -> their scores
    best       of what came by so far
    """

    def calculate(start: int, stop: int) -> tuple[Scores, bytes]:
        scores = evaluate(start, rows[start:stop])
        return scores, packed(scores, best.enter(scores))

    def read(entry: Slice) -> Scores:
        scores = unpacked(entry.start, entry.body, rows.shape[1])
        best.enter(scores)
        return scores

    def digest(start: int, stop: int) -> str:
        return hashlib.sha256(rows[start:stop].astype("<i4").tobytes()).hexdigest()

    return Task(part, len(rows), size, digest, calculate, read, sequences=True)
