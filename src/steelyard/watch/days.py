"""Which days a schedule counts: the sessions of an exchange, or weekdays where nothing knows them.

The calendar of an exchange takes a second to load, so it is read once and for whole years. A day
that it does not know counts if it is a weekday.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from importlib.util import find_spec

from steelyard.environment import home
from steelyard.errors import BrokerError
from steelyard.execution.configuration import load
from steelyard.execution.sessions import exchange_calendar
from steelyard.watch.schedule import Schedule

USUAL = "XNYS"
"""Whose sessions count where nobody says it."""
PACKAGE = "exchange_calendars"
WEEKEND = 5
"""Number of Saturday; Monday is 0."""


@dataclass(frozen=True, slots=True)
class Days:
    """Days that count.

    sessions   of the exchange, from `first` to `last`; empty = none is known
    words      what is counted, for people: `sessions of XNYS`, or weekdays and why
    unknown    why the rules of an exchange cannot be had though the extra is installed; "" = they
               can, or it is not
    """

    words: str
    sessions: frozenset[date] = frozenset()
    first: date = date.max
    last: date = date.min
    unknown: str = ""

    def __contains__(self, day: date) -> bool:
        if self.first <= day <= self.last:
            return day in self.sessions
        return day.weekday() < WEEKEND


def exchange_of(schedule: Schedule, variables: Mapping[str, str]) -> str | None:
    """Whose sessions a schedule counts; None = the usual one's. Raises SettingsError."""
    return schedule.exchange or load(home(variables), variables).working.exchange


@lru_cache(maxsize=16)
def days_of(exchange: str | None, today: date) -> Days:
    """The days of an exchange, from the year before to the end of the next one.

    Where its rules cannot be had, weekdays, and the words say why.
    """
    code = exchange or USUAL
    if find_spec(PACKAGE) is None:
        return Days(
            f"weekdays, holidays too: the sessions of {code} need the extra `execute`, pip install "
            "'steelyard[execute]'"
        )
    first = date(today.year - 1, 1, 1)
    # some rules are known to the end of this year only
    for last in (date(today.year + 1, 12, 31), date(today.year, 12, 31)):
        try:
            rows = exchange_calendar(code, first, last)(first, last)
        except BrokerError as error:
            why = error
            continue
        return Days(f"sessions of {code}", frozenset(row.day for row in rows), first, last)
    reason = str(why.fault.value or why)
    return Days(f"weekdays, holidays too: {reason}", unknown=reason)


def between(days: Days, first: date, last: date) -> list[date]:
    """The days that count, from one to another, both included."""
    return [day for day in _each(first, last) if day in days]


def _each(first: date, last: date) -> Iterable[date]:
    for k in range((last - first).days + 1):
        yield first + timedelta(days=k)
