"""Cells of plain numbers to floats, a block at once, and what floats cannot hold exactly."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from steelyard.arrays import FloatArray
from steelyard.importers import values

PLAIN = b"0123456789.,-\r\n"
"""All that a file of plain numbers and dates has below its header."""
COMMA, POINT = ord(","), ord(".")
EXACT = 16
"""Characters of a number that a float holds exactly: 15 digits and a point."""
POWERS = 10.0 ** np.arange(EXACT)
IntArray = npt.NDArray[np.int64]


def numbers(cells: bytes) -> tuple[FloatArray, Mapping[int, Decimal]] | None:
    """Prices of cells with commas between them; None where one of them needs a closer look.

    returns   closes (k,), NaN where a cell is empty; place -> exact price, where the shortest text
              of the float is another number
    """
    signs = np.frombuffer(cells, dtype=np.uint8)
    ends = np.append(np.flatnonzero(signs == COMMA), len(cells))
    lengths = np.diff(ends, prepend=-1) - 1
    if lengths.max() > values.MAX_DIGITS:
        return None
    if lengths.max() > EXACT:
        return _long(cells, ends, lengths)
    closes = _short(cells, ends, lengths, np.flatnonzero(signs == POINT))
    return None if closes is None or not usable(closes) else (closes, {})


def _short(cells: bytes, ends: IntArray, lengths: IntArray, points: IntArray) -> FloatArray | None:
    """Closes (k,) of cells that floats hold exactly: whole numbers over a power of ten, either of
    which is exact, so that the quotient is the nearest float.
    """
    places = np.searchsorted(ends, points)
    digits, decimals = lengths.copy(), np.zeros(len(ends), dtype=np.int64)
    digits[places] -= 1
    decimals[places] = ends[places] - points - 1
    twice = (np.diff(places) == 0).any()
    if twice or ((digits == 0) & (lengths > 0)).any():
        return None
    try:
        whole = np.fromstring(_filled(cells.translate(None, b"."), b"0"), dtype=np.int64, sep=",")
    except ValueError:
        return None
    if len(whole) != len(ends):
        return None
    closes: FloatArray = whole / POWERS[decimals]
    closes[lengths == 0] = np.nan
    return closes


def _long(
    cells: bytes, ends: IntArray, lengths: IntArray
) -> tuple[FloatArray, Mapping[int, Decimal]] | None:
    """The same of cells of which some have more digits than a float."""
    try:
        closes = np.fromstring(_filled(cells, b"nan"), sep=",")
    except ValueError:
        return None
    if len(ends) != len(closes) or not usable(closes):
        return None
    exact: dict[int, Decimal] = {}
    for k in np.flatnonzero(lengths > EXACT).tolist():
        text = cells[ends[k] - lengths[k] : ends[k]].decode("ascii")
        price = inexact(text, float(closes[k]))
        if price is not None:
            exact[k] = price
    return closes, exact


def _filled(cells: bytes, empty: bytes) -> bytes:
    """The cells with something in each."""
    # twice: of two empty cells in a row the first pass sees every other comma
    filled = b"," + empty + b","
    return (b"," + cells + b",").replace(b",,", filled).replace(b",,", filled)[1:-1]


def usable(closes: FloatArray) -> bool:
    """Are all of them prices, or missing?"""
    good = np.isnan(closes) | ((closes > 0) & (closes <= float(values.MAX_PRICE)))
    return bool(good.all())


def inexact(text: str, close: float) -> Decimal | None:
    """The number of a text where the float of it is another number; else None.

    >>> inexact("20.50", 20.5), inexact("0.12345678901234567891", 0.12345678901234568)
    (None, Decimal('0.12345678901234567891'))
    """
    shortest = repr(close)
    if text == shortest:
        return None
    number = Decimal(text)
    return None if number == Decimal(shortest) else number
