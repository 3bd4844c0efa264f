"""When the paper market is open: weekdays, 09:30 to 16:00 of its zone, and no holidays."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from steelyard.brokers.broker import Session

OPENS, CLOSES = time(9, 30), time(16)
BEGINS_AFTER = timedelta(minutes=60)
"""From the open to when an account's clock begins."""
SATURDAY = 5
DAY = timedelta(days=1)


def session_on(day: date, zone: str) -> Session:
    """Of a weekday."""
    where = ZoneInfo(zone)
    opens, closes = (datetime.combine(day, at, where).astimezone(UTC) for at in (OPENS, CLOSES))
    return Session(day, opens, closes)


def sessions_between(first: date, last: date, zone: str) -> Iterator[Session]:
    """Of the weekdays from one date to another, both included."""
    day = first
    while day <= last:
        if day.weekday() < SATURDAY:
            yield session_on(day, zone)
        day += DAY


def session_from(day: date, zone: str) -> Session:
    """Of a day, or of the first weekday after it."""
    return next(sessions_between(day, day + 7 * DAY, zone))


def session_at(now: datetime, zone: str) -> Session | None:
    """The one that is open; None = closed."""
    day = now.astimezone(ZoneInfo(zone)).date()
    for session in sessions_between(day, day, zone):
        if session.opens <= now < session.closes:
            return session
    return None


def session_for(day: date, now: datetime, zone: str) -> Session:
    """In which prices of a day are traded by an account whose clock stands at `now`."""
    session = session_from(day, zone)
    return session if now < session.closes else next_session(now, zone)


def next_session(now: datetime, zone: str) -> Session:
    """The one that is open, or the first after."""
    day = now.astimezone(ZoneInfo(zone)).date()
    return next(s for s in sessions_between(day, day + 7 * DAY, zone) if s.closes > now)


def weekdays_after(day: date, count: int) -> date:
    """The day so many weekdays later."""
    while count > 0:
        day += DAY
        count -= day.weekday() < SATURDAY
    return day


def written(moment: datetime) -> str:
    """A time as the file keeps it."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
