"""Lists that are compared by drawn scenarios, as a task: figures of each are stored."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from steelyard.arrays import FloatArray, IntArray
from steelyard.errors import StoreError
from steelyard.runs.batch.ranges import Task
from steelyard.store.batches import Slice


def comparison(
    part: str, count: int, figures: Callable[[IntArray], FloatArray]
) -> Task[FloatArray]:
    """The comparison of so many lists; figures: (r,) places -> (r, q), each of its own list."""

    def calculate(start: int, stop: int) -> tuple[FloatArray, bytes]:
        rows = np.asarray(figures(np.arange(start, stop)), dtype=np.float64)
        return rows, rows.astype("<f8").tobytes()

    def read(entry: Slice) -> FloatArray:
        numbers = np.frombuffer(entry.body, "<f8") if len(entry.body) % 8 == 0 else np.zeros(0)
        if not len(numbers) or len(numbers) % (entry.stop - entry.start):
            mend = "Restore a backup with: steelyard db restore F"
            raise StoreError(
                f"Stored figures are damaged: they are {len(entry.body)} bytes for "
                f"{entry.stop - entry.start} lists. Nothing was planned. {mend}",
                code="figures_damaged",
                place="run_slice",
                hint=mend,
            )
        return numbers.reshape(entry.stop - entry.start, -1).astype(np.float64)

    return Task(part, count, 1, lambda start, stop: f"{part}:{start}:{stop}", calculate, read)
