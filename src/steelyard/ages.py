"""How old a dated figure is: in weekdays, for prices, rates, levels and histories alike.

Exchange holidays are not known here, so a figure may seem a day or two older than it is, never
younger. Friday to Monday is one weekday; over a weekend nothing ages.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import overload

import numpy as np
import numpy.typing as npt

DateArray = npt.NDArray[np.datetime64]
LEAST_HISTORY = 20
"""Dates from which prices are a history that statistics are made of, and no longer a few quotes."""
MOST_DAYS_APART = 3
"""Median days between the closes of a daily history: over a weekend there are three."""


@overload
def weekdays(since: date, until: date) -> int: ...
@overload
def weekdays(since: DateArray, until: date | DateArray) -> npt.NDArray[np.int64]: ...


def weekdays(since: date | DateArray, until: date | DateArray) -> int | npt.NDArray[np.int64]:
    """Weekdays from one date to another, negative where `until` is the earlier.

    since, until   dates, or arrays of them (T,) datetime64[D]

    >>> weekdays(date(2026, 11, 27), date(2026, 11, 30))
    1
    """
    if isinstance(since, date) and isinstance(until, date):
        return _weekdays(since, until)
    return np.asarray(np.busday_count(since, until))


@lru_cache(maxsize=4096)
def _weekdays(since: date, until: date) -> int:
    """Of two dates: thousands of prices are of the same few days."""
    return int(np.busday_count(since, until))


def days_apart(dates: DateArray) -> float:
    """Median days between dates (T,), T at least 2."""
    return float(np.median(np.diff(dates).astype(np.int64)))


def is_daily(dates: DateArray) -> bool:
    """Are the dates (T,) those of days, not of weeks or months? A few quotes may be of any days."""
    return len(dates) < LEAST_HISTORY or days_apart(dates) <= MOST_DAYS_APART
