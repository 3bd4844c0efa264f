"""How long each module took, over the plans of one planner: counts and sums, no single samples."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock

from steelyard.notices import Timing

OPERATIONS: Mapping[str, str] = {
    "opportunity_calculators": "calculate",
    "pattern_generators": "generate",
    "sequence_generators": "generate",
    "filters": "filter",
    "score_terms": "score",
}
"""What a module of each kind does, in the documents' words."""


@dataclass
class PerformanceTracker:
    """Seconds by `module.operation`; `clock` only times."""

    clock: Callable[[], float] = time.perf_counter
    _sums: dict[str, tuple[int, float, float, float]] = field(default_factory=dict)
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
            kind, dot, name = timing.name.partition(".")
            stage = f"planner.{timing.name.replace(' ', '_')}"
            self._add(f"{name}.{OPERATIONS[kind]}" if dot else stage, timing.seconds)

    def _add(self, key: str, seconds: float) -> None:
        with self._lock:
            count, total, least, most = self._sums.get(key, (0, 0.0, seconds, seconds))
            self._sums[key] = count + 1, total + seconds, min(least, seconds), max(most, seconds)

    def get_stats(self) -> dict[str, dict[str, float]]:
        """`module.operation` -> count, total, mean, min, max in seconds; the slowest first."""
        with self._lock:
            slowest = sorted(self._sums.items(), key=lambda item: (-item[1][1], item[0]))
        return {
            key: {"count": n, "total": total, "mean": total / n, "min": least, "max": most}
            for key, (n, total, least, most) in slowest
        }
