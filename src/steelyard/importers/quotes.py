"""Prices and rates of all that is owned, into a market, and what looks wrong in them.

A price is the price file's where that has the newest session, else the holdings file's.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from types import MappingProxyType

import numpy as np

from steelyard.arrays import FloatArray
from steelyard.canonical import plain
from steelyard.errors import InputError, PlanRefused, SteelyardError, did_you_mean
from steelyard.importers.files import Files
from steelyard.importers.fx import FxFile
from steelyard.importers.prices import PriceTable
from steelyard.market import Market, Quote
from steelyard.money import ZERO, FxRate, FxTable
from steelyard.notices import Notice
from steelyard.portfolio import Holding, Security

MAX_PRICE_DIFFERENCE = Decimal("0.02")
"""Prices of the two files that differ by more, as a fraction of the price file's, are a warning."""
MOST_CHANGE = 1.8
"""Factor between two closes, either way, over which the newer one looks like an unadjusted split,
the least common of which halves a price, or like a slip; shares of large companies have risen by
half in a day.
"""
MOST_BETWEEN = 5
"""Sessions between two closes that still count as one change."""
LISTED = 5
"""How many symbols a message lists."""


def quotes_of(
    files: Files,
    holdings: Sequence[Holding],
    securities: Sequence[Security],
    day: date,
    reasons: list[SteelyardError],
) -> tuple[dict[str, Quote], list[Notice]]:
    """Newest prices by symbol; a holding without one is a reason to refuse."""
    prices, notices = files.prices, list[Notice]()
    newest = prices.dates[prices.until(day) - 1].astype(object) if prices else None
    quotes: dict[str, Quote] = {}
    for security in securities:
        quote = prices.quote(security.symbol, day) if prices else None
        if quote is not None:
            quotes[security.symbol] = quote
    for holding in holdings:
        quote = quotes.get(holding.symbol)
        if holding.price is None:
            if quote is None:
                reasons.append(_no_price(holding.symbol, files, day))
        elif quote is None or quote.on != newest:
            quotes[holding.symbol] = Quote(holding.symbol, holding.price, day)
            notices += _from_holdings(holding.symbol, holding.price, files, quote)
        elif abs(holding.price - quote.price) > MAX_PRICE_DIFFERENCE * quote.price:
            notices.append(_differs(holding.symbol, holding.price, files.holdings.file, quote))
    return quotes, notices


def _no_price(symbol: str, files: Files, day: date) -> PlanRefused:
    leave = f"or leave it out with --exclude {symbol}."
    if files.prices is None:
        missing = f"{symbol} is held and {files.holdings.file} gives no price for it"
        return PlanRefused(f"{missing}. Give a price file, or a price in its row, {leave}")
    near = did_you_mean(symbol, [name for name in files.prices.symbols if name != symbol])
    missing = f"{symbol} is held and {files.prices.file} has no price of it at or before {day}"
    unknown = "so the value of the account is unknown"
    return PlanRefused(f"{missing}, {unknown}.{near} Add a price, {leave}")


def _from_holdings(symbol: str, price: Decimal, files: Files, quote: Quote | None) -> list[Notice]:
    """Say when a price file is given and the holdings file's price is used all the same."""
    if files.prices is None:
        return []
    there = "it has none"
    if quote:
        there = f"its last price there, {plain(quote.price)}, is of {quote.on}"
    valued = f"{symbol} is valued at {plain(price)} as {files.holdings.file} says"
    message = f"{valued}; {files.prices.file} has no newest price: {there}."
    return [Notice(code="price_from_holdings", message=message, symbol=symbol)]


def _differs(symbol: str, price: Decimal, file: str, quote: Quote) -> Notice:
    away = abs(price / quote.price - 1)
    by_prices = f"{symbol} costs {plain(quote.price)} on {quote.on} by the price file"
    by_holdings = f"{plain(price)} by {file}, {away:.1%} apart"
    message = f"{by_prices} and {by_holdings}; the price file was used."
    return Notice(code="price_differs", message=message, symbol=symbol)


def slips(
    prices: PriceTable | None, weights: Mapping[str, float], quotes: Mapping[str, Quote]
) -> Iterator[Notice]:
    """Warn of targets without a price that look like slips of symbols of the price file."""
    others = [symbol for symbol in prices.symbols if symbol not in quotes] if prices else []
    for symbol in sorted(weights):
        near = did_you_mean(symbol, others) if weights[symbol] and symbol not in quotes else ""
        if prices and near:
            message = f"{symbol} has a target, and {prices.file} has no price of it.{near}"
            yield Notice(code="unknown_target", message=message, symbol=symbol)


def needs(
    holdings: Sequence[Holding],
    securities: Sequence[Security],
    cash: Mapping[str, Decimal],
    base: str,
) -> dict[str, list[str]]:
    """Foreign currencies and what is owned in them; a balance of 0 needs no rate."""
    currencies = {security.symbol: security.currency for security in securities}
    owned = [(currencies[holding.symbol], holding.symbol) for holding in holdings]
    owned += [(currency, "cash") for currency, balance in cash.items() if balance]
    needed: dict[str, list[str]] = {}
    for currency, name in owned:
        if currency != base:
            needed.setdefault(currency, []).append(name)
    return needed


def rates_of(
    file: FxFile | None,
    base: str,
    currencies: Iterable[str],
    day: date,
    reasons: list[SteelyardError],
) -> FxTable:
    """Rates of the currencies into the base currency, up to the as-of date."""
    rates: dict[str, tuple[FxRate, ...]] = {}
    if file:
        foreign = sorted(set(currencies) - {base})
        rates = {currency: file.rates[currency] for currency in foreign if currency in file.rates}
        if base in file.rates:
            what = f"{file.file} has rates of {base}, the base currency itself"
            rule = f"a rate is units of {base} for one unit of another currency"
            which = "say which base they are of with --base (in Python base_currency)"
            reasons.append(InputError(f"{what}; {rule}. Give rates into that base, or {which}."))
    return FxTable(base, MappingProxyType(rates)).until(day)


def check_rates(
    needed: Mapping[str, Sequence[str]],
    fx: FxTable,
    file: FxFile | None,
    day: date,
    reasons: list[SteelyardError],
) -> None:
    """Owned in a currency without a rate: the value is unknown. The rest the planner may leave."""
    where = f"{file.file} has none at or before {day}" if file else "no file of rates was given"
    for currency in sorted(needed):
        if not fx.known(currency):
            by = _some(needed[currency])
            missing = f"There is no rate of {currency} into {fx.base}, needed by {by}: {where}"
            reasons.append(PlanRefused(f"{missing}. Give one with --fx."))


def balances_of(cash: Mapping[str, Decimal], base: str, fx: FxTable) -> Mapping[str, Decimal]:
    """Balances by currency, the base always among them; without foreign zeros of no rate."""
    rated = {name: balance for name, balance in cash.items() if balance or fx.known(name)}
    return MappingProxyType(dict(sorted({base: ZERO, **rated}.items())))


def market_of(
    prices: PriceTable | None,
    quotes: Mapping[str, Quote],
    day: date,
    fx: FxTable,
    *,
    adjusted: bool,
    source: str,
) -> Market:
    """Closes up to the as-of date of what is quoted; a holdings price is one close."""
    symbols = tuple(sorted(quotes))
    dates = prices.dates[: prices.until(day)] if prices else np.array([day], dtype="datetime64[D]")
    closes = np.full((len(dates), len(symbols)), np.nan)
    for k, symbol in enumerate(symbols):
        if prices and symbol in prices.columns:
            closes[:, k] = prices.closes[: len(dates), prices.columns[symbol]]
        else:
            closes[-1, k] = float(quotes[symbol].price)
    closes.setflags(write=False)
    return Market(
        symbols=symbols,
        dates=dates,
        closes=closes,
        quotes=MappingProxyType({symbol: quotes[symbol] for symbol in symbols}),
        fx=fx,
        adjusted=adjusted,
        source=source,
    )


def jumps(market: Market) -> list[Notice]:
    """Warn of closes far from the ones before them, the largest change of each security."""
    columns = zip(market.symbols, market.closes.T, strict=True)
    largest = sorted(jump for column in columns for jump in _jumps(*column, market))
    first, rest = largest[:LISTED], largest[LISTED:]
    notices = [Notice(code="price_jump", message=why, symbol=symbol) for _, symbol, why in first]
    if rest:
        message = f"Prices jump like this in {_some([symbol for _, symbol, _ in rest])} too."
        notices.append(Notice(code="price_jump", message=message))
    return notices


def _jumps(symbol: str, closes: FloatArray, market: Market) -> Iterator[tuple[float, str, str]]:
    """(minus its size, symbol, sentence) of the largest jump in `closes` (T,), if there is any."""
    priced = np.flatnonzero(~np.isnan(closes))
    changes = np.log(closes[priced[1:]] / closes[priced[:-1]])
    sizes = np.abs(changes) * (np.diff(priced) <= MOST_BETWEEN)
    count = int((sizes > math.log(MOST_CHANGE)).sum())
    if count:
        k = int(np.argmax(sizes))
        before, after = priced[k], priced[k + 1]
        more = f" ({count - 1} more like it)" if count > 1 else ""
        message = (
            f"{symbol} goes from {closes[before]:g} on {market.dates[before]} to {closes[after]:g} "
            f"on {market.dates[after]}, {math.exp(changes[k]):.3g} times as much{more}: an "
            "unadjusted split or a wrong price would spoil return and risk estimates."
        )
        yield -float(sizes[k]), symbol, message


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more
