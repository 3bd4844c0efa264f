"""How old a dated figure is: in weekdays, for prices, rates, levels and histories alike.

Exchange holidays are not known here, so a figure may seem a day or two older than it is, never
younger. Friday to Monday is one weekday; over a weekend nothing ages.
"""

from __future__ import annotations

from datetime import date
from typing import overload

import numpy as np
import numpy.typing as npt

DateArray = npt.NDArray[np.datetime64]


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
    count = np.busday_count(since, until)
    return int(count) if np.ndim(count) == 0 else count
