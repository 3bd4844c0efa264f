"""All files to what `plan` takes: one date, one base currency, a price and a rate for all owned.

1. the as-of date: given, else the newest of the price file, else the caller's today
2. rejected lines of every file, and dates after the as-of date: all listed, nothing is planned
3. the base currency: given, else the one of the cash, else the one of the files, else USD
4. every security that is held, targeted or listed, with its currency
5. quotes: the price file where it has the newest session, else the holdings file; rates
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Literal

from steelyard.canonical import plain
from steelyard.errors import (
    InputError,
    PlanRefused,
    RejectedRow,
    RowsRejected,
    SteelyardError,
    did_you_mean,
)
from steelyard.importers import values
from steelyard.importers.files import Files
from steelyard.importers.holdings import HoldingsFile
from steelyard.importers.index import index_until
from steelyard.importers.prices import PriceTable
from steelyard.importers.quotes import (
    balances_of,
    check_rates,
    jumps,
    market_of,
    needs,
    quotes_of,
    rates_of,
    slips,
)
from steelyard.importers.targets import TargetsFile
from steelyard.market import Market
from steelyard.notices import Notice
from steelyard.portfolio import Holding, Security, Snapshot
from steelyard.targets import Targets

NO_CASH: Mapping[str, Decimal] = {}
DEFAULT_CURRENCY = "USD"
DEFAULT_BUCKET = "core"


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
    holdings = tuple(row for row in files.holdings.holdings if row.symbol not in excluded)
    weights = dict(files.targets.weights) if files.targets else {}
    weights = {symbol: weight for symbol, weight in weights.items() if symbol not in excluded}
    reasons: list[SteelyardError] = []
    securities = tuple(_securities(files, holdings, weights, excluded, base, reasons))
    quotes, notices = quotes_of(files, holdings, securities, day, reasons)
    currencies = {*balances, *(security.currency for security in securities)}
    fx = rates_of(files.fx, base, currencies, day, reasons)
    check_rates(needs(holdings, securities, balances, base), fx, files.fx, day, reasons)
    targets = _targets(files.targets, weights, reasons)
    _refuse(reasons)
    snapshot = Snapshot(
        as_of=day,
        base_currency=base,
        holdings=holdings,
        cash=balances_of(balances, base, fx),
        securities=securities,
        bucket=files.holdings.bucket or bucket,
        excluded=excluded,
    )
    source = source or (files.prices or files.holdings).file
    market = market_of(files.prices, quotes, day, fx, adjusted=adjusted, source=source)
    if files.index:
        market = replace(market, index=index_until(files.index, day))
    warnings = [
        *(notice for file in files.given for notice in file.warnings),
        *notices,
        *slips(files.prices, weights, quotes),
        *jumps(market),
        *_excluded_targets(files, excluded),
    ]
    return Inputs(
        snapshot=snapshot,
        market=market,
        targets=targets,
        warnings=tuple(warnings),
        as_of_from=as_of_from,
    )


def _listed(files: Files) -> dict[str, Security]:
    """The securities file by symbol."""
    listed = files.securities.securities if files.securities else ()
    return {security.symbol: security for security in listed}


def _excluded(files: Files, exclude: Sequence[str]) -> tuple[str, ...]:
    """The symbols to leave out, checked: a slip would leave in what the owner wants out."""
    symbols = sorted({text.strip().upper() for text in exclude})
    if any(file.rejected for file in files.given):
        return tuple(symbols)
    targeted = files.targets.weights if files.targets else {}
    named = {holding.symbol for holding in files.holdings.holdings} | {*targeted, *_listed(files)}
    for symbol in symbols:
        if symbol not in named:
            near = did_you_mean(symbol, sorted(named))
            unknown = f"{values.shown(symbol)} cannot be excluded: it is neither held, targeted nor"
            raise InputError(f"{unknown} listed.{near} {values.NOTHING}")
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
                f"{first} to {last}. {values.NOTHING} Choose a date between them or give other "
                "prices."
            )
    if as_of is not None:
        return as_of, "argument"
    if prices is not None:  # all its lines were rejected, and that is what the caller hears next
        return date.max, "prices"
    if today is None:
        neither = "There is neither a price file nor an as-of date."
        raise InputError(f"{neither} {values.NOTHING} Give one of them.")
    return today, "today"


def _cash(holdings: HoldingsFile, arguments: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Balances of the file and of the arguments; they may repeat but not contradict each other."""
    for currency, balance in arguments.items():
        other = holdings.cash.get(currency, balance)
        if other != balance:
            raise InputError(
                f"The cash in {currency} is {plain(balance)} by the argument and {plain(other)} in "
                f"{holdings.file}. {values.NOTHING} Keep one of them."
            )
    return {**holdings.cash, **arguments}


def _reject(files: Files, day: date) -> None:
    """Raise for every line of any file that cannot be used, and for dates after the as-of date."""
    rows = [row for file in files.given for row in file.rejected]
    if not (files.prices and files.prices.rejected):  # else the as-of date is not known
        for dated in files.holdings.dates:
            if dated.on > day:
                why = f"{dated.column} {dated.on} is after the as-of date {day}"
                rows.append(RejectedRow(files.holdings.file, dated.line, why))
    if rows:
        raise RowsRejected(rows)


def _base_currency(files: Files, cash: Mapping[str, Decimal], argument: str | None) -> str:
    """The argument, else the one currency of the cash, else of the files, else USD."""
    if argument is not None:
        try:
            return values.currency(argument.strip(), "base currency")
        except values.BadCell as error:
            raise InputError(f"The {error}. {values.NOTHING}") from error
    named = {security.currency for security in _listed(files).values() if security.currency}
    named |= set(files.holdings.currencies.values())
    for where, currencies in (("cash is", set(cash)), ("securities are", named)):
        if len(currencies) > 1:
            raise InputError(
                f"The {where} in {', '.join(sorted(currencies))}. {values.NOTHING} Say in which "
                f"the account counts: --base {min(currencies)} (in Python base_currency)."
            )
        if currencies:
            return currencies.pop()
    return DEFAULT_CURRENCY


def _securities(
    files: Files,
    holdings: Sequence[Holding],
    weights: Mapping[str, float],
    excluded: Sequence[str],
    base: str,
    reasons: list[SteelyardError],
) -> Iterator[Security]:
    """Everything held, targeted or listed; what no file describes is quoted in the base."""
    listed = _listed(files)
    symbols = {holding.symbol for holding in holdings} | {*weights, *listed}
    for symbol in sorted(symbols - set(excluded)):
        security = listed.get(symbol) or Security(symbol, "")
        here = files.holdings.currencies.get(symbol, "")
        if here and security.currency and here != security.currency:
            there = f"in {security.currency} in {files.securities.file if files.securities else ''}"
            sentence = f"{symbol} is in {here} in {files.holdings.file} and {there}. Correct one."
            reasons.append(InputError(sentence))
        yield replace(security, currency=security.currency or here or base)


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
        head = f"The plan is refused for {len(reasons)} reasons. {values.NOTHING}"
        raise PlanRefused("\n".join([head, *map(str, reasons)]))
    if reasons and values.NOTHING not in str(reasons[0]):
        raise type(reasons[0])(f"{reasons[0]} {values.NOTHING}")
    if reasons:
        raise reasons[0]


def _excluded_targets(files: Files, excluded: Sequence[str]) -> Iterator[Notice]:
    """A target that is left out leaves its weight to cash: say so."""
    for symbol in excluded:
        weight = files.targets.weights.get(symbol, 0.0) if files.targets else 0.0
        if weight:
            what = f"The target of {symbol}, {weight:.1%}, is left out with it"
            message = f"{what}; the other weights stay as they are and its share is cash."
            yield Notice(code="excluded_target", message=message, symbol=symbol)
