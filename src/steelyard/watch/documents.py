"""Schedules, ticks and looks as plain values, for programs."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from steelyard.store.schedules import Tick
from steelyard.watch.board import Row
from steelyard.watch.look import Looked
from steelyard.watch.message import why


def row_document(row: Row) -> dict[str, Any]:
    """A bucket and its schedule; `schedule` is null where it has none or it cannot be read."""
    scheduled, schedule = row.scheduled, row.schedule
    return {
        "bucket": row.bucket,
        "schedule": None if schedule is None else schedule.model_dump(mode="json"),
        "when": None if schedule is None else schedule.when,
        "counts": row.days or None,
        "next_at": _text(row.next_at),
        "muted_until": None if scheduled is None else _text(scheduled.muted_until),
        "updated_at": None if scheduled is None else _text(scheduled.updated_at),
        "updated_by": None if scheduled is None else scheduled.updated_by,
        "problem": row.problem or None,
        "last": None if row.last is None else tick_document(row.last),
    }


def tick_document(tick: Tick) -> dict[str, Any]:
    """What came of a tick; `why` are the sentences that a message says."""
    return {
        "id": tick.id,
        "bucket": tick.bucket,
        "due_at": _text(tick.due_at),
        "at": _text(tick.at),
        "reason": tick.reason,
        "outcome": tick.outcome,
        "plan_id": tick.plan_id,
        "missed": tick.missed,
        "missed_since": _text(tick.missed_since),
        "detail": tick.detail or None,
        "why": list(why(tick)),
        "breaches": [asdict(breach) for breach in tick.breaches],
        "deliveries": {
            name: {**asdict(each), "at": _text(each.at), "error": each.error or None}
            for name, each in tick.deliveries.items()
        },
    }


def looked_document(looked: Looked | None, other: str | None) -> dict[str, Any]:
    """What came of a look; `held_by`: who looks instead."""
    ticks = [] if looked is None else [tick_document(tick) for tick in looked.ticks]
    problems = {} if looked is None else {k: str(v) for k, v in looked.problems.items()}
    return {"looked": looked is not None, "held_by": other, "ticks": ticks, "problems": problems}


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
