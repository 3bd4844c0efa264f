"""Prices and exchange rates as arrays with their dates.

`Market` holds closes in each security's own currency; `base_closes` turns them into the base
currency with that day's rate, so that every statistic is what the account's owner lived through.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any, cast

import numpy as np

import steelyard.proxies  # noqa: F401 - its records can be pickled
from steelyard.ages import DateArray
from steelyard.arrays import FloatArray, IntArray
from steelyard.money import FxTable
from steelyard.notices import Drop

EVERY_ROW = slice(None)
ROWS_AT_ONCE = 64
"""Sessions that are turned into the base currency at a time: few, to stay near the processor."""


@dataclass(frozen=True, slots=True)
class Quote:
    """A price in the security's currency and the session it is of.

    source   the file it is from; "" = not known
    unit     in which it was quoted, like GBp; "" = the security's currency
    """

    symbol: str
    price: Decimal
    on: date
    source: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Index:
    """Levels of k market indices over S sessions: what the market regime is told from. Nothing here
    can be traded.

    names    (k,)
    dates    (S,)   datetime64[D], strictly increasing
    levels   (S, k) NaN where there is none; never written to
    """

    names: tuple[str, ...]
    dates: DateArray
    levels: FloatArray


@dataclass(frozen=True)
class Market:
    """n securities over T sessions.

    symbols    (n,)   sorted
    dates      (T,)   datetime64[D], strictly increasing
    closes     (T, n) in the security's currency, NaN where there is none; never written to
    quotes     symbol -> newest price at or before the last date, exactly as the file gives it
    fx         rates into the base currency
    adjusted   closes contain dividends; then no yield is added to returns
    source     where the prices come from, for people
    index      history of market indices; None = the market regime is unknown
    withheld   symbol -> why its newest price may not be traded on, of what is not held
    """

    symbols: tuple[str, ...]
    dates: DateArray
    closes: FloatArray
    quotes: Mapping[str, Quote]
    fx: FxTable
    adjusted: bool = True
    source: str = ""
    index: Index | None = None
    withheld: Mapping[str, Drop] = field(default_factory=lambda: MappingProxyType({}))

    def __setstate__(self, state: dict[str, Any]) -> None:
        """What was pickled or copied; its arrays are closed to writing again."""
        self.__dict__.update(state)
        for array in (self.dates, self.closes):
            array.setflags(write=False)

    @property
    def last(self) -> date | None:
        """Newest session; None without any."""
        return cast(date, self.dates[-1].astype(object)) if len(self.dates) else None

    def base_closes(
        self,
        symbols: Sequence[str],
        currencies: Sequence[str],
        max_age: int,
        rows: slice = EVERY_ROW,
    ) -> FloatArray:
        """Closes in the base currency.

        symbols, currencies   (k,)    what to take and in which currency it is quoted
        max_age               oldest usable rate, in weekdays
        rows                  which sessions
        returns               (T, k)  NaN where there is no close or no rate
        """
        dates, places = self.dates[rows], self.places(symbols)
        units = {currency: i for i, currency in enumerate(sorted({*currencies}))}
        series = [self.fx.series(currency, dates, max_age) for currency in units]
        rates = np.array(series).reshape(len(units), len(dates)).T
        unit = np.array([units[currency] for currency in currencies], dtype=np.int64)
        closes = _columns(self.closes[rows], places)
        for k in range(0, len(dates), ROWS_AT_ONCE):
            # a price of the base currency times 1 is the same to the last bit
            closes[k : k + ROWS_AT_ONCE] *= rates[k : k + ROWS_AT_ONCE].take(unit, axis=1)
        return closes

    def own_closes(self, symbols: Sequence[str], rows: slice = EVERY_ROW) -> FloatArray:
        """(T, k) closes in each security's own currency, NaN where there is none."""
        return _columns(self.closes[rows], self.places(symbols))

    def places(self, symbols: Sequence[str]) -> IntArray:
        """(k,) columns of the securities, -1 for those without."""
        column = {symbol: i for i, symbol in enumerate(self.symbols)}
        return np.array([column.get(symbol, -1) for symbol in symbols], dtype=np.int64)


def _columns(closes: FloatArray, places: IntArray) -> FloatArray:
    """(T, k) some columns of (T, n), a copy; NaN for column -1."""
    if not closes.shape[1]:
        return np.full((len(closes), len(places)), np.nan)
    columns = closes.take(places, axis=1, mode="clip")
    columns[:, places < 0] = np.nan
    return columns
