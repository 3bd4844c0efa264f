"""Whole numbers of the journal: shares in 1e-9, money in 1e-4, both exact or refused."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, localcontext

from steelyard.canonical import plain
from steelyard.errors import NotExecuted

SHARE_DIGITS, MONEY_DIGITS = 9, 4
LARGEST = 2**63 - 1
PRECISION = 60


def shares_e9(quantity: Decimal) -> int:
    """Shares as whole 1e-9; raises NotExecuted for finer or larger ones."""
    return _whole(quantity, SHARE_DIGITS, "shares")


def money_e4(amount: Decimal) -> int:
    """Money to the nearest 1e-4 of its currency, half to even: a broker's total has two digits."""
    with localcontext(prec=PRECISION):
        nearest = amount.quantize(Decimal(1).scaleb(-MONEY_DIGITS), rounding=ROUND_HALF_EVEN)
    return _whole(nearest, MONEY_DIGITS, "money")


def shares(units: int) -> Decimal:
    """Whole 1e-9 as shares."""
    return Decimal(plain(Decimal(units).scaleb(-SHARE_DIGITS)))


def money(units: int) -> Decimal:
    """Whole 1e-4 as money."""
    return Decimal(plain(Decimal(units).scaleb(-MONEY_DIGITS)))


def _whole(amount: Decimal, digits: int, what: str) -> int:
    with localcontext(prec=PRECISION):
        scaled = amount.scaleb(digits) if amount.is_finite() else amount
        whole = scaled.is_finite() and scaled == scaled.to_integral_value()
        if not whole or not abs(scaled) <= LARGEST:
            most = Decimal(LARGEST).scaleb(-digits)
            limit = f"{most:,.0f}" if whole else f"{digits} digits after the point"
            raise NotExecuted(
                f"{amount} {what} cannot be written down exactly: at most {limit}. Nothing was "
                "sent.",
                code="not_exact",
                value=amount,
                limit=limit,
            )
        return int(scaled)
