"""Jumps of older closes: they move no money, and spoil what is estimated from the history.

The newest close is judged in `disagreements.py`, a lone close far from both neighbours in
`history.py`; what is left here is a step, as an unadjusted split leaves one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from steelyard.ages import DateArray, weekdays
from steelyard.arrays import FloatArray
from steelyard.market import Market
from steelyard.notices import Notice

MOST_CHANGE = 1.8
"""Factor between two closes, either way, over which the newer one looks like an unadjusted split,
the least common of which halves a price, or like a slip; shares of large companies have risen by
half in a day.
"""
MOST_BETWEEN = 5
"""Weekdays between two closes that still count as one change."""
LISTED = 5
"""How many symbols are named."""


def jumps(market: Market) -> list[Notice]:
    """Warn of closes far from the ones before them, the largest change of each security."""
    columns = zip(market.symbols, market.closes.T, strict=True)
    largest = sorted(jump for column in columns for jump in _jumps(*column, market.dates))
    first, rest = largest[:LISTED], largest[LISTED:]
    notices = [Notice(code="history_jump", message=why, symbol=symbol) for _, symbol, why in first]
    if rest:
        names = ", ".join(symbol for _, symbol, _ in rest[:LISTED])
        more = f" and {len(rest) - LISTED} more" if len(rest) > LISTED else ""
        message = f"Prices jump like this in {names}{more} too."
        notices.append(Notice(code="history_jump", message=message))
    return notices


def _jumps(symbol: str, closes: FloatArray, dates: DateArray) -> Iterator[tuple[float, str, str]]:
    """(minus its size, symbol, sentence) of the largest jump in `closes` (T,), if there is any."""
    priced = np.flatnonzero(~np.isnan(closes))
    changes = np.log(closes[priced[1:]] / closes[priced[:-1]])
    near = weekdays(dates[priced[:-1]], dates[priced[1:]]) <= MOST_BETWEEN
    sizes = np.abs(changes) * near
    count = int((sizes > math.log(MOST_CHANGE)).sum())
    if count:
        k = int(np.argmax(sizes))
        before, after = priced[k], priced[k + 1]
        more = f" ({count - 1} more like it)" if count > 1 else ""
        message = (
            f"{symbol} goes from {closes[before]:g} on {dates[before]} to {closes[after]:g} "
            f"on {dates[after]}, {math.exp(changes[k]):.3g} times as much{more}: an unadjusted "
            "split or a wrong price would spoil return and risk estimates."
        )
        yield -float(sizes[k]), symbol, message
