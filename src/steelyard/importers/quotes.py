"""Newest prices of all that is owned, targeted or listed, each with its day, file and unit.

A price is the newest of the price file and the holdings file, the price file's where both are of
one day. What the two disagree on is judged in `disagreements.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from steelyard.canonical import plain
from steelyard.errors import PlanRefused, SteelyardError, did_you_mean
from steelyard.importers.disagreements import (
    AGREED,
    Ruling,
    against_cost,
    two_sources,
)
from steelyard.importers.files import Files
from steelyard.importers.prices import PriceTable
from steelyard.importers.values import MINOR_UNITS, NOTHING, Unit
from steelyard.market import Quote
from steelyard.notices import Drop, Notice
from steelyard.portfolio import Holding, Security

WITH_PENCE = frozenset(currency for currency, _ in MINOR_UNITS.values())
"""Currencies that are quoted in a minor unit somewhere."""
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


def some(names: Sequence[str], label: Callable[[str], str] = str) -> str:
    """The first few names, and how many more."""
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(label(name) for name in names[:LISTED]) + more
