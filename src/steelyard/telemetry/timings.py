"""Timings of parts added up by `module.operation`: counts and sums, no single samples; and memory.

Timing("pattern_generators.direct_buy", 0.2)  ──▶  direct_buy.generate   1 call, 0.2 s
Timing("prove", 0.1)                          ──▶  planner.prove         1 call, 0.1 s
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from steelyard.telemetry.events import PlanMeasured

if TYPE_CHECKING:
    from steelyard.calculations.cache import Counts

OPERATIONS: Mapping[str, str] = {
    "opportunity_calculators": "calculate",
    "pattern_generators": "generate",
    "sequence_generators": "generate",
    "filters": "filter",
    "score_terms": "score",
}
"""What a module of each kind does, in the documents' words."""
STAGE = "stage"
"""Kind of what is timed and is no module: a stage of planning."""
SCORING = "generate and evaluate"
"""The stage in which sequences are scored as they are generated."""
DIGITS = 9
"""Decimals of seconds that are told."""
EVENT_DIGITS = 6
"""The same in an event."""
RUSAGE_UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes of what the system counts peak memory in."""


class Timed(Protocol):
    """A part of a plan and its seconds: `kind.name` of a module, or a stage."""

    @property
    def name(self) -> str:
        """Of the part."""

    @property
    def seconds(self) -> float:
        """That it took."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Calls of one part; seconds of all of them, of the shortest, of the longest."""

    count: int
    total: float
    least: float
    most: float

    @property
    def mean(self) -> float:
        """Seconds of a call."""
        return self.total / self.count

    def and_one(self, seconds: float) -> Spent:
        """With another call."""
        least, most = min(self.least, seconds), max(self.most, seconds)
        return Spent(self.count + 1, self.total + seconds, least, most)

    def document(self) -> dict[str, float]:
        """count, total, mean, min, max; in seconds."""
        return {
            "count": self.count,
            "total": round(self.total, DIGITS),
            "mean": round(self.mean, DIGITS),
            "min": round(self.least, DIGITS),
            "max": round(self.most, DIGITS),
        }


def split(name: str) -> tuple[str, str]:
    """(kind, name) of a timing: `kind.name` of a module, or a stage."""
    kind, dot, module = name.partition(".")
    return (kind, module) if dot else (STAGE, name)


def operation_of(name: str) -> str:
    """`module.operation` of a timing."""
    kind, module = split(name)
    stage = f"planner.{module.replace(' ', '_')}"
    return stage if kind == STAGE else f"{module}.{OPERATIONS[kind]}"


def added(spent: Spent | None, seconds: float) -> Spent:
    """With one more call, of a part that may have had none."""
    return Spent(1, seconds, seconds, seconds) if spent is None else spent.and_one(seconds)


def added_up(timings: Iterable[Timed]) -> dict[str, Spent]:
    """By the timings' own names, in the order of their first calls."""
    spent: dict[str, Spent] = {}
    for timing in timings:
        spent[timing.name] = added(spent.get(timing.name), timing.seconds)
    return spent


def seconds_per_sequence(count: int, timings: Iterable[Timed]) -> float | None:
    """What each of so many sequences took to be proposed and scored; None where none was."""
    seconds = sum(timing.seconds for timing in timings if timing.name == SCORING)
    return round(seconds / count, DIGITS) if count else None


def peak_bytes() -> int | None:
    """The most memory that this process had resident so far; None where the system counts none."""
    if sys.platform == "win32":
        return None
    import resource  # noqa: PLC0415 of the other systems alone

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RUSAGE_UNIT


def measured(
    plan_id: str, seconds: float, *, cached: bool | None = None, counts: Counts | None = None
) -> PlanMeasured:
    """What a plan took that this process just made; `counts` of its calculations."""
    took = PlanMeasured(plan_id, round(seconds, EVENT_DIGITS), peak_bytes(), cached)
    if counts is None:
        return took
    return replace(
        took,
        reused=counts.hits,
        calculated=counts.misses,
        evicted=counts.evictions,
        cache_bytes=counts.bytes,
    )
