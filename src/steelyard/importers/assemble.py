"""All files to what `plan` takes: one as-of date, one base currency, a price and a rate for
everything owned.

1. the as-of date: given, else the newest of the price file, else the caller's today; nothing after
   it goes on
2. rejected lines of every file, and dates after the as-of date: all listed, nothing is planned
3. the base currency: given, else the one currency of the cash, else the one that the files name,
   else USD
4. every security that is held, targeted or listed, with its currency
5. quotes: the price file where it has the newest session, else the holdings file; rates for every
   currency
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import numpy as np

from steelyard.canonical import plain
from steelyard.errors import (
    InputError,
    PlanRefused,
    RejectedRow,
    RowsRejected,
    SteelyardError,
    did_you_mean,
)
from steelyard.importers import reading
from steelyard.importers.fx import FxFile, read_fx
from steelyard.importers.holdings import HoldingsFile, read_holdings
from steelyard.importers.index import index_until, read_index
from steelyard.importers.prices import PriceTable, read_prices
from steelyard.importers.securities import SecuritiesFile, read_securities
from steelyard.importers.targets import TargetsFile, read_targets
from steelyard.market import Market, Quote
from steelyard.money import ZERO, FxRate, FxTable
from steelyard.notices import Notice
from steelyard.portfolio import Holding, Security, Snapshot
from steelyard.targets import Targets

NO_CASH: Mapping[str, Decimal] = MappingProxyType({})
DEFAULT_CURRENCY = "USD"
DEFAULT_BUCKET = "core"
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


@dataclass(frozen=True, kw_only=True)
class Files:
    """What was read; a file that was not given is None."""

    holdings: HoldingsFile
    prices: PriceTable | None = None
    targets: TargetsFile | None = None
    securities: SecuritiesFile | None = None
    fx: FxFile | None = None
    index: PriceTable | None = None

    @property
    def given(
        self,
    ) -> tuple[HoldingsFile | PriceTable | TargetsFile | SecuritiesFile | FxFile, ...]:
        """The files that were given."""
        files = (self.holdings, self.prices, self.targets, self.securities, self.fx, self.index)
        return tuple(file for file in files if file is not None)


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What `plan` takes.

    targets     None when no file was given
    warnings    for people: same plan, worth knowing
    as_of_from  where the as-of date comes from
    """

    snapshot: Snapshot
    market: Market
    targets: Targets | None
    warnings: tuple[Notice, ...]
    as_of_from: Literal["argument", "prices", "today"]


def read(
    holdings: Path,
    *,
    prices: Path | None = None,
    targets: Path | None = None,
    securities: Path | None = None,
    fx: Path | None = None,
    index: Path | None = None,
) -> Files:
    """Read every file that is given.

    Raises InputError for a file that cannot be read at all; single lines are rejected by
    `assemble`.
    """
    return Files(
        holdings=read_holdings(holdings),
        prices=read_prices(prices) if prices else None,
        targets=read_targets(targets) if targets else None,
        securities=read_securities(securities) if securities else None,
        fx=read_fx(fx) if fx else None,
        index=read_index(index) if index else None,
    )


def parse_cash(texts: Iterable[str]) -> dict[str, Decimal]:
    """Balances of `USD=1200` arguments.

    Raises InputError for one that is not of this form and for a currency given twice.
    """
    cash: dict[str, Decimal] = {}
    for text in texts:
        name, equals, balance = text.partition("=")
        try:
            currency = reading.currency(name.strip(), "currency")
            if not equals:
                raise reading.BadCell("the amount is missing")
            if currency in cash:
                raise reading.BadCell(f"{currency} is given twice")
            cash[currency] = reading.amount(balance.strip(), "amount")
        except reading.BadCell as error:
            raise InputError(
                f"The cash {reading.shown(text)} is not usable: {error}. {reading.NOTHING} Write "
                "USD=1200."
            ) from error
    return cash


def assemble(
    files: Files,
    *,
    cash: Mapping[str, Decimal] = NO_CASH,
    base_currency: str | None = None,
    as_of: date | None = None,
    exclude: Sequence[str] = (),
    today: date | None = None,
    bucket: str = DEFAULT_BUCKET,
    adjusted: bool = True,
    source: str | None = None,
) -> Inputs:
    """What `plan` takes, from files and arguments.

    cash      balances beside those of the holdings file; one that both give must be equal
    exclude   symbols left out; each must be held, targeted or listed
    today     as-of date when neither an argument nor a price file gives one
    bucket    unless the holdings file names one
    adjusted  do the closes contain dividends
    source    where the prices come from, for people; by default the name of the file
    Raises RowsRejected, InputError, or PlanRefused when something owned has no price or no rate.
    """
    excluded = _excluded(files, exclude)
    day, as_of_from = _as_of(files.prices, as_of, today)
    balances = _cash(files.holdings, cash)
    _reject(files, day)
    base = _base_currency(files, balances, base_currency)
    held = tuple(holding for holding in files.holdings.holdings if holding.symbol not in excluded)
    weights = (
        {
            symbol: weight
            for symbol, weight in files.targets.weights.items()
            if symbol not in excluded
        }
        if files.targets
        else {}
    )
    reasons: list[SteelyardError] = []
    securities = tuple(_securities(files, held, weights, excluded, base, reasons))
    quotes, notices = _quotes(files, held, securities, day, reasons)
    fx = _fx(
        files.fx, base, {*balances, *(security.currency for security in securities)}, day, reasons
    )
    _check_rates(_needs(held, securities, balances, base), fx, files.fx, day, reasons)
    targets = _targets(files.targets, weights, reasons)
    _refuse(reasons)
    snapshot = Snapshot(
        as_of=day,
        base_currency=base,
        holdings=held,
        cash=_balances(balances, base, fx),
        securities=securities,
        bucket=files.holdings.bucket or bucket,
        excluded=excluded,
    )
    market = _market(files.prices, quotes, day, fx, adjusted, source or _source(files))
    notices += [*_slips(files.prices, weights, quotes), *_jumps(market)]
    if files.index:
        market = replace(market, index=index_until(files.index, day))
    warnings = (
        [notice for file in files.given for notice in file.warnings]
        + notices
        + list(_excluded_targets(files, excluded))
    )
    return Inputs(
        snapshot=snapshot,
        market=market,
        targets=targets,
        warnings=tuple(warnings),
        as_of_from=as_of_from,
    )


def _excluded(files: Files, exclude: Sequence[str]) -> tuple[str, ...]:
    """The symbols to leave out, checked: a slip would leave in what the owner wants out."""
    known = {holding.symbol for holding in files.holdings.holdings}
    known |= set(files.targets.weights) if files.targets else set()
    known |= (
        {security.symbol for security in files.securities.securities} if files.securities else set()
    )
    symbols = sorted({text.strip().upper() for text in exclude})
    for symbol in symbols:
        if symbol not in known and not any(file.rejected for file in files.given):
            near = did_you_mean(symbol, sorted(known))
            unknown = (
                f"{reading.shown(symbol)} cannot be excluded: it is neither held, targeted nor "
                "listed."
            )
            raise InputError(f"{unknown}{near} {reading.NOTHING}")
    return tuple(symbols)


def _as_of(
    prices: PriceTable | None, as_of: date | None, today: date | None
) -> tuple[date, Literal["argument", "prices", "today"]]:
    """The as-of date; inside the price data where there are any."""
    if prices is not None and len(prices.dates):
        first, last = prices.dates[0].astype(object), prices.dates[-1].astype(object)
        if as_of is None:
            return last, "prices"
        if not first <= as_of <= last:
            raise InputError(
                f"The as-of date {as_of} is outside the prices of {prices.file}, which run from "
                f"{first} to {last}. {reading.NOTHING} Choose a date between them or give other "
                "prices."
            )
        return as_of, "argument"
    if as_of is not None:
        return as_of, "argument"
    if prices is not None:  # all its lines were rejected, and that is what the caller hears next
        return date.max, "prices"
    if today is None:
        raise InputError(
            f"There is neither a price file nor an as-of date. {reading.NOTHING} Give one of them."
        )
    return today, "today"


def _cash(holdings: HoldingsFile, given: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Balances of the file and of the arguments; they may repeat but not contradict each other."""
    for currency, balance in given.items():
        if holdings.cash.get(currency, balance) != balance:
            raise InputError(
                f"The cash in {currency} is {plain(balance)} by the argument and "
                f"{plain(holdings.cash[currency])} in {holdings.file}. {reading.NOTHING} Keep one "
                "of them."
            )
    return {**holdings.cash, **given}


def _reject(files: Files, day: date) -> None:
    """Raise for every line that cannot be used, over all files, and for what happens after the
    as-of date.
    """
    rows = [row for file in files.given for row in file.rejected]
    if not (files.prices and files.prices.rejected):  # else the as-of date is not known
        rows += [
            RejectedRow(
                files.holdings.file,
                dated.line,
                f"{dated.column} {dated.on} is after the as-of date {day}",
            )
            for dated in files.holdings.dates
            if dated.on > day
        ]
    if rows:
        raise RowsRejected(rows)


def _base_currency(files: Files, cash: Mapping[str, Decimal], given: str | None) -> str:
    """Given, else the one currency of the cash, else the one that the files name, else USD."""
    if given is not None:
        try:
            return reading.currency(given.strip(), "base currency")
        except reading.BadCell as error:
            raise InputError(f"The {error}. {reading.NOTHING}") from error
    named = set(files.holdings.currencies.values())
    named |= (
        {security.currency for security in files.securities.securities if security.currency}
        if files.securities
        else set()
    )
    for where, found in (("cash is", set(cash)), ("securities are", named)):
        if len(found) > 1:
            raise InputError(
                f"The {where} in {', '.join(sorted(found))}. {reading.NOTHING} "
                f"Say in which the account counts: --base {min(found)} (in Python base_currency)."
            )
        if found:
            return found.pop()
    return DEFAULT_CURRENCY


def _securities(
    files: Files,
    held: Sequence[Holding],
    weights: Mapping[str, float],
    excluded: Sequence[str],
    base: str,
    reasons: list[SteelyardError],
) -> Iterator[Security]:
    """Everything held, targeted or listed, by symbol; what no file describes is quoted in the base
    currency.
    """
    listed = (
        {security.symbol: security for security in files.securities.securities}
        if files.securities
        else {}
    )
    symbols = {holding.symbol for holding in held} | set(weights) | set(listed)
    for symbol in sorted(symbols - set(excluded)):
        security = listed.get(symbol) or Security(symbol, "")
        here = files.holdings.currencies.get(symbol, "")
        if here and security.currency and here != security.currency:
            there = files.securities.file if files.securities else ""
            reasons.append(
                InputError(
                    f"{symbol} is in {here} in {files.holdings.file} and in {security.currency} in "
                    f"{there}. Correct one."
                )
            )
        yield replace(security, currency=security.currency or here or base)


def _quotes(
    files: Files,
    held: Sequence[Holding],
    securities: Sequence[Security],
    day: date,
    reasons: list[SteelyardError],
) -> tuple[dict[str, Quote], list[Notice]]:
    """Newest prices by symbol; a holding without one is a reason to refuse."""
    prices, notices = files.prices, list[Notice]()
    found = (
        {security.symbol: prices.quote(security.symbol, day) for security in securities}
        if prices
        else {}
    )
    quotes = {symbol: quote for symbol, quote in found.items() if quote is not None}
    newest = prices.dates[prices.until(day) - 1].astype(object) if prices else None
    for holding in held:
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
    if files.prices is None:
        missing = f"{symbol} is held and {files.holdings.file} gives no price for it"
        return PlanRefused(
            f"{missing}. Give a price file, or a price in its row, or leave it out with --exclude "
            f"{symbol}."
        )
    near = did_you_mean(symbol, [name for name in files.prices.symbols if name != symbol])
    missing = f"{symbol} is held and {files.prices.file} has no price of it at or before {day}"
    return PlanRefused(
        f"{missing}, so the value of the account is unknown.{near} Add a price, or leave it out "
        f"with --exclude {symbol}."
    )


def _slips(
    prices: PriceTable | None, weights: Mapping[str, float], quotes: Mapping[str, Quote]
) -> Iterator[Notice]:
    """Warn of targets without a price that look like a slip of a symbol that only the price file
    knows.
    """
    others = [symbol for symbol in prices.symbols if symbol not in quotes] if prices else []
    for symbol in sorted(weights):
        near = did_you_mean(symbol, others) if weights[symbol] and symbol not in quotes else ""
        if prices and near:
            yield Notice(
                code="unknown_target",
                message=f"{symbol} has a target, and {prices.file} has no price of it.{near}",
                symbol=symbol,
            )


def _from_holdings(symbol: str, price: Decimal, files: Files, quote: Quote | None) -> list[Notice]:
    """Say when a price file is given and the holdings file's price is used all the same."""
    if files.prices is None:
        return []
    there = (
        f"its last price there, {plain(quote.price)}, is of {quote.on}" if quote else "it has none"
    )
    message = (
        f"{symbol} is valued at {plain(price)} as {files.holdings.file} says; {files.prices.file} "
        f"has no newest price: {there}."
    )
    return [Notice(code="price_from_holdings", message=message, symbol=symbol)]


def _differs(symbol: str, price: Decimal, file: str, quote: Quote) -> Notice:
    away = abs(price / quote.price - 1)
    message = (
        f"{symbol} costs {plain(quote.price)} on {quote.on} by the price file and {plain(price)} by"
        f" {file}, {away:.1%} apart; the price file was used."
    )
    return Notice(code="price_differs", message=message, symbol=symbol)


def _needs(
    held: Sequence[Holding], securities: Sequence[Security], cash: Mapping[str, Decimal], base: str
) -> dict[str, list[str]]:
    """Foreign currencies and what is owned in them; a balance of 0 needs no rate."""
    currencies = {security.symbol: security.currency for security in securities}
    needs: dict[str, list[str]] = {}
    for holding in held:
        needs.setdefault(currencies[holding.symbol], []).append(holding.symbol)
    for currency, balance in cash.items():
        if balance:
            needs.setdefault(currency, []).append("cash")
    needs.pop(base, None)
    return needs


def _fx(
    file: FxFile | None, base: str, wanted: Iterable[str], day: date, reasons: list[SteelyardError]
) -> FxTable:
    """Rates into the base currency up to the as-of date, of the wanted currencies."""
    if file and base in file.rates:
        reasons.append(
            InputError(
                f"{file.file} has rates of {base}, the base currency itself; a rate is units of "
                f"{base} for one unit of another currency. Give rates into that base, or say which "
                "base they are of with --base (in Python base_currency)."
            )
        )
    rates: dict[str, tuple[FxRate, ...]] = {}
    if file:
        rates = {
            currency: file.rates[currency]
            for currency in sorted(set(wanted) - {base})
            if currency in file.rates
        }
    return FxTable(base, MappingProxyType(rates)).until(day)


def _check_rates(
    needs: Mapping[str, Sequence[str]],
    fx: FxTable,
    file: FxFile | None,
    day: date,
    reasons: list[SteelyardError],
) -> None:
    """What is owned in a currency without a rate makes the value unknown; what is not owned is the
    planner's to leave.
    """
    for currency in sorted(needs):
        if not fx.known(currency):
            where = (
                f"{file.file} has none at or before {day}" if file else "no file of rates was given"
            )
            missing = (
                f"There is no rate of {currency} into {fx.base}, needed by "
                f"{_listed(needs[currency])}: {where}"
            )
            reasons.append(PlanRefused(f"{missing}. Give one with --fx."))


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more


def _balances(cash: Mapping[str, Decimal], base: str, fx: FxTable) -> Mapping[str, Decimal]:
    """Balances by currency, the base currency always among them; empty foreign ones that have no
    rate are nothing.
    """
    kept = {
        currency: balance for currency, balance in cash.items() if balance or fx.known(currency)
    }
    return MappingProxyType(dict(sorted({base: ZERO, **kept}.items())))


def _targets(
    file: TargetsFile | None, weights: Mapping[str, float], reasons: list[SteelyardError]
) -> Targets | None:
    """The weights as targets; None without a file."""
    if file is None:
        return None
    try:
        return Targets(MappingProxyType(dict(sorted(weights.items()))))
    except InputError as error:
        reasons.append(error)
        return None


def _refuse(reasons: Sequence[SteelyardError]) -> None:
    """Raise the one reason, or all of them together."""
    if len(reasons) > 1:
        raise PlanRefused(
            "\n".join(
                [
                    f"The plan is refused for {len(reasons)} reasons. {reading.NOTHING}",
                    *map(str, reasons),
                ]
            )
        )
    if reasons and reading.NOTHING not in str(reasons[0]):
        raise type(reasons[0])(f"{reasons[0]} {reading.NOTHING}")
    if reasons:
        raise reasons[0]


def _market(
    prices: PriceTable | None,
    quotes: Mapping[str, Quote],
    day: date,
    fx: FxTable,
    adjusted: bool,
    source: str,
) -> Market:
    """Closes up to the as-of date of the symbols that have a quote; a price that only the holdings
    file has is one close.
    """
    symbols = tuple(sorted(quotes))
    dates = prices.dates[: prices.until(day)] if prices else np.array([day], dtype="datetime64[D]")
    closes = np.full((len(dates), len(symbols)), np.nan)
    for k, symbol in enumerate(symbols):
        if prices and symbol in prices.columns:
            closes[:, k] = prices.closes[: len(dates), prices.symbols.index(symbol)]
        else:
            closes[-1, k] = float(quotes[symbol].price)
    closes.setflags(write=False)
    quoted = MappingProxyType({symbol: quotes[symbol] for symbol in symbols})
    return Market(
        symbols=symbols,
        dates=dates,
        closes=closes,
        quotes=quoted,
        fx=fx,
        adjusted=adjusted,
        source=source,
    )


def _jumps(market: Market) -> list[Notice]:
    """Warn of closes far from the ones before them, the largest change of each security."""
    found: list[tuple[float, str, str]] = []
    for symbol, closes in zip(market.symbols, market.closes.T, strict=True):
        known = np.flatnonzero(~np.isnan(closes))
        changes = np.log(closes[known[1:]] / closes[known[:-1]])
        sizes = np.abs(changes) * (np.diff(known) <= MOST_BETWEEN)
        count = int((sizes > math.log(MOST_CHANGE)).sum())
        if count:
            k = int(np.argmax(sizes))
            before, after = known[k], known[k + 1]
            more = f" ({count - 1} more like it)" if count > 1 else ""
            factor = math.exp(changes[k])
            told = (
                f"{symbol} goes from {closes[before]:g} on {market.dates[before]} to "
                f"{closes[after]:g} on {market.dates[after]}, {factor:.3g} times as much{more}: an "
                "unadjusted split or a wrong price would spoil return and risk estimates."
            )
            found.append((-float(sizes[k]), symbol, told))
    notices = [
        Notice(code="price_jump", message=told, symbol=symbol)
        for _, symbol, told in sorted(found)[:LISTED]
    ]
    if len(found) > LISTED:
        notices.append(
            Notice(
                code="price_jump",
                message=(
                    "Prices jump like this in "
                    f"{_listed([symbol for _, symbol, _ in sorted(found)[LISTED:]])} too."
                ),
            )
        )
    return notices


def _source(files: Files) -> str:
    return files.prices.file if files.prices else files.holdings.file


def _excluded_targets(files: Files, excluded: Sequence[str]) -> Iterator[Notice]:
    """A target that is left out leaves its weight to cash: say so."""
    for symbol in excluded:
        weight = files.targets.weights.get(symbol, 0.0) if files.targets else 0.0
        if weight:
            message = (
                f"The target of {symbol}, {weight:.1%}, is left out with it; the other weights stay"
                " as they are and its share is cash."
            )
            yield Notice(code="excluded_target", message=message, symbol=symbol)
