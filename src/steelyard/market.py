"""Prices and exchange rates as arrays with their dates.

`Market` holds closes in each security's own currency; `base_closes` turns them into the base
currency with that day's rate, so that every statistic is what the account's owner lived through.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from types import MappingProxyType
from typing import Any, cast

import numpy as np

import steelyard.proxies  # noqa: F401 - its records can be pickled
from steelyard.ages import DateArray
from steelyard.arrays import FloatArray, IntArray
from steelyard.errors import InputError, each
from steelyard.money import FxTable, no_number
from steelyard.notices import Drop

EVERY_ROW = slice(None)
MOST_APART = 1.2
"""Factor between a quote and the close of its day over which one of them is wrong."""
NEWEST = 10
"""Sessions among which the day of a quote is looked for."""
HASHED_AT_ONCE = 256
"""Sessions of closes that are in memory at a time while they are hashed."""
MOST_HASHES = 8192
"""Hashes of its closes that a market remembers."""
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

    def __post_init__(self) -> None:
        """Raises InputError for closes of another shape than dates and symbols, dates that do not
        rise, prices that are none, and a quote that the close of its day contradicts.
        """
        wrong = [*_of_shape(self)] or [*_of_dates(self), *_of_closes(self), *_of_quotes(self)]
        if wrong:
            raise InputError(
                f"The market is not usable: {'; '.join(wrong)}. Nothing was planned; correct it.",
                code="bad_market",
                place="market",
                faults=each("bad_market", wrong, "market"),
                hint="correct it",
            )

    def at_prices(self, quotes: Mapping[str, Quote]) -> Market:
        """The same history with other newest prices, as a question asks: they contradict it."""
        other = copy.copy(self)
        object.__setattr__(other, "quotes", quotes)
        object.__setattr__(other, "_hashes", self._hashes)
        return other

    def __getstate__(self) -> dict[str, Any]:
        """What is pickled or copied: not what it remembers."""
        return {name: value for name, value in self.__dict__.items() if name != "_hashes"}

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

    def closes_sha256(
        self, symbols: Sequence[str], currencies: Sequence[str], max_age: int, newest: int
    ) -> str:
        """SHA-256 of the newest rows of `base_closes`, hexadecimal; hashed once."""
        asked = _asked(symbols, currencies, max_age, newest)
        sha256 = self._hashes.get(asked)
        if sha256 is None:
            digest, count = hashlib.sha256(), len(self.dates)
            for start in range(max(0, count - newest), count, HASHED_AT_ONCE):
                rows = slice(start, start + HASHED_AT_ONCE)
                closes = self.base_closes(symbols, currencies, max_age, rows)
                digest.update(np.ascontiguousarray(closes, dtype="<f8").data)
            sha256 = self._remember(asked, digest.digest())
        return sha256.hex()

    def column_sha256(
        self, symbols: Sequence[str], currencies: Sequence[str], max_age: int, newest: int
    ) -> list[bytes]:
        """The same of each security by itself, 32 bytes each."""
        pairs = zip(symbols, currencies, strict=True)
        asked = [_asked((symbol,), (currency,), max_age, newest) for symbol, currency in pairs]
        hashes = {each: self._hashes.get(each) for each in asked}
        lacking = [k for k, each in enumerate(asked) if hashes[each] is None]
        if lacking:
            names, units = [symbols[k] for k in lacking], [currencies[k] for k in lacking]
            closes = self.base_closes(names, units, max_age, slice(-newest, None))
            columns = np.ascontiguousarray(closes.T, dtype="<f8")
            for k, column in zip(lacking, columns, strict=True):
                sha256 = hashlib.sha256(column.data).digest()
                hashes[asked[k]] = self._remember(asked[k], sha256)
        return [hashes[each] or b"" for each in asked]

    @cached_property
    def _hashes(self) -> dict[bytes, bytes]:
        """What was asked of closes -> its hash: they never change."""
        return {}

    def _remember(self, asked: bytes, sha256: bytes) -> bytes:
        while len(self._hashes) >= MOST_HASHES:
            self._hashes.pop(next(iter(self._hashes), b""), None)
        self._hashes[asked] = sha256
        return sha256

    def own_closes(self, symbols: Sequence[str], rows: slice = EVERY_ROW) -> FloatArray:
        """(T, k) closes in each security's own currency, NaN where there is none."""
        return _columns(self.closes[rows], self.places(symbols))

    def places(self, symbols: Sequence[str]) -> IntArray:
        """(k,) columns of the securities, -1 for those without."""
        column = {symbol: i for i, symbol in enumerate(self.symbols)}
        return np.array([column.get(symbol, -1) for symbol in symbols], dtype=np.int64)


def _asked(symbols: Sequence[str], currencies: Sequence[str], max_age: int, newest: int) -> bytes:
    """Which closes are meant, in 32 bytes."""
    names = "\0".join((*symbols, "", *currencies, f"{max_age} {newest}"))
    return hashlib.sha256(names.encode()).digest()


def _columns(closes: FloatArray, places: IntArray) -> FloatArray:
    """(T, k) some columns of (T, n), a copy; NaN for column -1."""
    if not closes.shape[1]:
        return np.full((len(closes), len(places)), np.nan)
    columns = closes.take(places, axis=1, mode="clip")
    columns[:, places < 0] = np.nan
    return columns


def _of_shape(market: Market) -> Iterator[str]:
    """Do closes have a row for each date and a column for each symbol?"""
    due, shape = (len(market.dates), len(market.symbols)), market.closes.shape
    if shape != due:
        hint = "; transpose them" if shape == due[::-1] else ""
        yield f"its closes are {shape}, and {due[0]} dates of {due[1]} symbols need {due}{hint}"
    if len(set(market.symbols)) != len(market.symbols):
        twice = sorted({name for name in market.symbols if market.symbols.count(name) > 1})
        yield f"it has the column {', '.join(twice)} more than once"


def _of_dates(market: Market) -> Iterator[str]:
    """Does each date come after the one before it?"""
    steps = np.diff(market.dates.astype("datetime64[D]").astype(np.int64))
    for row in np.flatnonzero(steps <= 0)[:1]:
        before, after = market.dates[row], market.dates[row + 1]
        what = "stands twice" if steps[row] == 0 else f"stands after {before}"
        yield f"the date {after} {what}; dates rise"


def _of_closes(market: Market) -> Iterator[str]:
    """Is every close above 0, where there is one?"""
    # what is no number is below nothing and above nothing
    bad = (market.closes <= 0) | np.isinf(market.closes)
    for row, column in np.argwhere(bad)[:1]:
        symbol, close = market.symbols[column], market.closes[row, column]
        reason = "must be above 0" if close <= 0 else "is not a finite number"
        yield f"the price of {symbol} '{close:g}' on {market.dates[row]} {reason}"


def _of_quotes(market: Market) -> Iterator[str]:
    """Is every quote a price, and near the close of its day?"""
    column = {symbol: i for i, symbol in enumerate(market.symbols)}
    newest = market.dates[-NEWEST:].tolist()
    row = {day: i - len(newest) for i, day in enumerate(newest)}
    for symbol, quote in market.quotes.items():
        price = quote.price
        if reason := no_number(price, positive=True):
            yield f"the price of {symbol} {reason}"
        elif symbol in column and quote.on in row:
            close = float(market.closes[row[quote.on], column[symbol]])
            factor = max(close / float(price), float(price) / close) if close > 0 else 1
            if factor > MOST_APART:
                figures = f"{symbol} costs {price:f} by its quote and {close:g} by its close"
                yield f"{figures} of {quote.on}, a factor of {factor:.3g}"
