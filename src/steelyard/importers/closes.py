"""Closes of what is quoted, their newest changes judged, into a market."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

import numpy as np

from steelyard.ages import DateArray
from steelyard.arrays import FloatArray
from steelyard.importers.disagreements import (
    MOST_APART_LATER,
    Change,
    jump,
    kept_out,
    withheld,
)
from steelyard.importers.prices import history
from steelyard.importers.quotes import LISTED, Findings, Pricing
from steelyard.importers.rates import NEIGHBOURS
from steelyard.market import Market, Quote
from steelyard.money import FxTable


@dataclass(frozen=True)
class Closes:
    """Closes of n symbols over T sessions up to the as-of date, in each security's currency.

    closes   (T, n) as the file has them, pence divided, before any judgement
    """

    symbols: tuple[str, ...]
    dates: DateArray
    closes: FloatArray


def closes_of(pricing: Pricing, quotes: Mapping[str, Quote]) -> Closes:
    """Closes up to the as-of date of what is quoted; a holdings price alone is one close."""
    prices, symbols = pricing.prices, tuple(sorted(quotes))
    if prices is None:
        day = np.array([pricing.day], dtype="datetime64[D]")
        row = np.array([[float(quotes[symbol].price) for symbol in symbols]]).reshape(1, -1)
        return Closes(symbols, day, row)
    count = prices.until(pricing.day)
    closes = np.full((count, len(symbols)), np.nan)
    places = {symbol: i for i, symbol in enumerate(prices.symbols)}
    for k, symbol in enumerate(symbols):
        if symbol in places:
            unit = pricing.units.get(symbol)
            closes[:, k] = prices.closes[:count, places[symbol]] / (
                1 if unit is None else unit.parts
            )
        else:
            closes[-1, k] = float(quotes[symbol].price)
    return Closes(symbols, prices.dates[:count], closes)


def judge_changes(pricing: Pricing, table: Closes, findings: Findings) -> None:
    """Newest closes that jump: refused where they matter, else kept out of trading."""
    prices = pricing.prices
    if prices is None:
        return
    jumping = []
    for symbol, column in zip(table.symbols, table.closes.T, strict=True):
        adjusted = history.split_adjusted(table.dates, column, prices.splits.get(symbol, {}))
        changes = _recent(symbol, table.dates, adjusted)
        if not changes:
            continue
        change = next((c for c in changes if c.jumps), changes[0])
        if symbol in pricing.matters:
            findings.rule(jump(change, prices.file, accepted=symbol in pricing.accepted))
        elif change.jumps:
            findings.withheld[symbol] = withheld(change)
            jumping.append(change)
    findings.notices += kept_out(jumping, LISTED)


def _recent(symbol: str, dates: DateArray, closes: FloatArray) -> list[Change]:
    """The newest change, and steps of the days before where the level has not gone back since."""
    rows = np.flatnonzero(~np.isnan(closes))[-NEIGHBOURS - 1 :]
    changes = [
        Change(
            symbol,
            float(closes[before]),
            dates[before].astype(object),
            float(closes[after]),
            dates[after].astype(object),
            newest_pair=bool(after == rows[-1]),
        )
        for before, after in reversed(list(pairwise(rows)))
    ]
    if not changes:
        return []
    # a step that went back was an error of those days, and leaves the statistics as it is
    moved = abs(math.log(closes[rows[-1]] / closes[rows[0]])) > math.log(MOST_APART_LATER)
    return changes if moved else changes[:1]


def market_of(
    pricing: Pricing,
    quotes: Mapping[str, Quote],
    table: Closes,
    fx: FxTable,
    findings: Findings,
    *,
    adjusted: bool,
    source: str,
) -> Market:
    """The market of what is quoted, its history judged."""
    splits = pricing.prices.splits if pricing.prices else {}
    judged = history.judged_history(table.dates, table.closes, table.symbols, splits)
    findings.notices += judged.notices
    judged.closes.setflags(write=False)
    return Market(
        symbols=table.symbols,
        dates=judged.dates,
        closes=judged.closes,
        quotes=MappingProxyType({symbol: quotes[symbol] for symbol in table.symbols}),
        fx=fx,
        adjusted=adjusted,
        source=source,
        withheld=MappingProxyType(dict(sorted(findings.withheld.items()))),
    )
