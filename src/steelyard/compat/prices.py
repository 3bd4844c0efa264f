"""What things cost: the price of each security and the rate of each currency, from whoever has one.

The caller's prices come first, then the history's, the position's, and its cost; a sentence tells
where an old or a stated one was used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType

import numpy as np

from steelyard.compat.records import (
    NOTHING,
    PlannerContext,
    PortfolioContext,
    Position,
    is_number,
    unusable,
)
from steelyard.errors import InputError
from steelyard.market import Market, Quote
from steelyard.money import FxRate, FxTable

MAX_DIFFERENCE = 0.02
"""Values that say the same thing may differ by this much, as a fraction."""


@dataclass
class Prices:
    """Where the price of each symbol came from: the first source that has one."""

    context: PlannerContext
    as_of: date
    old: list[str] = field(default_factory=list)
    from_positions: list[str] = field(default_factory=list)
    from_costs: list[str] = field(default_factory=list)

    def of(self, symbol: str, position: Position | None) -> Decimal | None:
        """Price, own currency: the caller's, the history's newest, the position's, its cost."""
        facts, history = self.context.portfolio_context, self.context.history
        price = (self.context.current_prices or {}).get(symbol, facts.current_prices.get(symbol))
        if price is not None:
            return exact(price, f"current price of {symbol}")
        if history is not None and symbol in history.quotes:
            if history.last != self.as_of:
                self.old.append(symbol)
            return history.quotes[symbol].price
        if position is not None and position.current_price is not None:
            self.from_positions.append(symbol)
            return exact(position.current_price, f"current_price of {symbol}")
        cost = average(facts, position)
        if cost is not None:
            self.from_costs.append(symbol)
            return exact(cost, f"avg_price of {symbol}")
        return None

    def said(self) -> Iterator[str]:
        """What a reader must know of the prices."""
        if self.old and self.context.history:
            ends = f"The price history ends on {self.context.history.last}"
            used = f"old prices were used for {listed(self.old)}"
            yield f"{ends} and the plan is of {self.as_of}: {used}."
        if self.from_positions:
            missing = f"No current prices were given for {listed(self.from_positions)}"
            yield f"{missing}: the current_price of the position was used."
        if self.from_costs:
            missing = f"Nothing says what {listed(self.from_costs)} costs now"
            yield f"{missing}: the average cost was used, so no gain or loss shows there."


def exact(number: float, what: str) -> Decimal:
    """A positive number as an exact decimal; raises InputError for anything else."""
    if not is_number(number) or number <= 0:
        raise unusable(f"The {what}", repr(number), "a number above 0")
    return Decimal(str(number))


def listed(symbols: Iterable[str]) -> str:
    return ", ".join(sorted(symbols))


def average(facts: PortfolioContext, position: Position | None) -> float | None:
    if position is None:
        return None
    if position.avg_price is not None:
        return position.avg_price
    return facts.position_avg_prices.get(position.symbol)


def until(context: PlannerContext, as_of: date) -> PlannerContext:
    """The context without what its history has after the date; raises InputError if that is all."""
    history = context.history
    if history is None or history.last is None or history.last <= as_of:
        return context
    sessions = int(np.searchsorted(history.dates, np.datetime64(as_of, "D"), side="right"))
    if not sessions:
        what = f"as_of is {as_of} and the price history begins on {history.dates[0]}"
        raise InputError(
            f"{what}. {NOTHING} Give a later date.",
            code="before_history",
            place="as_of",
            value=as_of,
            limit=history.dates[0],
            hint="give a later date",
        )
    quotes = {symbol: _quote(history, symbol, sessions, as_of) for symbol in history.symbols}
    cut = replace(
        history,
        dates=history.dates[:sessions],
        closes=history.closes[:sessions],
        quotes=MappingProxyType({symbol: quote for symbol, quote in quotes.items() if quote}),
    )
    return replace(context, portfolio_context=replace(context.portfolio_context, history=cut))


def _quote(history: Market, symbol: str, sessions: int, as_of: date) -> Quote | None:
    """The newest price at or before a date; None without any."""
    newest = history.quotes.get(symbol)
    if newest is not None and newest.on <= as_of:
        return newest
    closes = history.closes[:sessions, history.symbols.index(symbol)]
    priced = np.flatnonzero(np.isfinite(closes))
    if not len(priced):
        return None
    last = priced[-1]
    return Quote(symbol, Decimal(str(closes[last])), history.dates[last].astype(object))


def rates_apart(context: PlannerContext, base: str, as_of: date) -> Iterator[str]:
    """Sentences on rates of positions that the history has otherwise."""
    for currency, rate in sorted(_stated(context.positions, base).items()):
        other = context.history.fx.latest(currency, as_of) if context.history else None
        if other is not None and apart(rate, float(other.rate)):
            what = f"One {currency} is {float(other.rate):g} {base} in the history"
            yield f"{what} and {rate:g} in the positions: the former was used."


def _stated(positions: Iterable[Position], base: str) -> dict[str, float]:
    """The rates that positions state; raises InputError where they contradict each other."""
    rates: dict[str, float] = {}
    for position in positions:
        if position.currency_rate is None:
            continue
        symbol, currency = position.symbol, position.currency
        rate = float(exact(position.currency_rate, f"currency_rate of {symbol}"))
        other = 1.0 if currency == base else rates.setdefault(currency, rate)
        if rate != other:
            another = f"another position has {other:g}"
            why = "it is the account's currency" if currency == base else another
            what = f"The currency_rate of {symbol} is {rate:g} {base} for one {currency}"
            raise InputError(
                f"{what}; {why}. {NOTHING}",
                code="rates_contradict",
                place=f"currency_rate of {symbol}",
                value=f"{rate:g}",
                limit=f"{other:g}",
            )
    return rates


def fx(context: PlannerContext, base: str, rates: Mapping[str, float], as_of: date) -> FxTable:
    """The history's rates, and beside them those of positions and service as of the plan's date."""
    history = context.history
    if history is not None and history.fx.base != base:
        what = f"The account counts in {base} and the history's rates are into {history.fx.base}"
        raise InputError(
            f"{what}. {NOTHING}",
            code="another_base",
            place="base_currency",
            value=base,
            limit=history.fx.base,
        )
    table = dict(history.fx.rates) if history else {}
    for currency, rate in sorted({**_stated(context.positions, base), **rates}.items()):
        if currency != base and currency not in table:
            table[currency] = (FxRate(currency, Decimal(str(rate)), as_of),)
    return FxTable(base, MappingProxyType(table))


def market(
    context: PlannerContext, prices: Mapping[str, Decimal], fx: FxTable, as_of: date
) -> Market:
    """The history with the given prices as newest quotes; without one a single session."""
    history = context.history
    symbols = tuple(sorted(prices))
    dates = np.array([as_of], dtype="datetime64[D]")
    if history is not None and len(history.dates):
        dates = history.dates
    closes = np.full((len(dates), len(symbols)), np.nan)
    for k, symbol in enumerate(symbols):
        if history is not None and symbol in history.symbols:
            closes[:, k] = history.closes[:, history.symbols.index(symbol)]
        else:
            closes[-1, k] = float(prices[symbol])
    closes.setflags(write=False)
    quotes = {
        symbol: Quote(symbol, price, _quoted_on(history, symbol, price, as_of))
        for symbol, price in prices.items()
    }
    market = history or Market(
        symbols=symbols, dates=dates, closes=closes, quotes={}, fx=fx, source="the caller's prices"
    )
    quoted = MappingProxyType(quotes)
    return replace(market, symbols=symbols, dates=dates, closes=closes, quotes=quoted, fx=fx)


def _quoted_on(history: Market | None, symbol: str, price: Decimal, as_of: date) -> date:
    """A price of the history keeps its date, so that an old one is seen to be old."""
    quote = history.quotes.get(symbol) if history else None
    return quote.on if quote is not None and quote.price == price else as_of


def apart(a: float, b: float) -> bool:
    return abs(a - b) > MAX_DIFFERENCE * max(abs(a), abs(b))
