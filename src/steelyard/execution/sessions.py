"""When a market is open: sessions of a broker's calendar, or of the exchange's rules.

A day that no calendar knows is closed, and so is a time between two sessions. An exchange that
pauses at noon has two sessions a day. Days are naive dates; a calendar that is asked anything else
does not guess.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

from steelyard.brokers.broker import Session
from steelyard.errors import BrokerError

Calendar = Callable[[date, date], Sequence[Session]]
"""Sessions of the days from one to another, both included; raises BrokerError where unknown."""
NEAR = timedelta(days=62)
NO_TIME = "NaT"
"""How a table of sessions writes that there is none."""
LOOK_BACK = timedelta(days=14)
"""Longer than any exchange was closed in this century but one."""


@dataclass(frozen=True, slots=True)
class Trading:
    """Where a moment stands: its session, and the day of trading before that one's."""

    session: Session | None
    previous: date | None


CLOSED = Trading(None, None)


def trading(calendar: Calendar, now: datetime) -> Trading:
    """The session that is open at a time; a calendar that fails means closed."""
    if now.tzinfo is None:
        return CLOSED
    day = now.astimezone(UTC).date()
    try:
        # a session may belong to the day before or after the one of UTC
        sessions = sorted(_sound(calendar(day - LOOK_BACK, day + timedelta(days=1))), key=_opens)
    except Exception:  # noqa: BLE001 a calendar that fails in any way knows no open market
        return CLOSED
    here = [each for each in sessions if each.opens <= now < each.closes]
    if not here:
        return CLOSED
    session = here[-1]
    earlier = [each.day for each in sessions if each.day < session.day]
    return Trading(session, max(earlier, default=None))


def _sound(sessions: Iterable[Session]) -> list[Session]:
    """Those whose times say where they are and run forwards; raises BrokerError."""
    rows = list(sessions)
    for row in rows:
        if row.opens.tzinfo is None or row.closes.tzinfo is None or not row.opens < row.closes:
            raise _unusable(f"{row.day}: opens {row.opens}, closes {row.closes}")
    return rows


def _opens(session: Session) -> datetime:
    return session.opens


def _unusable(what: str) -> BrokerError:
    return BrokerError(
        f"the calendar cannot be used: {what}. The market counts as closed; nothing was sent.",
        code="calendar_unusable",
        value=what,
    )


def narrowed(own: Calendar, exchange: str | None, day: date) -> Calendar:
    """A broker's calendar, open only while an exchange is too; without one it is the broker's.

    day   near the days that will be asked for: what is far from it counts as unknown
    """
    if exchange is None:
        return own
    first = day.replace(day=1) - NEAR

    def both(start: date, end: date) -> Sequence[Session]:
        rules = exchange_calendar(exchange, first, first + 3 * NEAR)(start, end)
        return [
            Session(theirs.day, max(ours.opens, theirs.opens), min(ours.closes, theirs.closes))
            for ours in own(start, end)
            for theirs in rules
            if max(ours.opens, theirs.opens) < min(ours.closes, theirs.closes)
        ]

    return both


def settlement(calendar: Calendar, traded: date, days: int) -> date:
    """The day on which a trade settles, so many sessions after its own; raises BrokerError."""
    # closed days are at most half of all, and a holiday week comes on top
    last = traded + 2 * timedelta(days=days) + LOOK_BACK
    later = sorted({each.day for each in calendar(traded, last) if each.day > traded})
    if days < 1:
        return traded
    if len(later) < days:
        raise _unusable(f"{len(later)} sessions after {traded}, not {days}")
    return later[days - 1]


def exchange_calendar(code: str, first: date, last: date) -> Calendar:
    """The sessions of an exchange by its rules, known from one day to another.

    code   as exchange-calendars names it: XNYS, XETR, XLON, …
    Raises BrokerError where the extra `execute` is not installed or has no such exchange.
    """
    rules = _rules(code, first, last)

    def between(start: date, end: date) -> Sequence[Session]:
        for day in (start, end):
            # of a time the day depends on a zone: it is not guessed
            if isinstance(day, datetime) or not isinstance(day, date):
                raise _unusable(f"{day!r} is no day")
        if start < first or end > last:
            raise _unusable(f"{start} to {end} is not within {first} to {last}, which it knows")
        rows = rules.schedule.loc[start.isoformat() : end.isoformat()]
        return [session for row in rows.itertuples() for session in _sessions(row)]

    return between


@lru_cache(maxsize=8)
def _rules(code: str, first: date, last: date) -> Any:
    """Of an exchange, which take a while to work out."""
    try:
        with warnings.catch_warnings():
            # of what the library will have to change some day: nobody here can
            warnings.simplefilter("ignore")
            calendars = importlib.import_module("exchange_calendars")
            return calendars.get_calendar(code, start=first.isoformat(), end=last.isoformat())
    except ImportError as error:
        raise BrokerError(
            "calendars of exchanges need the extra `execute`: pip install 'steelyard[execute]'. "
            "Nothing was sent.",
            code="calendars_not_installed",
            hint="pip install 'steelyard[execute]'",
        ) from error
    except Exception as error:
        raise _unusable(f"{code}: {type(error).__name__}: {error}") from error


def _sessions(row: Any) -> list[Session]:
    """Of one day: two where trading pauses."""
    day = row.Index.date()
    times = (row.open, row.break_start, row.break_end, row.close)
    opens, *pauses, closes = (at.to_pydatetime() for at in times if str(at) != NO_TIME)
    if not pauses:
        return [Session(day, opens, closes)]
    pause, again = pauses
    return [Session(day, opens, pause), Session(day, again, closes)]
