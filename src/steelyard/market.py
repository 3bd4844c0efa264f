"""Prices and exchange rates as arrays with their dates.

`Market` holds closes in each security's own currency; `base_closes` turns them into the base
currency with that day's rate, so that every statistic is what the account's owner lived through.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import cast

import numpy as np

from steelyard.ages import DateArray
from steelyard.arrays import FloatArray
from steelyard.money import FxTable
from steelyard.notices import Drop


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

    @property
    def last(self) -> date | None:
        """Newest session; None without any."""
        return cast(date, self.dates[-1].astype(object)) if len(self.dates) else None

    def base_closes(
        self, symbols: Iterable[str], currencies: Iterable[str], max_age: int
    ) -> FloatArray:
        """Closes in the base currency.

        symbols, currencies   (k,)    what to take and in which currency it is quoted
        max_age               oldest usable rate, in weekdays
        returns               (T, k)  NaN where there is no close or no rate
        """
        column = {symbol: i for i, symbol in enumerate(self.symbols)}
        places = np.array([column.get(symbol, -1) for symbol in symbols], dtype=np.int64)
        units = np.array(list(currencies))
        result = np.full((len(self.dates), len(places)), np.nan)
        result[:, places >= 0] = self.closes[:, places[places >= 0]]
        for currency in {*units.tolist()} - {self.fx.base}:
            result[:, units == currency] *= self.fx.series(currency, self.dates, max_age)[:, None]
        return result
