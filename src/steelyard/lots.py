"""Which tax lots a sale takes, by the method of the strategy, and what each realises.

    fifo            oldest first, unknown dates before all; of one date the dearest
    lifo            newest first
    hifo, specific  dearest first
    min_tax         least tax of a share first: short- and long-term by their own rates

What is left equal is decided by date, cost and quantity: the order of rows is no input.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from steelyard.money import ZERO
from steelyard.portfolio import TaxLot
from steelyard.settings import LotMethod, Rules

LotsSold = list[tuple[TaxLot, Decimal]]
"""Lots in the order in which they are sold, and how much of each."""

NEEDS: dict[LotMethod, tuple[str, ...]] = {
    "fifo": (),
    "lifo": ("acquired",),
    "hifo": ("average_cost",),
    "min_tax": ("acquired", "average_cost"),
    "specific": ("average_cost",),
}
"""Columns of the holdings file without which a method cannot choose between lots."""


@dataclass(frozen=True, slots=True)
class LotRule:
    """How lots are chosen and taxed on a day.

    long_days     held for more days than this is long-term; without a date nothing is
    short, long   tax rates of the two terms
    """

    method: LotMethod
    as_of: date
    long_days: int
    short: Decimal
    long: Decimal

    def is_long(self, lot: TaxLot) -> bool:
        """Is a gain on it long-term?"""
        return lot.acquired is not None and (self.as_of - lot.acquired).days > self.long_days

    def rate(self, lot: TaxLot) -> Decimal:
        """Tax rate of a gain on it."""
        return self.long if self.is_long(lot) else self.short

    @classmethod
    def of(cls, rules: Rules, as_of: date) -> LotRule:
        """By the rules of a strategy, on a day."""
        short, long = rules.score.tax_rate, rules.score.tax_rate_long
        rates = (Decimal(repr(rate)) for rate in (short, short if long is None else long))
        return cls(rules.lots.method, as_of, rules.lots.long_days, *rates)

    @property
    def needs(self) -> tuple[str, ...]:
        """Columns that the method needs of a holding of several lots."""
        if self.method == "min_tax" and self.short == self.long:
            return NEEDS["hifo"]
        return NEEDS[self.method]


def ordered(lots: Iterable[TaxLot], rule: LotRule, price: Decimal) -> list[TaxLot]:
    """The lots in the order in which a sale takes them; `price` in the unit of `unit_cost`."""
    first = by_age(lots)
    if rule.method == "fifo":
        return first
    if rule.method == "lifo":
        return sorted(first, key=lambda lot: -(lot.acquired or date.min).toordinal())
    dearest = sorted(first, key=lambda lot: -(lot.unit_cost or ZERO))
    if rule.method != "min_tax":
        return dearest
    return sorted(dearest, key=lambda lot: rule.rate(lot) * (price - (lot.unit_cost or ZERO)))


def by_age(lots: Iterable[TaxLot]) -> list[TaxLot]:
    """Oldest first, unknown dates before all; of one date the dearest."""
    return sorted(
        lots,
        key=lambda lot: (
            lot.acquired or date.min,
            -(lot.unit_cost or 0),
            -lot.quantity,
        ),
    )


def first_of(lots: Sequence[TaxLot], quantity: Decimal) -> LotsSold:
    """The first lots of a list that make up a quantity."""
    rest, sold = quantity, []
    for lot in lots:
        part = min(lot.quantity, rest)
        if part > 0:
            sold.append((lot, part))
            rest -= part
    return sold
