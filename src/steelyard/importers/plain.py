"""Cells of plain numbers to floats, a block at once, and what floats cannot hold exactly."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import numpy as np

from steelyard.arrays import FloatArray
from steelyard.importers import values

PLAIN = b"0123456789.,-\r\n"
"""All that a file of plain numbers and dates has below its header."""
COMMA = ord(",")
EXACT = 16
"""Characters of a number that a float holds exactly: 15 digits and a point."""


def numbers(cells: bytes) -> tuple[FloatArray, Mapping[int, Decimal]] | None:
    """Prices of cells with commas between them; None where one of them needs a closer look.

    returns   closes (k,), NaN where a cell is empty; place -> exact price, where the shortest text
              of the float is another number
    """
    # twice: of two empty cells in a row the first pass sees every other comma
    text = b"," + cells + b","
    text = text.replace(b",,", b",nan,").replace(b",,", b",nan,")[1:-1]
    try:
        closes = np.fromstring(text, sep=",")
    except ValueError:
        return None
    ends = np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == COMMA)
    lengths = np.diff(ends, prepend=-1, append=len(text)) - 1
    if len(lengths) != len(closes) or lengths.max() > values.MAX_DIGITS or not usable(closes):
        return None
    exact: dict[int, Decimal] = {}
    for k in np.flatnonzero(lengths > EXACT).tolist():
        start = int(ends[k - 1]) + 1 if k else 0
        price = inexact(text[start : start + int(lengths[k])].decode("ascii"), float(closes[k]))
        if price is not None:
            exact[k] = price
    return closes, exact


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
