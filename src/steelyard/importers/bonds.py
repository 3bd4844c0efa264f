"""Bonds: what one piece is worth at a quoted price of 1, as the stated value tells."""

from __future__ import annotations

import re
from decimal import Decimal

from steelyard.portfolio import MULTIPLIERS

CUSIP = re.compile(r"(?=.*[0-9])[0-9A-Z]{8}[0-9]")
PER_HUNDRED = Decimal(20), Decimal(300)
"""Between these lie the prices of bonds, per 100."""
AGREES = Decimal("0.001")
"""Fraction by which a value may differ from quantity x price x multiplier, besides 1 in money."""


def bond_multiplier(
    quantity: Decimal, price: Decimal | None, value: Decimal | None, stated: Decimal | None
) -> Decimal:
    """Of .01 (quoted per 100) and what the file states (1 where it states none) the one that
    gives the value; .01 where neither does, where there is no value, and at a price per 100.

    >>> bond_multiplier(Decimal(5000), Decimal("98.5"), Decimal(4925), Decimal(1))
    Decimal('0.01')
    >>> bond_multiplier(Decimal(5), Decimal(985), Decimal(4925), None)
    Decimal('1')
    """
    per_100 = MULTIPLIERS["BOND"]
    if value is not None and price is not None:
        usual = PER_HUNDRED[0] <= price <= PER_HUNDRED[1]
        for choice in (per_100,) if usual else (per_100, stated or Decimal(1)):
            if abs(value - quantity * price * choice) <= AGREES * abs(value) + 1:
                return choice
    return per_100


def may_be_bond(symbol: str, price: Decimal | None) -> bool:
    """Is it named as bonds are, and priced as they are? Then shares and pieces of 100 are in doubt.

    >>> may_be_bond("912828ZQ6", Decimal("98.5")), may_be_bond("VOO", Decimal("98.5"))
    (True, False)
    """
    low, high = PER_HUNDRED
    return bool(CUSIP.fullmatch(symbol)) and price is not None and low <= price <= high
