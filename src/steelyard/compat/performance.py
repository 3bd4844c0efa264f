"""How long each module took, over the plans of one planner: counts and sums, no single samples."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock

from steelyard.notices import Timing
from steelyard.telemetry.timings import Spent, added, operation_of


@dataclass
class PerformanceTracker:
    """Seconds by `module.operation`; `clock` only times."""

    clock: Callable[[], float] = time.perf_counter
    _sums: dict[str, Spent] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    @contextmanager
    def track(self, module_name: str, operation: str) -> Iterator[None]:
        """Time the block."""
        start = self.clock()
        try:
            yield
        finally:
            self._add(f"{module_name}.{operation}", self.clock() - start)

    def note(self, timings: Iterable[Timing]) -> None:
        """Add what a plan took: its modules, and its stages as `planner.STAGE`."""
        for timing in timings:
            self._add(operation_of(timing.name), timing.seconds)

    def _add(self, key: str, seconds: float) -> None:
        with self._lock:
            self._sums[key] = added(self._sums.get(key), seconds)

    def get_stats(self) -> dict[str, dict[str, float]]:
        """`module.operation` -> count, total, mean, min, max in seconds; the slowest first."""
        with self._lock:
            slowest = sorted(self._sums.items(), key=lambda item: (-item[1].total, item[0]))
        return {key: spent.document() for key, spent in slowest}
