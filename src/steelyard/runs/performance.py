"""What stored plans took: calls and seconds by module, time per sequence, peak memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from steelyard.store import events, plans
from steelyard.store.plans import StoredPlan
from steelyard.store.store import Store
from steelyard.telemetry.events import PlanMeasured
from steelyard.telemetry.timings import (
    STAGE,
    Spent,
    added_up,
    operation_of,
    seconds_per_sequence,
    split,
)


@dataclass(frozen=True, slots=True)
class Performance:
    """Of some plans, the newest; `spent` by the names of their timings.

    bucket      None = of all
    first, last when the oldest and the newest of them were saved
    sequences   that were proposed and scored, and seconds of each; None where none was
    peak_bytes  the most memory that a process had that made one; None where it was not counted
    hits, misses  plans whose strategy was ready in the process that made them, or was read
    reused, calculated  calculations of plans that were made with a cache
    evicted     results that went for want of bytes
    cache_bytes  of the results that were kept after the newest of these plans; None without any
    """

    bucket: str | None
    plans: int
    first: datetime | None
    last: datetime | None
    spent: dict[str, Spent]
    sequences: int
    per_sequence: float | None
    peak_bytes: int | None
    hits: int = 0
    misses: int = 0
    reused: int = 0
    calculated: int = 0
    evicted: int = 0
    cache_bytes: int | None = None

    @property
    def reuse_rate(self) -> float | None:
        """Part of the calculations that were had without work; None where no cache was there."""
        asked = self.reused + self.calculated
        return self.reused / asked if asked else None

    @property
    def hit_rate(self) -> float | None:
        """Part of the plans whose strategy was ready; None where none is kept ready."""
        plans = self.hits + self.misses
        return self.hits / plans if plans else None

    @property
    def modules(self) -> list[tuple[str, Spent]]:
        """(name of the timing, what it took), the slowest first."""
        return self._slowest(stages=False)

    @property
    def stages(self) -> list[tuple[str, Spent]]:
        """The same of the stages of planning, which hold the modules."""
        return self._slowest(stages=True)

    def _slowest(self, *, stages: bool) -> list[tuple[str, Spent]]:
        chosen = [item for item in self.spent.items() if (split(item[0])[0] == STAGE) == stages]
        return sorted(chosen, key=lambda item: (-item[1].total, item[0]))

    def document(self) -> dict[str, Any]:
        """As JSON values; seconds."""
        return {
            "bucket": self.bucket,
            "plans": self.plans,
            "first": None if self.first is None else self.first.isoformat(),
            "last": None if self.last is None else self.last.isoformat(),
            "modules": [_document(*item) for item in self.modules],
            "stages": [_document(*item) for item in self.stages],
            "sequences": self.sequences,
            "seconds_per_sequence": self.per_sequence,
            "peak_bytes": self.peak_bytes,
            "cache": {"hits": self.hits, "misses": self.misses, "hit_rate": self.hit_rate},
            "calculations": {
                "hits": self.reused,
                "misses": self.calculated,
                "hit_rate": self.reuse_rate,
                "evictions": self.evicted,
                "bytes": self.cache_bytes,
            },
        }


def _document(name: str, spent: Spent) -> dict[str, Any]:
    kind, module = split(name)
    operation = operation_of(name)
    return {"operation": operation, "kind": kind, "name": module, **spent.document()}


def measured(store: Store, bucket: str | None, most: int) -> Performance:
    """Of the newest plans of a bucket, or of all; raises StoreError for one that is damaged."""
    stored = list(_newest(store, bucket, most))
    entries = [entry.plan for entry in stored]
    timings = [timing for plan in entries for timing in plan.timings]
    scored = [plan for plan in entries if plan.certificate.sequences]
    costs = _costs(store, bucket, {plan.plan_id for plan in entries})
    sequences = sum(plan.certificate.sequences for plan in scored)
    return Performance(
        bucket=bucket,
        plans=len(stored),
        first=stored[-1].row.saved_at if stored else None,
        last=stored[0].row.saved_at if stored else None,
        spent=added_up(timings),
        sequences=sequences,
        per_sequence=seconds_per_sequence(sequences, (t for plan in scored for t in plan.timings)),
        peak_bytes=max(
            (row.peak_bytes for row in costs if row.peak_bytes is not None), default=None
        ),
        hits=sum(row.cached is True for row in costs),
        misses=sum(row.cached is False for row in costs),
        reused=sum(row.reused or 0 for row in costs),
        calculated=sum(row.calculated or 0 for row in costs),
        evicted=sum(row.evicted or 0 for row in costs),
        cache_bytes=next(
            (row.cache_bytes for row in reversed(costs) if row.cache_bytes is not None), None
        ),
    )


def _newest(store: Store, bucket: str | None, most: int) -> Iterator[StoredPlan]:
    for row in islice(plans.listed(store, bucket=bucket), most):
        yield plans.load(store, row.plan_id)


def _costs(store: Store, bucket: str | None, ids: set[str]) -> list[PlanMeasured]:
    """What was told of making these plans."""
    entries = events.since(store, bucket=bucket, event_type=PlanMeasured.__name__)
    costs = [PlanMeasured(**entry.event.data) for entry in entries]
    return [each for each in costs if each.plan_id in ids]
