"""Index: levels of market indices, `date, SPY, QQQ, …`; what the market regime is told from.

Nothing in it can be traded. Cells follow the rules of prices: positive, plain digits, a row a day.
"""

from __future__ import annotations

from datetime import date

import numpy as np

from steelyard.importers.limits import LIMITS, FileLimits
from steelyard.importers.opening import Where
from steelyard.importers.prices import PriceTable, read_prices
from steelyard.market import Index


def read_index(path: Where, limits: FileLimits = LIMITS) -> PriceTable:
    """The levels of a file, wide or long; raises InputError for a file that is no such table."""
    return read_prices(path, limits=limits)


def index_until(table: PriceTable, as_of: date) -> Index:
    """The levels at or before a date."""
    last = table.until(as_of)
    return Index(table.symbols, table.dates[:last], np.asarray(table.closes[:last]))
