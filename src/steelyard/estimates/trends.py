"""What recent prices did, as they are: growth, peaks, and how a month's volatility compares with a
year's.

No estimate and no prior, unlike `estimates`: these figures open and close doors (a dip, a stop, a
pause), they are not scored.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from steelyard.ages import DateArray
from steelyard.arrays import FloatArray, product

WEEK = 5
MONTH = 21
YEAR = 252
RECENT = 20
FEWEST = 2
MOST_OF_IT = 0.5
"""Part of a mix whose return of a day must be known, so that it stands for that of the whole."""


@dataclass(frozen=True, slots=True)
class Trends:
    """What the closes say of direction.

    momentum           (n,)  growth of twelve months less the newest, NaN unknown
    peaks              (n,)  highest close since the mean date of purchase, the security's currency,
                             NaN unknown or not held
    volatility_ratio         of the held mix: of a month over that of a year, NaN unknown
    """

    momentum: FloatArray
    peaks: FloatArray
    volatility_ratio: float = math.nan


def momentum(closes: FloatArray) -> FloatArray:
    """Growth of twelve months less the newest, (n,); NaN without a close in the week up to either
    end.

    An exchange's holiday on one of the two days says nothing of a security.
    closes   (T, n), the last row is the as-of row
    Source: Jegadeesh and Titman (1993); the newest month is left out because it reverts.
    """
    if len(closes) <= YEAR:
        return np.full(closes.shape[1], np.nan)
    return np.asarray(_newest(closes[:-MONTH]) / _newest(closes[:-YEAR]) - 1)


def _newest(closes: FloatArray) -> FloatArray:
    """Newest close of the last week, (n,); NaN where there is none."""
    newest = np.full(closes.shape[1], np.nan)
    for row in closes[-WEEK:]:
        newest = np.where(np.isfinite(row), row, newest)
    return newest


def peaks(closes: FloatArray, dates: DateArray, since: Sequence[date | None]) -> FloatArray:
    """Highest close of each security on or after a day, (n,); NaN where the day is unknown or has
    no close after it.

    closes   (T, n) of the sessions `dates` (T,)
    """
    highest = np.full(closes.shape[1], np.nan)
    alike: dict[date, list[int]] = {}
    for i, day in enumerate(since):
        if day is not None:
            alike.setdefault(day, []).append(i)
    for day, members in alike.items():
        first = int(np.searchsorted(dates, np.datetime64(day, "D")))
        since_then = closes[first:, members]
        top = np.where(np.isfinite(since_then), since_then, -np.inf).max(axis=0, initial=-np.inf)
        highest[members] = np.where(np.isfinite(top), top, np.nan)
    return highest


def volatility_ratio(closes: FloatArray, weights: FloatArray) -> float:
    """Volatility of the newest month over that of the newest year, of one fixed mix; NaN when
    either is unknown.

    What has no return on a day is left out of the mix of that day, so that one young holding does
    not hide a stormy market.
    closes    (T, n)
    weights   (n,) of the mix; nothing held = an even mix of all
    """
    mix = (
        weights / weights.sum()
        if weights.sum() > 0
        else np.full(len(weights), 1 / max(1, len(weights)))
    )
    members = mix > 0
    if len(closes) <= YEAR or not members.any():
        return math.nan
    newest = closes[-YEAR - 1 :, members]
    returns = newest[1:] / newest[:-1] - 1
    finite = np.isfinite(returns)
    part = product(finite, mix[members])
    enough = part >= MOST_OF_IT
    days = product(np.where(finite, returns, 0.0), mix[members])[enough] / part[enough]
    year = float(days.std()) if len(days) > RECENT + FEWEST else 0.0
    return float(days[-RECENT:].std()) / year if year > 0 else math.nan
