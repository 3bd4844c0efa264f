"""What an account begins with that no broker keeps: its holdings, and prices of its day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from steelyard.errors import InputError
from steelyard.money import no_number

ZONE = "America/New_York"


@dataclass(frozen=True, slots=True)
class PaperPrice:
    """Of a security on its day: `price` times `multiplier` is money of one unit, in `currency`."""

    price: Decimal
    currency: str
    multiplier: Decimal = Decimal(1)
    lot_size: Decimal = Decimal("0.000000001")


@dataclass(frozen=True, slots=True)
class Fees:
    """What an order costs: `fixed` in base currency, and shares of its amount.

    fx_percent   of money that is converted
    """

    fixed: Decimal = Decimal(0)
    percent: Decimal = Decimal(0)
    fx_percent: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """An account as of a day.

    cash    a debt is under 0, and no order makes it larger
    rates   units of base for one unit of currency; the base currency needs none
    zone    of the exchange, whose regular session is 09:30 to 16:00
    """

    as_of: date
    base_currency: str
    positions: Mapping[str, Decimal]
    cash: Mapping[str, Decimal]
    prices: Mapping[str, PaperPrice]
    rates: Mapping[str, Decimal] = field(default_factory=dict)
    fees: Fees = Fees()
    zone: str = ZONE


def check_opening(opening: Opening) -> None:
    """Raises InputError for an account that cannot be: the whole of it is refused."""
    check_market(opening.prices, {**opening.rates, opening.base_currency: Decimal(1)})
    currencies = {*opening.rates, opening.base_currency}
    for symbol, quantity in opening.positions.items():
        _check(symbol, quantity, least=True)
    for currency, amount in opening.cash.items():
        if wrong := no_number(amount, positive=False):
            raise _refused(currency, wrong)
        if currency not in currencies:
            raise _refused(currency, f"cash in {currency} needs its rate")
    fees = opening.fees
    for name, amount in (
        ("fixed", fees.fixed), ("percent", fees.percent), ("fx_percent", fees.fx_percent),
    ):  # fmt: skip
        _check(name, amount, least=True)


def check_market(prices: Mapping[str, PaperPrice], rates: Mapping[str, Decimal]) -> None:
    """Raises InputError for a price or a rate that is no positive number, or has no rate."""
    for currency, rate in rates.items():
        _check(currency, rate)
    for symbol, of in prices.items():
        for figure in (of.price, of.multiplier, of.lot_size):
            _check(symbol, figure)
        if of.currency not in rates:
            raise _refused(symbol, f"its price is in {of.currency}, which has no rate")


def _check(place: str, figure: Decimal, *, least: bool = False) -> None:
    wrong = no_number(figure, positive=not least)
    if wrong or figure < 0:
        raise _refused(place, wrong or f"'{figure}' is under 0")


def _refused(place: str, why: str) -> InputError:
    return InputError(
        f"The account cannot begin with {place}: {why}. Nothing was opened.",
        code="account_opening", place=place,
    )  # fmt: skip
