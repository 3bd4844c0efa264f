"""Closes as statistics may use them: splits taken out, slips left out, one unbroken daily run.

Quotes do not come from here: what a price is today stands in the file as it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from steelyard.ages import (
    LEAST_HISTORY,
    MOST_DAYS_APART,
    DateArray,
    days_apart,
    is_daily,
    weekdays,
)
from steelyard.arrays import FloatArray
from steelyard.notices import Notice

MOST_GAP = 10
"""Weekdays between two rows of one history; after a longer gap a new one begins."""
SPIKE = 3.0
"""Factor from both its neighbours, in one direction, over which a close is a slip."""
AGREE = 1.5
"""Factor within which the two closes after the first agree against it."""
SPLIT_FITS = 1.25
"""Factor within which a change of price is that of a split."""
LISTED = 5
"""How many slips a notice lists."""
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class History:
    """What statistics are made of: no rows at all where a file is not daily.

    dates     (S,)   the last S of those that were given
    closes    (S, n) NaN where there is none or where it is left out; read-only
    notices   what was left out, and why
    """

    dates: DateArray
    closes: FloatArray
    notices: tuple[Notice, ...] = ()


def judged_history(
    dates: DateArray,
    closes: FloatArray,
    symbols: Sequence[str],
    splits: Mapping[str, Mapping[date, float]],
) -> History:
    """The part of closes that statistics may use, and what a person should know of the rest.

    dates, closes   (T,), (T, n) as a file gives them; neither is changed
    symbols         (n,)
    splits          symbol -> day -> shares after for one share before
    """
    if len(dates) < LEAST_HISTORY:
        return History(dates, closes)
    start = daily_since(dates)
    # what follows a gap is daily by itself where it is a history, else by what was before
    if not is_daily(dates[start:] if len(dates) - start >= LEAST_HISTORY else dates):
        return History(dates[:0], closes[:0], (_not_daily(dates),))
    notices = [_gap(dates, start)] if start else []
    run, cells = dates[start:], closes[start:].copy()
    for k, symbol in enumerate(symbols):
        if symbol in splits:
            cells[:, k] = split_adjusted(run, cells[:, k], splits[symbol])
    slips = spikes(cells)
    if slips.any():
        notices.append(_spikes(run, cells, symbols, slips))
        cells[slips] = np.nan
    cells.setflags(write=False)
    return History(run, cells, tuple(notices))


def daily_since(dates: DateArray) -> int:
    """Row after the last gap of more than 10 weekdays between two dates (T,); 0 without any.

    >>> daily_since(np.array(["2022-11-01", "2022-12-27", "2022-12-28"], dtype="datetime64[D]"))
    1
    """
    gaps = np.flatnonzero(weekdays(dates[:-1], dates[1:]) > MOST_GAP)
    return int(gaps[-1]) + 1 if len(gaps) else 0


def split_adjusted(
    dates: DateArray, closes: FloatArray, splits: Mapping[date, float]
) -> FloatArray:
    """Closes before each split divided by its factor, where they change as it says.

    dates, closes   (T,)  NaN where there is no close
    splits          first day of the new count of shares -> shares after for one before
    returns         (T,)  a split over which the closes do not change so is in them already;
                    without splits the closes themselves
    """
    if not splits:
        return closes
    adjusted = closes.copy()
    priced = np.flatnonzero(~np.isnan(closes))
    for on, shares in sorted(splits.items()):
        after = int(np.searchsorted(dates[priced], np.datetime64(on, "D")))
        if 0 < after < len(priced) and shares > 0:
            change = math.log(closes[priced[after]] / closes[priced[after - 1]])
            off = abs(change + math.log(shares))
            if off <= math.log(SPLIT_FITS) and off < abs(change):
                adjusted[: priced[after]] /= shares
    return adjusted


def spikes(closes: FloatArray) -> BoolArray:
    """Which closes are slips: over a factor 3 from both neighbours, in the same direction.

    closes    (T, n)  NaN where there is none; a neighbour is the nearest close before or after
    returns   (T, n)  the newest close of a column never is one; the first is one where it is over a
              factor 3 from the next, which agrees with the one after it
    """
    mask = np.zeros(closes.shape, dtype=bool)
    for k in range(closes.shape[1]):
        rows = np.flatnonzero(~np.isnan(closes[:, k]))
        changes = np.diff(np.log(closes[rows, k]))
        away = np.abs(changes) > math.log(SPIKE)
        if not away.any():
            continue
        back = away[:-1] & away[1:] & (changes[:-1] * changes[1:] < 0)
        mask[rows[1:-1][back], k] = True
        if len(changes) > 1 and away[0] and abs(changes[1]) <= math.log(AGREE):
            mask[rows[0], k] = True
    return mask


def _not_daily(dates: DateArray) -> Notice:
    apart = days_apart(dates)
    message = (
        f"The prices are {apart:g} days apart (median of {len(dates)} dates, {dates[0]} to "
        f"{dates[-1]}): they value the account, and no return, risk or trend is taken from them. "
        f"Give closes at most {MOST_DAYS_APART} days apart for those."
    )
    return Notice(code="history_not_daily", message=message, head=True)


def _gap(dates: DateArray, start: int) -> Notice:
    before, after = dates[start - 1], dates[start]
    days = weekdays(before.astype(object), after.astype(object))
    message = (
        f"The prices have a gap of {days} weekdays, from {before} to {after}: returns, risks and "
        f"trends are taken from the {len(dates) - start} dates since, not from the {start} before."
    )
    return Notice(code="history_gap", message=message, head=True)


def _spikes(
    dates: DateArray, closes: FloatArray, symbols: Sequence[str], mask: BoolArray
) -> Notice:
    places = np.argwhere(mask.T).tolist()
    first = [_spike(dates, closes[:, k], symbols[k], row) for k, row in places[:LISTED]]
    more = f", and {len(places) - LISTED} more" if len(places) > LISTED else ""
    what = "close is" if len(places) == 1 else "closes are"
    message = (
        f"{len(places)} {what} over {SPIKE:g} times, or under a third of, those beside, and no "
        f"return or risk is taken from {'it' if len(places) == 1 else 'them'}: "
        f"{', '.join(first)}{more}."
    )
    symbol = symbols[places[0][0]] if len({k for k, _ in places}) == 1 else None
    return Notice(code="price_spike", message=message, symbol=symbol)


def _spike(dates: DateArray, closes: FloatArray, symbol: str, row: int) -> str:
    """`AAA 1020 on 2022-12-27 (between 10.1 and 10.3)`."""
    rows = np.flatnonzero(~np.isnan(closes))
    place = int(np.searchsorted(rows, row))
    beside = [f"{closes[k]:g}" for k in (*rows[max(0, place - 1) : place], rows[place + 1])]
    between = f"between {beside[0]} and {beside[1]}" if place else f"before {beside[0]}"
    return f"{symbol} {closes[row]:g} on {dates[row]} ({between})"
