"""How schedules and ticks are said on their pages: plain values in, words out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from steelyard.report.exhibits.time_axis import length
from steelyard.report.exhibits.words import capital, counted
from steelyard.store.schedules import Delivery, Tick
from steelyard.watch.board import Row
from steelyard.watch.message import why

REASONS = {
    "calendar": "calendar", "one-time": "one time", "missed": "missed", "band": "out of a band",
}  # fmt: skip
OUTCOMES = {
    "planned": ("ok", "planned"),
    "refused": ("stop", "refused"),
    "quiet": ("wait", "nothing to do"),
    "muted": ("wait", "muted"),
}
__all__ = ["finding", "history", "moment", "of_bucket", "reached", "relative", "why"]


def finding(rows: Sequence[Row], now: datetime) -> str:
    """What is due by itself, and the next."""
    due = [row for row in rows if is_due(row, now)]
    if not rows:
        return "No bucket is here yet"
    if not due:
        return "Nothing is due by itself"
    text = f"{counted(len(due), 'bucket')} {_are(due)}"
    nearest = min((row for row in due if row.next_at), key=_next, default=None)
    if nearest is None:
        return f"{text}, when out of a band"
    which = "the next on" if len(due) > 1 else "next on"
    return f"{text}, {which} {moment(_next(nearest), zone_of(nearest))}"


def of_bucket(row: Row, now: datetime) -> str:
    """When a bucket is due."""
    if row.problem:
        return f"The schedule of {row.bucket} cannot be read"
    if row.schedule is None:
        return f"{row.bucket} is not due by itself"
    if row.muted(now):
        return f"{row.bucket} is muted"
    if row.next_at is not None:
        return f"{row.bucket} is due on {moment(row.next_at, zone_of(row))}"
    if row.schedule.bands:
        return f"{row.bucket} is due when out of a band"
    return f"{row.bucket} is due no more"


def history(ticks: Sequence[Tick], bucket: str | None, most: int) -> str:
    """What came of ticks, and how many were missed."""
    whose = f" of {bucket}" if bucket else ""
    if not ticks:
        return f"{bucket or 'No bucket'} was {'never due' if bucket else 'due'} yet"
    newest = "The newest " if len(ticks) == most else ""
    count = f"{newest}{len(ticks)} ticks" if newest else counted(len(ticks), "tick")
    missed = sum(tick.missed for tick in ticks)
    lost = "none missed" if not missed else f"{missed:,d} missed"
    return f"{count}{whose}, {lost}"


def is_due(row: Row, now: datetime) -> bool:
    """Is a bucket planned by itself, as it is now?"""
    if row.schedule is None or row.muted(now):
        return False
    return row.next_at is not None or row.schedule.bands


def zone_of(row: Row) -> tzinfo | None:
    """The zone of a row's times; None = UTC."""
    return None if row.schedule is None else row.schedule.where


def moment(at: datetime, zone: tzinfo | None = None) -> str:
    """`Mon 30 Nov 2026, 09:30 CET`."""
    local = at if zone is None else at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M %Z}"


def relative(at: datetime, now: datetime) -> str:
    """`in 14 h 2 min`, `3 d 1 h ago`."""
    seconds = (at - now).total_seconds()
    return f"in {length(seconds)}" if seconds >= 0 else f"{length(-seconds)} ago"


def when(row: Row) -> str:
    """`Month-end at 09:30 Europe/Berlin, and out of a band`."""
    if row.schedule is not None:
        return capital(row.schedule.when)
    return "Cannot be read" if row.problem else "No schedule"


def reached(name: str, delivery: Delivery) -> str:
    """What came of telling a channel."""
    if delivery.state == "told":
        return f"{name} told"
    tries = f"after {counted(delivery.tries, 'try', 'tries').lower()}" if delivery.tries else ""
    state = "not told" if delivery.state == "failed" else "waiting"
    error = f": {delivery.error}" if delivery.error else ""
    return " ".join(part for part in (name, state, tries) if part) + error


def _next(row: Row) -> datetime:
    if row.next_at is None:
        raise AssertionError(row.bucket)
    return row.next_at


def _are(due: Sequence[Row]) -> str:
    return "is due by itself" if len(due) == 1 else "are due by themselves"
