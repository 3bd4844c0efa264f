"""Typed events of a plan; the same ones in the same order whatever carries the pipeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class PlannerEvent:
    """An event as it is kept and passed on.

    timestamp        with offset
    bucket_id        "" where it is of no bucket
    event_type       name of what happened, see docs/events.md
    data             plain JSON values
    correlation_id   the same for all events of one run
    """

    timestamp: datetime
    bucket_id: str
    event_type: str
    data: Mapping[str, Any]
    correlation_id: str = ""


@dataclass(frozen=True, slots=True)
class StageFinished:
    """A stage of the planner is done: `count` of things it made."""

    stage: str
    count: int


@dataclass(frozen=True, slots=True)
class ModuleFinished:
    """A module returned, was skipped or failed (`error` says why)."""

    kind: str
    name: str
    count: int | None
    outcome: str
    error: str | None


@dataclass(frozen=True, slots=True)
class BatchScored:
    """A batch of sequences was evaluated; `best` is the best net of all so far."""

    number: int
    sequences: int
    best: float


Event = StageFinished | ModuleFinished | BatchScored
Observe = Callable[[Event], None]
