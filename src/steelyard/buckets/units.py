"""Unitised value: deposits and withdrawals change how many units there are, gains their value.

So the high-water mark of a bucket is a unit value, and money moved is neither a gain nor a loss.

>>> units = open_units(Decimal(1000))
>>> units = mark(units, Decimal(1200))                  # it earned a fifth
>>> units = move(units, Decimal(1200), Decimal(-600))   # and half of it was taken out
>>> units.value_of(Decimal(600)), units.high_water_mark
(Decimal('1.2'), Decimal('1.2'))
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from steelyard.buckets.books import Bucket
from steelyard.canonical import plain
from steelyard.errors import InputError
from steelyard.money import ZERO
from steelyard.portfolio import BucketState

FIRST = Decimal(1)
"""Value of a unit when a bucket opens."""


@dataclass(frozen=True, slots=True)
class Units:
    """How many units a bucket has, and the highest value that one of them had."""

    count: Decimal
    high_water_mark: Decimal

    def value_of(self, value: Decimal) -> Decimal:
        """Value of one unit of a bucket worth `value`, base currency; at first the first value."""
        return value / self.count if self.count else FIRST


def open_units(value: Decimal) -> Units:
    """Units of a bucket that starts with `value`, base currency; raises InputError under 0."""
    if not (value.is_finite() and value >= 0):
        raise InputError(
            f"A bucket cannot start with {value}; it may be 0 or more. Nothing was booked.",
            code="start_negative",
            value=value,
            limit="0 or more",
        )
    return Units(value / FIRST, FIRST)


def move(units: Units, value: Decimal, amount: Decimal) -> Units:
    """Units after a deposit (> 0) or a withdrawal (< 0); `value` before it, base currency.

    The value of a unit stays; a bucket that is worth nothing has none, a deposit opens it anew.
    Raises InputError for a withdrawal of more than its worth, and for an amount that is no number.
    """
    if not (value.is_finite() and amount.is_finite()):
        raise InputError(
            f"A bucket worth {value} cannot be changed by {amount}: both must be numbers. Nothing "
            "was booked.",
            code="flow_no_number",
            value=amount,
            limit="a finite number",
        )
    after = value + amount
    if after < 0:
        raise InputError(
            f"A withdrawal of {plain(-amount)} is {plain(-after)} more than the bucket is worth "
            f"({plain(value)}). Nothing was booked.",
            code="bucket_withdrawal_too_large",
            value=plain(-amount),
            limit=plain(value),
        )
    if value <= 0 or not units.count:
        return open_units(after)
    return replace(units, count=units.count * after / value)


def mark(units: Units, value: Decimal) -> Units:
    """Units with their high-water mark raised to today's value of a unit, if that is higher."""
    return replace(units, high_water_mark=max(units.high_water_mark, units.value_of(value)))


def state_of(bucket: Bucket, units: Units, value: Decimal, account_value: Decimal) -> BucketState:
    """What a plan of the bucket must know of its size and losses: it scales buys, never sales.

    units           marked at `value`
    value           of the bucket, base currency
    account_value   of the whole account
    A satellite that is accumulating has no funding, or it could never start; the core has neither
    funding nor high-water mark: it is not stopped in a crash.
    """
    if bucket.kind == "core":
        return bucket.state
    budget = Decimal(repr(float(bucket.target_weight))) * account_value
    funded = bucket.status == "active" and budget > ZERO
    return replace(
        bucket.state,
        funding=float(value / budget) if funded else None,
        high_water_mark=float(units.high_water_mark),
        unit_value=float(units.value_of(value)),
    )
