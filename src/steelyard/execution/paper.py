"""A paper account as a plan describes it: what it owns, its day, its prices, its costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from steelyard.brokers.opening import ZONE
from steelyard.brokers.paper import Fees, Opening, PaperPrice
from steelyard.execution.approved import Approved
from steelyard.money import ZERO

NOON = time(12)
FILE = "paper.db"
"""Of all paper accounts of a home."""


def opening_of(plan: Approved) -> Opening:
    """What a paper account begins with."""
    return Opening(
        as_of=plan.as_of,
        base_currency=plan.base_currency,
        positions=plan.positions,
        cash=plan.cash,
        prices=prices_of(plan),
        rates=plan.foreign_rates,
        fees=Fees(*plan.fees),
    )


def with_deposits(opening: Opening, plan: Approved) -> Opening:
    """An account whose cash nobody asks a broker for: what the plan counts on is there."""
    cash = {
        name: plan.cash.get(name, ZERO) + plan.deposits.get(name, ZERO)
        for name in (*plan.cash, *(name for name in plan.deposits if name not in plan.cash))
    }
    return replace(opening, cash=cash)


def morning(day: date) -> Callable[[], datetime]:
    """A clock that stands at the middle of a day's session: of orders that a person places."""
    noon = datetime.combine(day, NOON, ZoneInfo(ZONE))
    return lambda: noon


def prices_of(plan: Approved) -> dict[str, PaperPrice]:
    """Prices of its market: all that the plan knows."""
    return {
        symbol: PaperPrice(
            price,
            plan.currencies[symbol],
            plan.multipliers.get(symbol, Decimal(1)),
            plan.lots.get(symbol, Decimal(1)),
        )
        for symbol, price in sorted(plan.prices.items())
    }
