"""When a schedule is due: arithmetic of days and local times, without a clock.

A day is due as its rule says; its moment is its local time, once on every day: what the clock
passes over in spring is by the clock of before, of what comes twice in autumn the first counts.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from steelyard.watch.days import Days, between
from steelyard.watch.schedule import Schedule, Weekday

WEEKDAYS: tuple[Weekday, ...] = (
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
)  # fmt: skip
QUARTER_ENDS = frozenset({3, 6, 9, 12})
LOOK_AHEAD = timedelta(days=200)
"""Longer than from one quarter's end to the next, whatever is closed meanwhile."""
MARGIN = timedelta(days=2)
"""A moment's day in any zone is not further from its day in UTC."""


def moments(schedule: Schedule, days: Days, after: datetime, until: datetime) -> list[datetime]:
    """When it is due by its calendar, later than one moment and not than the other, in UTC."""
    if until <= after:
        return []
    first, last = (after - MARGIN).date(), (until + MARGIN).date()
    every = [moment_of(schedule, day) for day in due_days(schedule, days, first, last)]
    return [moment for moment in every if after < moment <= until]


def next_moment(schedule: Schedule, days: Days, after: datetime) -> datetime | None:
    """The first one later than a moment; None = it is due no more by its calendar."""
    until = after + LOOK_AHEAD
    if schedule.on is not None:
        moment = moment_of(schedule, schedule.on)
        return moment if moment > after else None
    return next(iter(moments(schedule, days, after, until)), None)


def moment_of(schedule: Schedule, day: date) -> datetime:
    """The moment of a day, in UTC."""
    return datetime.combine(day, schedule.at, schedule.where).astimezone(UTC)


def read_moment(text: str, where: tzinfo) -> datetime | None:
    """A day, or a time of a day, by the clock of a zone, in UTC; None for what is none.

    >>> read_moment("2099-01-01", UTC)
    datetime.datetime(2099, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)
    """
    try:
        day = date.fromisoformat(text) if "T" not in text and " " not in text else None
        moment = datetime.fromisoformat(text) if day is None else datetime.combine(day, time())
        return (moment if moment.tzinfo else moment.replace(tzinfo=where)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def due_days(schedule: Schedule, days: Days, first: date, last: date) -> Iterator[date]:
    """The days on which it is due, from one to another, in order."""
    if schedule.on is not None:
        if first <= schedule.on <= last:
            yield schedule.on
    elif schedule.every == "daily":
        yield from between(days, first, last)
    elif schedule.every == "weekly":
        yield from _within(_weekly(schedule, days, first, last), first, last)
    elif schedule.every is not None:
        yield from _within(_month_ends(schedule, days, first, last), first, last)


def _within(every: Iterator[date], first: date, last: date) -> Iterator[date]:
    return (day for day in every if first <= day <= last)


def _weekly(schedule: Schedule, days: Days, first: date, last: date) -> Iterator[date]:
    """One day of each week that has any."""
    monday = first - timedelta(days=first.weekday())
    while monday <= last:
        asked = monday + timedelta(days=WEEKDAYS.index(schedule.weekday))
        week = between(days, monday, monday + timedelta(days=6))
        until = [day for day in week if day <= asked]
        if week:
            yield until[-1] if until else week[0]
        monday += timedelta(days=7)


def _month_ends(schedule: Schedule, days: Days, first: date, last: date) -> Iterator[date]:
    """The last day of each month, or quarter, that has any."""
    month = first.replace(day=1)
    while month <= last:
        end = month.replace(day=calendar.monthrange(month.year, month.month)[1])
        if schedule.every == "month-end" or month.month in QUARTER_ENDS:
            yield from between(days, month, end)[-1:]
        month = end + timedelta(days=1)
