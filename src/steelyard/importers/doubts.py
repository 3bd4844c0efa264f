"""Prices that could be wrong by a hundred because nothing says how they are quoted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from steelyard.canonical import plain
from steelyard.errors import InputError, PlanRefused
from steelyard.importers.files import Files
from steelyard.importers.owned_rates import NEAR_ONE
from steelyard.importers.quotes import Pricing
from steelyard.importers.values import NOTHING
from steelyard.market import Quote
from steelyard.portfolio import MULTIPLIERS, Security

LEAST_PER_100 = Decimal(2)
"""A bond that is quoted per 100 costs more."""
IN_PENCE = (".L", ".JO", ".TA", ":LON", ":JSE", ":TLV")
"""How symbols of London, Johannesburg and Tel Aviv end."""


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
