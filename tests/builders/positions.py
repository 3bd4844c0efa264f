"""A world with what is valued and not traded, shares of another worth, and money on its way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType

from hypothesis import strategies as st

from builders.world import AS_OF, World
from builders.worlds import worlds
from steelyard.market import Quote
from steelyard.portfolio import Holding, Security, Settling, TaxLot

MULTIPLIERS = [Decimal(text) for text in ("0.01", "1", "1", "5", "100")]


def with_multipliers(of: World, multipliers: Mapping[str, Decimal]) -> World:
    """The world in which a share of some securities is worth more or less than its price."""
    changed = tuple(
        replace(security, multiplier=multipliers.get(security.symbol, security.multiplier))
        for security in of.snapshot.securities
    )
    return of.having(securities=changed)


def with_position(
    of: World, symbol: str, quantity: str, price: str | None, kind: str = "EQUITY",
    multiplier: str = "1",
) -> World:  # fmt: skip
    """The world with one more position in dollars; without a price it has no quote."""
    shares = Decimal(quantity)
    security = Security(symbol, "USD", product_type=kind, multiplier=Decimal(multiplier))
    holding = Holding(symbol, shares, (TaxLot(shares),))
    quote = {} if price is None else {symbol: Quote(symbol, Decimal(price), AS_OF, "own.csv")}
    return of.having(
        securities=(*of.snapshot.securities, security),
        holdings=(*of.snapshot.holdings, holding),
        quotes={**of.market.quotes, **quote},
    )


def with_settling(of: World, *entries: tuple[str, str, int]) -> World:
    """The world with money on its way: (currency, amount, days from now)."""
    settling = (
        Settling(currency, Decimal(amount), AS_OF + timedelta(days=days))
        for currency, amount, days in entries
    )
    return of.having(settling=tuple(settling))


@st.composite
def odd_worlds(draw: st.DrawFn) -> World:
    """Worlds with drawn multipliers, shorts, options, futures and settling amounts: worth some."""
    of = draw(worlds(most=4))
    drawn = {s.symbol: draw(st.sampled_from(MULTIPLIERS)) for s in of.snapshot.securities}
    of = with_multipliers(of, drawn)
    for symbol, quantity, price, kind, multiplier in _some(
        draw,
        (
            ("SHRT", "-7", "41.5", "EQUITY", "1"), ("X240", "3", "2.15", "OPTION", "100"),
            ("X300", "-2", "1.07", "OPTION", "100"), ("FUT", "1", None, "FUTURE", "50"),
            ("FUTV", "-1", "120", "FUTURE", "1"),
        ),
    ):  # fmt: skip
        of = with_position(of, symbol, quantity, price, kind, multiplier)
    money = (("USD", "2500", 1), ("USD", "-800.5", 1), ("EUR", "40", 4), ("USD", "9", 0))
    of = with_settling(of, *_some(draw, money))
    # so much cash that all drawn debts and shorts together are less than what is owned
    return of.having(cash=MappingProxyType({**of.snapshot.cash, "USD": _enough(of)}))


def _some(draw: st.DrawFn, choices: Iterable[tuple]) -> list[tuple]:
    return [choice for choice in choices if draw(st.booleans())]


def _enough(of: World) -> Decimal:
    debts = abs(min(of.snapshot.cash.get("USD", Decimal(0)), Decimal(0)))
    return of.snapshot.cash.get("USD", Decimal(0)) + 100 * debts + 2000
