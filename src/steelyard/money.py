"""Money at the edges: exact decimals, dated exchange rates with a direction.

Rates are always *units of base per unit of currency*, so money in base is amount x rate. A missing
or old rate is an error, never 1.0.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

import steelyard.proxies  # noqa: F401 - its records can be pickled
from steelyard.ages import weekdays
from steelyard.arrays import FloatArray

ZERO = Decimal(0)


def no_number(figure: object, *, positive: bool) -> str:
    """Why a figure cannot be calculated with; "" where it can."""
    if not isinstance(figure, Decimal):
        return f"{figure!r} is a {type(figure).__name__}; give a Decimal"
    if not figure.is_finite():
        return f"'{figure}' is not a finite number"
    return f"'{figure}' must be above 0" if positive and figure <= 0 else ""


@dataclass(frozen=True, slots=True)
class ExactMoney:
    """What the floats of a planning set stand for, base currency, exact.

    shares      (n,)  price x rate of one share
    value       of the portfolio, after flows
    spendable   what may pay, after flows: foreign balances less their conversion, less open buys
    keeps       of it what buys leave: the reserve, or what there was before any flow
    whole       all cash, settled or not, after flows, foreign balances less their conversion
    due         of it what sales restore where it is short
    open_buys   what open buys may take
    rates       (n,)  base per unit of each one's currency
    withdrawn   what the owner takes out
    """

    shares: tuple[Decimal, ...]
    value: Decimal
    spendable: Decimal
    keeps: Decimal
    whole: Decimal
    due: Decimal
    open_buys: Decimal
    rates: tuple[Decimal, ...]
    withdrawn: Decimal = ZERO

    @property
    def free(self) -> Decimal:
        """All cash less what open buys may take."""
        return self.whole - self.open_buys

    @property
    def is_short(self) -> bool:
        """Is cash under 0, or did withdrawals take what buys would leave?"""
        taken_out = bool(self.withdrawn) and self.free < self.due
        return self.value > 0 and (self.whole < 0 or taken_out)


@dataclass(frozen=True, slots=True)
class FxRate:
    """`rate` units of base per unit of `currency`, as published on `on`."""

    currency: str
    rate: Decimal
    on: date


@dataclass(frozen=True)
class FxTable:
    """Dated rates into one base currency.

    base    the account's currency; its own rate is 1 on every day
    rates   currency -> its rates, oldest first
    """

    base: str
    rates: Mapping[str, tuple[FxRate, ...]] = field(default_factory=lambda: MappingProxyType({}))

    @cached_property
    def _columns(self) -> dict[str, tuple[npt.NDArray[np.datetime64], FloatArray]]:
        """Days and rates of each currency whose series was asked for: asked for again in a plan."""
        return {}

    def known(self, currency: str) -> bool:
        """Is there any rate of this currency?"""
        return currency == self.base or bool(self.rates.get(currency))

    def latest(self, currency: str, on: date) -> FxRate | None:
        """Newest rate at or before `on`; None when there is none."""
        if currency == self.base:
            return FxRate(currency, Decimal(1), on)
        rates = self.rates.get(currency, ())
        count = bisect_right(rates, on, key=lambda rate: rate.on)
        return rates[count - 1] if count else None

    def series(self, currency: str, days: npt.NDArray[np.datetime64], max_age: int) -> FloatArray:
        """Rate of each day of `days`, carried forward over at most `max_age` weekdays.

        days      (T,)  dates, oldest first
        returns   (T,)  units of base per unit of currency, NaN where no rate is young enough
        """
        if currency == self.base:
            return np.ones(len(days))
        if not self.rates.get(currency) or not len(days):
            return np.full(len(days), np.nan)
        if currency not in self._columns:
            rates = self.rates[currency]
            on = np.array([rate.on for rate in rates], dtype="datetime64[D]")
            self._columns[currency] = on, np.array([float(rate.rate) for rate in rates])
        dates, values = self._columns[currency]
        newest = np.searchsorted(dates, days, side="right") - 1
        usable = (newest >= 0) & (weekdays(dates[newest], days) <= max_age)
        return np.where(usable, values[newest], np.nan)

    def until(self, last: date) -> FxTable:
        """The same table without rates after `last`."""
        past = {
            currency: tuple(rate for rate in rates if rate.on <= last)
            for currency, rates in self.rates.items()
        }
        return FxTable(self.base, MappingProxyType(past))
