"""The bundled prices as they were on a day that is past."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np

from steelyard.market import Market, Quote
from steelyard.money import FxTable


def until(market: Market, last: np.datetime64) -> Market:
    """The market as it was: nothing after `last`."""
    rows = int(np.searchsorted(market.dates, last, side="right"))
    day = market.dates[rows - 1].astype(object)
    closes = market.closes[:rows]
    quotes = {
        symbol: Quote(symbol, Decimal(f"{closes[-1, i]:.3f}"), day)
        for i, symbol in enumerate(market.symbols)
        if np.isfinite(closes[-1, i])
    }
    return replace(
        market, dates=market.dates[:rows], closes=closes, quotes=quotes, fx=FxTable("USD")
    )
