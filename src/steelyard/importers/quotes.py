"""Prices and rates of all that is owned, into a market.

A price is the newest of the price file and the holdings file, the price file's where both are of
one day. What the two, or two closes, disagree on is judged in `disagreements.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from types import MappingProxyType

import numpy as np

from steelyard.ages import DateArray
from steelyard.arrays import FloatArray
from steelyard.canonical import plain
from steelyard.errors import InputError, PlanRefused, SteelyardError, did_you_mean
from steelyard.importers.book import HoldingsFile
from steelyard.importers.disagreements import (
    AGREED,
    MOST_APART_LATER,
    Change,
    Ruling,
    against_cost,
    jump,
    kept_out,
    two_sources,
    withheld,
)
from steelyard.importers.files import Files
from steelyard.importers.fx import FxFile
from steelyard.importers.prices import PriceTable, history
from steelyard.importers.rates import NEIGHBOURS, plausible, rate_jump, stated_rate
from steelyard.importers.values import MINOR_UNITS, NOTHING, Unit
from steelyard.market import Market, Quote
from steelyard.money import ZERO, FxRate, FxTable
from steelyard.notices import Drop, Notice
from steelyard.portfolio import MULTIPLIERS, Holding, Security

WITH_PENCE = frozenset(currency for currency, _ in MINOR_UNITS.values())
"""Currencies that are quoted in a minor unit somewhere."""
LEAST_PER_100 = Decimal(2)
"""A bond that is quoted per 100 costs more."""
IN_PENCE = (".L", ".JO", ".TA", ":LON", ":JSE", ":TLV")
"""How symbols of London, Johannesburg and Tel Aviv end."""
NEAR_ONE = Decimal("0.02")
"""By how much the price of a fund of the money market may differ from 1."""
LISTED = 5
"""How many symbols a message lists."""


@dataclass
class Findings:
    """What the judging of prices came to: reasons to refuse, what is said, what is kept out."""

    reasons: list[SteelyardError] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    withheld: dict[str, Drop] = field(default_factory=dict)

    def rule(self, ruling: Ruling) -> None:
        """Note a ruling."""
        if ruling.refused is not None:
            self.reasons.append(ruling.refused)
        if ruling.notice is not None:
            self.notices.append(ruling.notice)


@dataclass(frozen=True, kw_only=True)
class Pricing:
    """What a price is looked up by.

    units      symbol -> the unit in which the price file quotes it
    accepted   symbols and currencies whose newest figure the user takes as it is
    matters    symbols that are held or targeted: what is wrong with them refuses the plan
    """

    files: Files
    day: date
    units: Mapping[str, Unit]
    accepted: Container[str]
    matters: Container[str]

    @property
    def prices(self) -> PriceTable | None:
        """The price file."""
        return self.files.prices

    def listed(self, symbol: str, day: date) -> Quote | None:
        """The price file's newest at or before a day, in the security's currency."""
        quote = self.prices.quote(symbol, day) if self.prices else None
        if quote is None or self.prices is None:
            return None
        unit = self.units.get(symbol)
        price = quote.price if unit is None else unit.major(quote.price)
        source = self.prices.file
        return replace(quote, price=price, source=source, unit="" if unit is None else unit.minor)

    def owned(self, holding: Holding) -> Quote | None:
        """The holdings file's price, of the day that the file says, else of the as-of date."""
        if holding.price is None:
            return None
        file = self.files.holdings
        listing = file.listings[holding.symbol]
        on = listing.on or file.as_of or self.day
        return Quote(holding.symbol, holding.price, on, file.file, listing.unit)


def units_of(files: Files, securities: Iterable[Security]) -> dict[str, Unit]:
    """Symbol -> the unit of its closes: the price file's own, else the securities', the holdings'.

    A listing is quoted in one unit everywhere; where a file is not, its prices disagree by 100.
    """
    own = files.prices.units if files.prices else {}
    listed = files.securities.units if files.securities else {}
    named = (
        {security.symbol for security in files.securities.securities if security.currency}
        if (files.securities)
        else set()
    )
    units: dict[str, Unit] = {}
    for security in securities:
        symbol, code = security.symbol, ""
        if symbol in own:
            code = own[symbol]
        elif symbol in listed:
            code = listed[symbol].code
        elif symbol not in named and symbol in files.holdings.listings:
            code = files.holdings.listings[symbol].unit
        minor = MINOR_UNITS.get(code) or MINOR_UNITS.get(code.upper() if code.islower() else code)
        if minor is not None:
            units[symbol] = Unit(minor[0], code, minor[1])
    return units


def quotes_of(
    pricing: Pricing, holdings: Sequence[Holding], symbols: Iterable[str], findings: Findings
) -> dict[str, Quote]:
    """Newest prices by symbol; a holding without one is a reason to refuse."""
    day = pricing.day
    quotes = {s: quote for s in symbols if (quote := pricing.listed(s, day)) is not None}
    for holding in holdings:
        listed, owned = quotes.get(holding.symbol), pricing.owned(holding)
        if not holding.quantity:
            if listed is None and owned is not None:
                quotes[holding.symbol] = owned  # sold out, and perhaps to be bought again
            continue
        accepted = holding.symbol in pricing.accepted
        if owned is None:
            if listed is not None:
                findings.rule(_by_cost(pricing, holding, listed, accepted=accepted))
            elif not _needs_none(holding, pricing.files):
                findings.reasons.append(_no_price(holding.symbol, pricing.files, day))
        elif listed is None:
            quotes[holding.symbol] = owned
            findings.notices += _from_holdings(owned, pricing.files, None)
        elif listed.on >= owned.on:
            then = pricing.listed(holding.symbol, owned.on) or listed
            findings.rule(two_sources(then, owned, accepted=accepted))
        else:
            quotes[holding.symbol] = owned
            findings.rule(two_sources(owned, listed, accepted=accepted))
            findings.notices += _from_holdings(owned, pricing.files, listed)
    return quotes


def _by_cost(pricing: Pricing, holding: Holding, listed: Quote, *, accepted: bool) -> Ruling:
    """The only price there is against the cost, where pence are about."""
    currency = pricing.files.holdings.listings[holding.symbol].currency
    costs = [lot.unit_cost for lot in holding.lots if lot.unit_cost]
    if not costs or not (listed.unit or currency in WITH_PENCE):
        return AGREED
    return against_cost(listed, costs[-1], accepted=accepted)


def _needs_none(holding: Holding, files: Files) -> bool:
    """A future without a value of its own counts 0: its price is not its worth."""
    return files.holdings.listings[holding.symbol].product_type == "FUTURE"


def _no_price(symbol: str, files: Files, day: date) -> PlanRefused:
    leave = f"or leave it out with --exclude {symbol}."
    if files.prices is None:
        missing = f"{symbol} is held and {files.holdings.file} gives no price for it"
        hint = f"Give a price file, or a price in its row, {leave}"
        return PlanRefused(
            f"{missing}. {NOTHING} {hint}",
            code="no_price",
            place=f"{files.holdings.file}, {symbol}",
            hint=hint,
        )
    near = did_you_mean(symbol, [name for name in files.prices.named if name != symbol])
    missing = f"{symbol} is held and {files.prices.file} has no price of it at or before {day}"
    unknown = "so the value of the account is unknown"
    hint = f"Add a price, {leave}"
    return PlanRefused(
        f"{missing}, {unknown}.{near} {NOTHING} {hint}",
        code="no_price",
        place=f"{files.prices.file}, {symbol}",
        hint=f"{near.strip()} {hint}".strip(),
    )


def _from_holdings(owned: Quote, files: Files, listed: Quote | None) -> list[Notice]:
    """Say when a price file is given and the holdings file's price is used all the same."""
    if files.prices is None:
        return []
    there = "it has none"
    if listed:
        there = f"its last price there, {plain(listed.price)}, is of {listed.on}"
    valued = f"{owned.symbol} is valued at {plain(owned.price)} as {owned.source} says"
    message = f"{valued}; {files.prices.file} has no newest price: {there}."
    return [Notice(code="price_from_holdings", message=message, symbol=owned.symbol)]


def in_doubt(
    pricing: Pricing, securities: Iterable[Security], quotes: Mapping[str, Quote]
) -> Iterator[PlanRefused]:
    """What is held or targeted and whose price could be wrong by a hundred, as nothing says how it
    is quoted: a bond near 1, and a listing of an exchange that quotes in pence.
    """
    files = pricing.files
    for security in securities:
        symbol, quote = security.symbol, quotes.get(security.symbol)
        if quote is None or symbol not in pricing.matters:
            continue
        what = hint = ""
        if security.multiplier == MULTIPLIERS["BOND"] and quote.price < LEAST_PER_100:
            what = f"{symbol} is counted per 100 and costs {plain(quote.price)} by {quote.source}"
            hint = "If that is a fraction of par, say multiplier 1 in the securities file"
        elif symbol.endswith(IN_PENCE) and not _unit_named(files, symbol):
            what = f"No file says in which currency {symbol} is quoted, and its exchange has pence"
            hint = "Say its currency, GBp where it is quoted in pence, in the securities file"
        if what and symbol not in pricing.accepted:
            yield PlanRefused(
                f"{what}. {NOTHING} {hint} (--securities), or take the price as it is with "
                f"--accept-price {symbol}.",
                code="unit_in_doubt",
                place=f"{quote.source}, {symbol}",
                value=plain(quote.price),
                hint=hint,
            )


def _unit_named(files: Files, symbol: str) -> bool:
    """Does any file say in which currency a symbol is quoted?"""
    rows = files.securities.securities if files.securities else ()
    listing = files.holdings.listings.get(symbol)
    return bool(
        (listing and listing.currency)
        or any(row.symbol == symbol and row.currency for row in rows)
        or (files.prices and files.prices.units.get(symbol))
    )


def priced_funds(pricing: Pricing) -> Iterator[InputError]:
    """Funds that are read as cash at a price of 1, and cost something else by the price file."""
    file = pricing.files.holdings.file
    for symbol in pricing.files.holdings.funds:
        quote = pricing.listed(symbol, pricing.day)
        if quote is not None and abs(quote.price - 1) > NEAR_ONE:
            hint = "List it in the securities file (--securities) if it is a security"
            yield InputError(
                f"{symbol} of {file} is read as cash, at a price of 1, and costs "
                f"{plain(quote.price)} on {quote.on} by {quote.source}. {NOTHING} {hint}.",
                code="fund_with_price",
                place=f"{quote.source}, {symbol}",
                value=plain(quote.price),
                limit="1",
                hint=hint,
            )


def minor_units(
    pricing: Pricing, holdings: Sequence[Holding], quotes: Mapping[str, Quote]
) -> Iterator[Notice]:
    """Say once for each unit what was read in it, and by how much it was divided."""
    by_code: dict[str, list[str]] = {}
    listings = pricing.files.holdings.listings
    for holding in holdings:
        if listings[holding.symbol].unit:
            by_code.setdefault(listings[holding.symbol].unit, []).append(holding.symbol)
    for symbol, unit in pricing.units.items():
        if symbol in quotes and symbol not in by_code.get(unit.minor, []):
            by_code.setdefault(unit.minor, []).append(symbol)
    for code, symbols in sorted(by_code.items()):
        currency, parts = MINOR_UNITS.get(code) or MINOR_UNITS[code.upper()]
        message = (
            f"Prices in {code} are read as {currency}, divided by {parts}: {some(sorted(symbols))}."
        )
        yield Notice(code="minor_unit", message=message, head=True)


def needs(
    holdings: Sequence[Holding],
    securities: Sequence[Security],
    cash: Iterable[tuple[str, Decimal]],
    base: str,
) -> dict[str, list[str]]:
    """Foreign currencies and what is owned in them; a balance of 0 needs no rate."""
    currencies = {security.symbol: security.currency for security in securities}
    owned = [(currencies[h.symbol], h.symbol) for h in holdings if h.quantity]
    owned += [(currency, "cash") for currency, balance in cash if balance]
    needed: dict[str, list[str]] = {}
    for currency, name in owned:
        if currency != base:
            needed.setdefault(currency, []).append(name)
    return needed


def rates_of(
    file: FxFile | None, base: str, currencies: Iterable[str], pricing: Pricing, findings: Findings
) -> FxTable:
    """Rates of the currencies into the base currency, up to the as-of date.

    The file of rates where it has a currency, else what the holdings file values it by.
    """
    rates: dict[str, tuple[FxRate, ...]] = {}
    owned = pricing.files.holdings
    for currency in sorted(set(currencies) - {base}):
        if file and currency in file.rates:
            rates[currency] = file.rates[currency]
            refused = rate_jump(rates[currency], pricing.day, pricing.accepted)
            findings.reasons += [refused] if refused else []
        elif owned.base in {base, ""} and currency in owned.rates:
            rate = FxRate(currency, owned.rates[currency], owned.as_of or pricing.day)
            rates[currency] = (rate,)
            message = f"{owned.file} values {currency} at {plain(rate.rate)} {base}: that was used."
            findings.notices.append(Notice(code="rate_from_holdings", message=message, head=True))
            refused = stated_rate(rate, base, owned.file)
            findings.reasons += [refused] if refused else []
    findings.reasons += _other_base(owned, base)
    for ruling in _unchecked(rates, base, pricing):
        findings.rule(ruling)
    if file and base in file.rates:
        findings.reasons.append(_base_rated(file, base))
    return FxTable(base, MappingProxyType(rates)).until(pricing.day)


def _other_base(owned: HoldingsFile, base: str) -> Iterator[InputError]:
    """A file that values the base currency at anything but 1 counts in another."""
    rate = owned.rates.get(base, Decimal(1))
    if abs(rate - 1) > NEAR_ONE:
        hint = "Say in which currency the account counts: --base"
        yield InputError(
            f"{owned.file} values one {base} at {plain(rate)} of its own currency, so it does not "
            f"count in {base}. {NOTHING} {hint}.",
            code="other_base",
            place="--base",
            value=base,
            hint=hint,
        )


def _unchecked(
    rates: Mapping[str, Sequence[FxRate]], base: str, pricing: Pricing
) -> Iterator[Ruling]:
    """Rates of which no range is known: whether they are the right way round cannot be told."""
    for currency, dated in sorted(rates.items()):
        newest = next((rate for rate in reversed(dated) if rate.on <= pricing.day), None)
        if newest is None or plausible(currency, base, newest.on.year) is not None:
            continue
        figure = f"One {currency} is counted as {plain(newest.rate)} {base}"
        if currency in pricing.accepted:
            message = f"{figure}; the rate was accepted."
            yield Ruling(notice=Notice(code="accepted_price", message=message, head=True))
            continue
        hint = f"If it is right and not upside down, say so with --accept-price {currency}"
        yield Ruling(
            PlanRefused(
                f"{figure}, and nothing here knows what is usual for {currency}. {NOTHING} {hint}.",
                code="rate_unchecked",
                place=currency,
                value=plain(newest.rate),
                hint=hint,
            )
        )


def _base_rated(file: FxFile, base: str) -> InputError:
    what = f"{file.file} has rates of {base}, the base currency itself"
    rule = f"a rate is units of {base} for one unit of another currency"
    hint = "Give rates into that base, or say which base they are of with --base"
    return InputError(
        f"{what}; {rule}. {NOTHING} {hint} (in Python base_currency).",
        code="base_rated",
        place=file.file,
        hint=hint,
    )


def check_rates(
    needed: Mapping[str, Sequence[str]], fx: FxTable, pricing: Pricing, *, assumed: bool
) -> Iterator[PlanRefused]:
    """Owned in a currency without a rate: the value is unknown. The rest the planner may leave.

    assumed   nobody says in which currency the account counts
    """
    file, day = pricing.files.fx, pricing.day
    hint = "Give one with --fx"
    hint += f", or say in which currency the account counts, if not {fx.base}: --base" * assumed
    where = f"{file.file} has none at or before {day}" if file else "no file of rates was given"
    for currency in sorted(needed):
        if not fx.known(currency):
            by = some(needed[currency])
            missing = f"There is no rate of {currency} into {fx.base}, needed by {by}: {where}"
            yield PlanRefused(
                f"{missing}. {NOTHING} {hint}.",
                code="no_rate",
                place="--fx",
                value=currency,
                hint=hint,
            )


def balances_of(cash: Mapping[str, Decimal], base: str, fx: FxTable) -> Mapping[str, Decimal]:
    """Balances by currency, the base always among them; without foreign zeros of no rate."""
    rated = {name: balance for name, balance in cash.items() if balance or fx.known(name)}
    return MappingProxyType(dict(sorted({base: ZERO, **rated}.items())))


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


def some(names: Sequence[str], label: Callable[[str], str] = str) -> str:
    """The first few names, and how many more."""
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(label(name) for name in names[:LISTED]) + more
