"""Who pays: a balance pays first for what is quoted in it, and the rest is converted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from steelyard.money import ZERO

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Legs:
    """A conversion: what left one balance, and what it became in another."""

    source: str
    cost: Decimal
    currency: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Desk:
    """What money is converted at.

    rates    units of base for one unit of currency, the base currency among them
    margin   cost of a conversion, a share of its amount
    """

    base: str
    rates: Mapping[str, Decimal]
    margin: Decimal

    def price(self, source: str, currency: str) -> Decimal:
        """Units of `source` for one of `currency`; through base, where neither is."""
        margins = (source != self.base) + (currency != self.base)
        return self.rates[currency] / self.rates[source] * (1 + self.margin) ** margins


def pay(
    desk: Desk, balances: dict[str, Decimal], currency: str, amount: Decimal, slack: Decimal = ZERO
) -> tuple[Legs, ...] | None:
    """Take an amount from the balances: its own, then base, then the others by name.

    Returns what was converted, in whole cents, up; None where all of it does not reach, and
    the balances are then as they were. `slack` is what each conversion may cost more by rounding.
    """
    before = dict(balances)
    lacks = amount - max(balances.get(currency, ZERO), ZERO)
    legs: list[Legs] = []
    for source in [desk.base, *sorted(balances)]:
        if lacks <= 0:
            break
        if source != currency and balances.get(source, ZERO) > 0:
            leg = _convert(desk, balances[source], source, (currency, lacks), slack)
            balances[source] -= leg.cost
            balances[currency] = balances.get(currency, ZERO) + leg.amount
            lacks -= leg.amount
            legs += [leg] if leg.amount > 0 else []
    if lacks > 0:
        balances.clear()
        balances.update(before)
        return None
    balances[currency] = balances.get(currency, ZERO) - amount
    return tuple(legs)


def _convert(
    desk: Desk, there: Decimal, source: str, wish: tuple[str, Decimal], slack: Decimal
) -> Legs:
    """As much of the wish as one balance reaches for; a cost of 0 where that is nothing."""
    currency, lacks = wish
    price = desk.price(source, currency)
    cost = (lacks * price).quantize(CENT, ROUND_CEILING) + slack
    if cost <= there:
        return Legs(source, cost, currency, lacks)
    whole = there.quantize(CENT, ROUND_FLOOR)
    amount = max(((whole - slack) / price).quantize(CENT, ROUND_FLOOR), ZERO)
    return Legs(source, whole if amount else ZERO, currency, amount)
