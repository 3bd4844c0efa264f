"""The thresholds of exact rebalancing, each with its unit in its name."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

CENT = Decimal("0.01")
STEP = Decimal("0.000001")
LEAST_ORDER = Decimal(5)
BROKER_FLOOR = Decimal(1)
"""No broker takes an order of less money."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Whether to trade is the band's to say; whether an order is worth sending, the least order's.

    drift_band_weight     of value: a weight this far from its target, or farther, is traded
    min_order_base        base currency: a smaller order waits; an exit of all has no least size
    quantity_step         shares: what quantities are multiples of where no security says its own
    cash_reserve_weight   of value: cash that buys leave, once for the whole portfolio
    cash_tolerance_base   base currency: buys that are short of so little are not made smaller
    dust_base             base currency: what is held of less is left alone
    allow_empty_target    no target at all means: sell everything; otherwise it is refused
    """

    drift_band_weight: Decimal = CENT
    min_order_base: Decimal = LEAST_ORDER
    quantity_step: Decimal = STEP
    cash_reserve_weight: Decimal = Decimal("0.02")
    cash_tolerance_base: Decimal = CENT
    dust_base: Decimal = CENT
    allow_empty_target: bool = False
