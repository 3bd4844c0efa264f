"""What a symbol is asked for: the gap to its target, and what keeps it from being traded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from steelyard.money import ZERO
from steelyard.rebalance.records import Position, Reason
from steelyard.rebalance.rules import Thresholds


@dataclass(frozen=True, slots=True)
class Asked:
    """One symbol.

    weight    of value, held
    target    base currency
    gap       base currency to the target: above 0 to buy
    outside   is it outside its band, or held without a target?
    stopped   why it is not traded; None = it may be
    """

    position: Position
    weight: Decimal
    target: Decimal
    gap: Decimal
    outside: bool
    stopped: Reason | None

    @property
    def is_exit(self) -> bool:
        """Is all of it to go?"""
        return self.position.quantity > 0 and not self.target


@dataclass(frozen=True, slots=True)
class Order:
    """What is traded of a symbol: signed shares; 0 with the reason."""

    shares: Decimal
    reason: Reason


def ask(row: Position, targets: Mapping[str, Decimal], value: Decimal, rules: Thresholds) -> Asked:
    """Of one position; `value`: of everything, base currency."""
    target = targets.get(row.symbol, ZERO)
    weight, goal = row.value / value, target * value
    gap, band = goal - row.value, rules.drift_band_weight if row.band is None else row.band
    # absent and 0 are one wish: all of it goes, whatever the band
    outside = abs(weight - target) >= band if target else row.quantity != 0
    asked = Asked(row, weight, goal, gap, outside and gap != 0, None)
    return replace(asked, stopped=_stopped(asked, rules))


def _stopped(asked: Asked, rules: Thresholds) -> Reason | None:
    """What keeps it from being traded, in the order in which a person would ask."""
    row = asked.position
    may = row.can_buy if asked.gap > 0 else row.can_sell
    amount = abs(asked.gap)
    checks: tuple[tuple[bool, Reason], ...] = (
        (row.quantity < 0, "short"),
        (not asked.gap, "on_target"),
        (row.price is None, "no_price"),
        (asked.is_exit and amount < rules.dust_base, "dust"),
        (not asked.outside, "within_band"),
        (not may, "untradable"),
        (bool(row.waits), "blocked"),
        (asked.gap < 0 and row.available <= 0, "locked"),
        (not asked.is_exit and amount < rules.min_order_base, "below_min_order"),
    )
    return next((reason for stops, reason in checks if stops), None)
