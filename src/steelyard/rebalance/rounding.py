"""Whole steps: quantities are rounded down, and what that leaves buys whole shares where it can.

By largest remainder: of all orders that rounding took most of a step from, first that one. A part
of a share is never rounded up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from steelyard.money import ZERO


def stepped(quantity: Decimal, step: Decimal) -> Decimal:
    """The largest multiple of `step` that is not over `quantity`, which is not below 0.

    >>> stepped(Decimal("3.1234567"), Decimal("0.000001"))
    Decimal('3.123456')
    """
    return (quantity / step).to_integral_value(rounding=ROUND_FLOOR) * step


@dataclass(frozen=True, slots=True)
class Sized:
    """A buy in the making.

    wish      shares that it may have
    gap       shares to its target: never below `wish`
    most      shares that may be bought at all; None = as many as its target is near
    fixed     base currency of the order, whatever its size
    whole     shares, a multiple of `step`
    price     base currency of one share, costs in proportion in it
    """

    symbol: str
    wish: Decimal
    gap: Decimal
    whole: Decimal
    step: Decimal
    price: Decimal
    most: Decimal | None = None
    fixed: Decimal = ZERO

    @property
    def remainder(self) -> Decimal:
        """What rounding took, in steps."""
        return (self.wish - self.whole) / self.step

    @property
    def closer(self) -> bool:
        """Is its target nearer with one step of whole shares more, and may it have that?"""
        if self.step < 1:
            return False
        allowed = self.most is None or self.whole + self.step <= self.most
        return allowed and 2 * (self.gap - self.whole) > self.step


def leftovers(buys: Sequence[Sized], money: Decimal) -> dict[str, Decimal]:
    """Symbol -> shares of each buy, one step more where `money` (base currency) pays for it and
    its target is nearer then.
    """
    shares = {buy.symbol: buy.whole for buy in buys}
    for buy in sorted(buys, key=lambda buy: (-buy.remainder, buy.symbol)):
        cost = buy.step * buy.price + (ZERO if buy.whole else buy.fixed)
        if buy.closer and ZERO < cost <= money:
            shares[buy.symbol] += buy.step
            money -= cost
    return shares
