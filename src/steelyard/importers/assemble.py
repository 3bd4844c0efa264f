"""All files to what `plan` takes: one date, one base currency, a price and a rate for all owned.

1. the as-of date: given, else the newest of the price file, else the day of the holdings file, else
   the caller's today; no date of any file is after today
2. rejected lines of every file, dates after the as-of date, rates that no currency ever came near:
   all listed, nothing is planned
3. the base currency: given, else the one of the cash, else the one of the files, else USD
4. every security that is held, targeted or listed, with its currency
5. quotes and rates, and what contradicts each other in them
6. targets that no file has a price of
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from steelyard.canonical import plain
from steelyard.errors import (
    InputError,
    RowsRejected,
    SeveralReasons,
    SteelyardError,
    did_you_mean,
)
from steelyard.importers import values
from steelyard.importers.as_of import AsOfFrom, expired, late, late_rates, old_view
from steelyard.importers.as_of import as_of as date_of
from steelyard.importers.book import HoldingsFile
from steelyard.importers.classes import unknown_classes
from steelyard.importers.closes import closes_of, judge_changes, market_of
from steelyard.importers.doubts import in_doubt, priced_funds
from steelyard.importers.files import Files, base_of
from steelyard.importers.flows import AskedFlow
from steelyard.importers.index import index_until
from steelyard.importers.owned_rates import balances_of, check_rates, needs, rates_of
from steelyard.importers.prices.jumps import jumps
from steelyard.importers.quotes import Findings, Pricing, minor_units, quotes_of, units_of
from steelyard.importers.rates import implausible
from steelyard.importers.targets import TargetsFile
from steelyard.importers.unpriced import unpriced_targets
from steelyard.market import Market
from steelyard.notices import Notice
from steelyard.portfolio import MULTIPLIERS, Holding, Security, Snapshot
from steelyard.targets import CASH, Targets

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
    as_of_from: AsOfFrom


def assemble(
    files: Files,
    *,
    cash: Mapping[str, Decimal] = NO_CASH,
    flows: Sequence[AskedFlow] = (),
    base_currency: str | None = None,
    as_of: date | None = None,
    exclude: Sequence[str] = (),
    accept_price: Sequence[str] = (),
    today: date | None = None,
    bucket: str = DEFAULT_BUCKET,
    adjusted: bool = True,
    source: str | None = None,
) -> Inputs:
    """What `plan` takes, from files and arguments.

    cash           balances beside those of the holdings file; one that both give must be equal
    flows          deposits and withdrawals
    exclude        symbols left out; each must be held, targeted or listed
    accept_price   symbols, and currencies, whose newest price is taken although another figure
                   contradicts it
    today          no date of any file may be after it; the as-of date when nothing else gives one
    bucket         unless the holdings file names one
    adjusted       do the closes contain dividends
    source         where the prices come from, for people; by default the name of the file
    Raises RowsRejected, InputError, or PlanRefused when something owned has no price or no rate,
    or one that is contradicted.
    """
    excluded = _excluded(files, exclude)
    day, as_of_from = date_of(files, as_of, today)
    balances = _cash(files.holdings, cash)
    base, assumed = _base_currency(files, balances, base_currency)
    _reject(files, day, today, base)
    holdings = tuple(row for row in files.holdings.holdings if row.symbol not in excluded)
    weights = dict(files.targets.weights) if files.targets else {}
    weights = {symbol: weight for symbol, weight in weights.items() if symbol not in excluded}
    findings = Findings()
    findings.reasons += expired(files.holdings, excluded, day)
    securities = tuple(_securities(files, holdings, weights, excluded, base, findings.reasons))
    symbols = [security.symbol for security in securities]
    pricing = Pricing(
        files=files,
        day=day,
        units=units_of(files, securities),
        accepted=_accepted(files, accept_price, symbols, {*balances, base}),
        matters={row.symbol for row in holdings if row.quantity} | {*weights},
    )
    quotes = quotes_of(pricing, holdings, symbols, findings)
    settling = files.holdings.settling
    amounts = [*balances.items(), *((row.currency, row.amount) for row in settling)]
    currencies = {*(name for name, _ in amounts), *(s.currency for s in securities)}
    currencies |= {flow.currency for flow in flows}
    fx = rates_of(files.fx, base, currencies, pricing, findings)
    needed = needs(holdings, securities, amounts, base)
    findings.reasons += check_rates(needed, fx, pricing, assumed=assumed)
    findings.reasons += [*priced_funds(pricing), *in_doubt(pricing, securities, quotes)]
    findings.reasons += [*unpriced_targets(files, weights, quotes), *unknown_classes(files)]
    targets = _targets(files.targets, weights, base, findings.reasons)
    table = closes_of(pricing, quotes)
    judge_changes(pricing, table, findings)
    _refuse(findings.reasons)
    findings.notices += minor_units(pricing, holdings, quotes)
    snapshot = Snapshot(
        as_of=day,
        base_currency=base,
        holdings=holdings,
        cash=balances_of(balances, base, fx),
        securities=securities,
        bucket=files.holdings.bucket or bucket,
        excluded=excluded,
        settling=settling,
        flows=tuple(flow.at(day) for flow in flows),
    )
    source = source or (files.prices or files.holdings).file
    market = market_of(pricing, quotes, table, fx, findings, adjusted=adjusted, source=source)
    if files.index:
        market = replace(market, index=index_until(files.index, day))
    warnings = [
        *(notice for file in files.given for notice in file.warnings),
        *findings.notices,
        *jumps(market),
        *old_view(day, as_of_from, today),
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


def _named(files: Files) -> set[str]:
    """Every symbol that a file names: held, targeted or listed."""
    named = {holding.symbol for holding in files.holdings.holdings} | {*_listed(files)}
    return named | {*(files.targets.weights if files.targets else {})}


def _excluded(files: Files, exclude: Sequence[str]) -> tuple[str, ...]:
    """The symbols to leave out, checked: a slip would leave in what the owner wants out."""
    symbols = sorted({files.spellings.symbol(text.strip().upper()) for text in exclude})
    if any(file.rejected for file in files.given):
        return tuple(symbols)
    named = _named(files)
    for symbol in symbols:
        if symbol not in named and values.normal(symbol) not in files.holdings.passed:
            raise _unknown(symbol, "cannot be excluded", named, "exclude")
    return tuple(symbols)


def _accepted(
    files: Files, accept_price: Sequence[str], symbols: Sequence[str], currencies: set[str]
) -> frozenset[str]:
    """The symbols and currencies whose newest figure is taken as it is, checked."""
    accepted = {files.spellings.symbol(text.strip().upper()) for text in accept_price}
    rated = set(files.fx.rates) if files.fx else set()
    for symbol in sorted(accepted - {*symbols} - currencies - rated):
        raise _unknown(symbol, "has no price to accept", symbols, "accept-price")
    return frozenset(accepted)


def _unknown(symbol: str, what: str, named: Iterable[str], option: str) -> InputError:
    """A symbol of an option that no file names."""
    near = did_you_mean(symbol, sorted(named))
    return InputError(
        f"{values.shown(symbol)} {what}: it is neither held, targeted nor listed.{near} "
        f"{values.NOTHING}",
        code="unknown_symbol",
        place=f"--{option}",
        value=symbol,
        hint=near.strip(),
    )


def _cash(holdings: HoldingsFile, arguments: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Balances of the file and of the arguments; they may repeat but not contradict each other."""
    for currency, balance in arguments.items():
        other = holdings.cash.get(currency, balance)
        if other != balance:
            raise InputError(
                f"The cash in {currency} is {plain(other)} in {holdings.file} and {plain(balance)} "
                f"by --cash or [cash]. {values.NOTHING} Keep one of them.",
                code="cash_twice",
                place=f"--cash {currency}",
                value=plain(balance),
                limit=plain(other),
                hint="keep one of them",
            )
    return {**holdings.cash, **arguments}


def _reject(files: Files, day: date, today: date | None, base: str) -> None:
    """Raise for every line of any file that cannot be used, and for dates that cannot be."""
    rows = [row for file in files.given for row in file.rejected]
    if not (files.prices and files.prices.rejected):  # else the as-of date is not known
        rows += late(files.holdings, day)
    if files.fx:
        rows += implausible(files.fx, base, day)
        rows += late_rates(files, today)
    if rows:
        raise RowsRejected(rows)


def _base_currency(
    files: Files, cash: Mapping[str, Decimal], argument: str | None
) -> tuple[str, bool]:
    """The argument, else the one currency of the account, the cash, the files, else USD.

    The second is true where nobody says so.
    """
    if argument is not None:
        return base_of(argument), False
    named = {security.currency for security in _listed(files).values() if security.currency}
    named |= set(files.holdings.currencies.values())
    balances = {currency for currency, balance in cash.items() if balance}
    balances |= {row.currency for row in files.holdings.settling}
    stated = {files.holdings.base} - {""}
    sources = (("account is", stated), ("cash is", balances), ("securities are", named))
    for where, currencies in sources:
        if len(currencies) > 1:
            raise InputError(
                f"The {where} in {', '.join(sorted(currencies))}. {values.NOTHING} Say in which "
                f"the account counts: --base {min(currencies)} (in Python base_currency).",
                code="several_base_currencies",
                place="--base",
                value=", ".join(sorted(currencies)),
                hint=f"say in which the account counts: --base {min(currencies)}",
            )
        if currencies:
            return currencies.pop(), not (stated or balances)
    return DEFAULT_CURRENCY, True


def _securities(
    files: Files,
    holdings: Sequence[Holding],
    weights: Mapping[str, float],
    excluded: Sequence[str],
    base: str,
    reasons: list[SteelyardError],
) -> Iterator[Security]:
    """Everything held, targeted or listed; what no file describes is quoted in the base."""
    listed, listings = _listed(files), files.holdings.listings
    symbols = {holding.symbol for holding in holdings} | {*weights, *listed}
    for symbol in sorted(symbols - set(excluded)):
        security = listed.get(symbol) or Security(symbol, "", product_type="")
        here = listings.get(symbol)
        currencies = _currencies(files, symbol, security.currency)
        names = {currency for currency, _ in currencies}
        if len(names) > 1:
            reasons.append(_two_currencies(symbol, currencies))
        if here:
            kind = security.product_type or here.product_type
            own = here.multiplier or MULTIPLIERS.get(kind, security.multiplier)
            written = files.securities is not None and symbol in files.securities.written
            security = replace(
                security,
                product_type=kind,
                multiplier=security.multiplier if written else own,
                name=security.name or here.name,
                isin=security.isin or here.isin,
            )
        yield replace(security, currency=currencies[0][0] if currencies else base)


def _currencies(files: Files, symbol: str, listed: str) -> list[tuple[str, str]]:
    """(currency, file) of every file that says in which currency a security is quoted."""
    here = files.holdings.listings.get(symbol)
    unit = files.prices.units.get(symbol, "") if files.prices else ""
    sources = [
        (here.currency if here else "", files.holdings.file),
        (listed, files.securities.file if files.securities else ""),
        (values.unit(unit).currency if unit else "", files.prices.file if files.prices else ""),
    ]
    return [(currency, file) for currency, file in sources if currency]


def _two_currencies(symbol: str, currencies: Sequence[tuple[str, str]]) -> InputError:
    both = " and ".join(f"in {currency} in {file}" for currency, file in currencies)
    return InputError(
        f"{symbol} is {both}. {values.NOTHING} Correct one.",
        code="securities_currency",
        place=symbol,
        value=currencies[-1][0],
        limit=currencies[0][0],
        hint="Correct one.",
    )


def _targets(
    file: TargetsFile | None, weights: Mapping[str, float], base: str, reasons: list[SteelyardError]
) -> Targets | None:
    """The weights as targets; None without a file.

    A class has no price, so its weight is that of a target which cannot be bought.
    """
    if file is None:
        return None
    if file.cash not in {"", base}:
        what = f"{file.file} has a target of cash in {file.cash}, and the account counts in {base}"
        hint = f"Write CASH or CASH:{base}: the cash target is of all cash"
        reasons.append(
            InputError(
                f"{what}. {values.NOTHING} {hint}.",
                code="cash_target",
                place=file.file,
                value=file.cash,
                limit=base,
                hint=hint,
            )
        )
    if file.refused:
        reasons.append(file.refused)
        return None
    return Targets(
        weights=MappingProxyType(dict(sorted(weights.items()))),
        bands=MappingProxyType(
            {name: band for name, band in file.bands.items() if name in {*weights, CASH}}
        ),
        classes=file.classes,
        class_bands=file.class_bands,
        dimension=file.dimension,
    )


def _refuse(reasons: Sequence[SteelyardError]) -> None:
    """Raise the one reason, or all of them together."""
    if len(reasons) > 1:
        raise SeveralReasons(reasons, values.NOTHING)
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
