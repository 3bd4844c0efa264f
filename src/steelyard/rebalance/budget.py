"""Buys made smaller, all in proportion, to what the money pays for."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from steelyard.money import ZERO
from steelyard.rebalance.records import Charges


def within(
    amounts: Mapping[str, Decimal],
    charges: Mapping[str, Charges],
    budget: Decimal,
    least: Decimal,
    tolerance: Decimal = ZERO,
) -> dict[str, Decimal]:
    """Symbol -> amount of each buy, base currency, so that all of them with their costs are within
    `budget`.

    Those that come under `least` are dropped, and what they leave goes to the others, once. Up to
    `tolerance` may be missing.

    >>> whole = {"A": Decimal(4000), "B": Decimal(3000), "C": Decimal(1000)}
    >>> free = dict.fromkeys(whole, Charges())
    >>> [int(a) for a in within(whole, free, Decimal(6000), Decimal(5)).values()]
    [3000, 2250, 750]
    """
    smaller = _scaled(amounts, charges, budget, tolerance)
    stay = {symbol: amounts[symbol] for symbol, amount in smaller.items() if amount >= least}
    if len(stay) == len(smaller):
        return smaller
    again = _scaled(stay, charges, budget, tolerance)
    return {symbol: amount for symbol, amount in again.items() if amount >= least}


def _scaled(
    amounts: Mapping[str, Decimal],
    charges: Mapping[str, Charges],
    budget: Decimal,
    tolerance: Decimal,
) -> dict[str, Decimal]:
    due = sum((amount + charges[s].of(amount) for s, amount in amounts.items()), ZERO)
    if due <= budget + tolerance:
        return dict(amounts)
    fixed = sum((charges[symbol].fixed for symbol in amounts), ZERO)
    if budget <= fixed:
        return dict.fromkeys(amounts, ZERO)
    share = (budget - fixed) / (due - fixed)
    return {symbol: amount * share for symbol, amount in amounts.items()}
