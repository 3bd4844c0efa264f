"""What price history says, calculated once where a cache of calculations is at hand.

    estimates   of a whole set: by the hash of its closes, what is known of it, and the score
    figures, spreads   of each security: whichever account holds it shares them
    regime      of the market: by the history of its indices
    foresight   of a mix, by the hash of the closes it is of

Without a cache nothing is hashed. With one every bit is the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from steelyard.arrays import FloatArray, IntArray, floats
from steelyard.calculations.digest import digest
from steelyard.estimates.estimate import TEN_YEARS, Estimates, estimate, own_figures
from steelyard.estimates.foresight import Foresight, foresight, own_spreads
from steelyard.estimates.regime import Regime, detect
from steelyard.market import Market
from steelyard.portfolio import Security
from steelyard.settings import Score
from steelyard.strategies import Strategy

if TYPE_CHECKING:  # its cache is imported by whoever makes one
    from steelyard.calculations.cache import Calculations

FEWEST_TOGETHER = 2
"""Columns whose sums go row by row."""
FIGURES = 4
"""Of each security, see `own_figures`."""
VERSION = 1
"""Of what is calculated here: another one shares no result."""


@dataclass(frozen=True, slots=True)
class History:
    """Ten years of closes of n securities in base currency: of which, and how old a rate may be."""

    market: Market
    securities: tuple[Security, ...]
    stale: int

    @property
    def symbols(self) -> list[str]:
        """(n,)"""
        return [security.symbol for security in self.securities]

    @property
    def currencies(self) -> list[str]:
        """(n,)"""
        return [security.currency for security in self.securities]

    def closes(self) -> FloatArray:
        """(T, n)"""
        newest = slice(-TEN_YEARS - 1, None)
        return self.market.base_closes(self.symbols, self.currencies, self.stale, newest)

    def sha256(self) -> str:
        """Of all of them."""
        newest = TEN_YEARS + 1
        return self.market.closes_sha256(self.symbols, self.currencies, self.stale, newest)

    def column_sha256(self) -> list[bytes]:
        """(n,) of each of them."""
        newest = TEN_YEARS + 1
        return self.market.column_sha256(self.symbols, self.currencies, self.stale, newest)


def estimated(
    history: History,
    closes: FloatArray,
    settings: Score,
    calculations: Calculations | None,
) -> Estimates:
    """The estimates of a set of securities; `closes` are those of the history."""
    securities, adjusted = history.securities, history.market.adjusted
    inputs: dict[str, Any] = {
        "dividend_yield": floats(s.dividend_yield for s in securities),
        "fundamental_quality": floats(s.quality for s in securities),
        "stated_return": floats(s.expected_return for s in securities),
    }
    work = partial(estimate, closes, settings=settings, adjusted=adjusted, **inputs)
    if calculations is None:
        return work()
    rules = digest(of="figures", version=VERSION, settings=settings)
    key = digest(
        of="estimates", rules=rules, closes=history.sha256(), adjusted=adjusted, inputs=inputs
    )
    shared = partial(_shared_figures, history, rules, calculations)
    return calculations.once(key, lambda: work(figures_of=shared))


def _shared_figures(
    history: History,
    rules: bytes,
    calculations: Calculations,
    closes: FloatArray,
    yields: FloatArray,
    settings: Score,
) -> FloatArray:
    """`own_figures`, of each security once."""
    columns = zip(history.column_sha256(), yields.tolist(), strict=True)
    keys = [digest(rules=rules, closes=sha256, yields=income) for sha256, income in columns]

    def work(places: Sequence[int]) -> Sequence[FloatArray]:
        lacking = np.array(places, dtype=np.int64)
        return [*own_figures(closes[:, lacking], yields[lacking], settings).T]

    return np.array(calculations.many(keys, work)).reshape(len(keys), FIGURES).T


def regime_of(
    market: Market, as_of: date, strategy: Strategy, calculations: Calculations | None
) -> Regime:
    """The regime of the market at a date."""
    rules, max_age = strategy.regime, strategy.limits.max_stale_sessions
    work = partial(detect, market.index, as_of, rules, max_age)
    if calculations is None or market.index is None:
        return work()
    key = digest(
        of="regime", version=VERSION, index=market.index, as_of=as_of, rules=rules, age=max_age
    )
    return calculations.once(key, work)


def foreseen(
    history: History,
    places: IntArray,
    mix: FloatArray,
    settings: Score,
    shrinkage: float,
    calculations: Calculations | None,
) -> Foresight | None:
    """What predictions for a mix have been worth.

    places   (k,) of its securities in the history
    mix      (k,) weights
    """
    members = History(history.market, tuple(history.securities[i] for i in places), history.stale)

    def work() -> Foresight | None:
        spreads = None if calculations is None else partial(_shared_spreads, calculations)
        return foresight(members.closes(), mix, settings, shrinkage, spreads)

    if calculations is None:
        return work()
    key = digest(
        of="foresight",
        version=VERSION,
        closes=history.sha256(),
        places=places,
        mix=mix,
        settings=settings,
        shrinkage=shrinkage,
    )
    return calculations.once(key, work)


def _shared_spreads(calculations: Calculations, returns: FloatArray, mixed: bool) -> FloatArray:
    """`own_spreads`, of each security once; a single one is summed in another order."""
    if returns.shape[1] < FEWEST_TOGETHER:
        return own_spreads(returns, mixed)
    rules = digest(of="spreads", version=VERSION, mixed=mixed)
    columns = np.ascontiguousarray(returns.T)
    keys = [hashlib.sha256(rules + column.tobytes()).digest() for column in columns]

    def work(places: Sequence[int]) -> Sequence[FloatArray]:
        lacking = np.array([*places, places[0]], dtype=np.int64)
        spreads = own_spreads(np.ascontiguousarray(returns[:, lacking]), mixed)
        return [spreads[:, :, k] for k in range(len(places))]

    return np.stack(calculations.many(keys, work), axis=2)
