"""How long each module took, over the plans of one planner: counts and sums, never the single
samples.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from types import MappingProxyType

from steelyard.modules.registry import Kind
from steelyard.notices import Timing

OPERATIONS: Mapping[str, str] = MappingProxyType(
    {
        Kind.OPPORTUNITY.value: "calculate",
        Kind.PATTERN.value: "generate",
        Kind.SEQUENCE.value: "generate",
        Kind.FILTER.value: "filter",
        Kind.TERM.value: "score",
    }
)
"""What a module of each kind does, in the documents' words."""


@dataclass
class _Sum:
    count: int = 0
    total: float = 0.0
    least: float = float("inf")
    most: float = 0.0

    def add(self, seconds: float) -> None:
        self.count += 1
        self.total += seconds
        self.least = min(self.least, seconds)
        self.most = max(self.most, seconds)


@dataclass
class PerformanceTracker:
    """Seconds by `module.operation`; `clock` only times."""

    clock: Callable[[], float] = time.perf_counter
    _sums: dict[str, _Sum] = field(default_factory=dict)
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
            self._add(
                f"{name}.{OPERATIONS[kind]}" if dot else f"planner.{timing.name.replace(' ', '_')}",
                timing.seconds,
            )

    def _add(self, key: str, seconds: float) -> None:
        with self._lock:
            self._sums.setdefault(key, _Sum()).add(seconds)

    def get_stats(self) -> dict[str, dict[str, float]]:
        """`module.operation` -> count, total, mean, min, max in seconds; the slowest in total
        first.
        """
        with self._lock:
            slowest = sorted(self._sums.items(), key=lambda item: (-item[1].total, item[0]))
            return {
                key: {
                    "count": one.count,
                    "total": one.total,
                    "mean": one.total / one.count,
                    "min": one.least,
                    "max": one.most,
                }
                for key, one in slowest
            }
