"""What exact rebalancing is asked of, and what it answers: one frozen row a symbol."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from steelyard.money import ZERO

Reason = Literal[
    "under_target",
    "over_target",
    "no_target",
    "on_target",
    "within_band",
    "below_min_order",
    "rounds_to_zero",
    "no_cash",
    "no_price",
    "dust",
    "costs_more",
    "untradable",
    "locked",
    "short",
    "blocked",
]
"""Why a row is what it is: the first three trade, the others do not.

costs_more   a sale that costs more than it brings
locked       open orders have all of it that would be sold
untradable   switched off, or its price is too old
blocked      something outside the arithmetic forbids it
"""


class Direction(StrEnum):
    """What is done with a symbol."""

    BUY = "BUY"
    SELL = "SELL"
    LIQUIDATE = "LIQUIDATE"
    HOLD = "HOLD"
    BLOCKED = "BLOCKED"


TRADES = frozenset({Direction.BUY, Direction.SELL, Direction.LIQUIDATE})


@dataclass(frozen=True, slots=True)
class Charges:
    """What an order costs: base currency an order, and a fraction of its amount."""

    fixed: Decimal = ZERO
    rate: Decimal = ZERO

    def of(self, amount: Decimal) -> Decimal:
        """Of one order, base currency."""
        return self.fixed + self.rate * amount


@dataclass(frozen=True, slots=True)
class Position:
    """One symbol, held or targeted.

    quantity    shares held; negative = short
    price       base currency of one share; None = nobody knows
    step        shares that quantities are multiples of
    available   shares that no open order has
    band        half width around the target, of value; None = as the thresholds say
    ceiling     most that a buy may make of it, of value; None = its target alone says
    waits       why it may not be traded, for a reason beside these; "" = it may
    """

    symbol: str
    quantity: Decimal
    price: Decimal | None
    step: Decimal
    available: Decimal
    can_buy: bool = True
    can_sell: bool = True
    band: Decimal | None = None
    ceiling: Decimal | None = None
    waits: str = ""
    charges: Charges = Charges()

    @property
    def value(self) -> Decimal:
        """Base currency; 0 where nothing is held."""
        return ZERO if self.price is None else self.quantity * self.price


@dataclass(frozen=True, slots=True)
class Purse:
    """The money of a rebalance, base currency.

    value          all that is owned: what weights are of
    spendable      cash that may pay
    keeps          of it what buys leave
    settled_only   do this plan's sales pay for nothing?
    """

    value: Decimal
    spendable: Decimal
    keeps: Decimal
    settled_only: bool = False


@dataclass(frozen=True, slots=True)
class RebalancePlan:
    """What is done with one symbol, and every figure behind it.

    current_weight    of value, before
    target_weight     of value
    drift             current less target weight: above 0 there is too much of it
    current_value     base currency
    target_value      base currency
    trade_amount      base currency of what is traded: below 0 for a sale, 0 for none
    quantity          shares of that, never below 0; an exit is the holding to its last digit
    needs_rebalance   is it outside its band, or held without a target?
    """

    symbol: str
    current_weight: Decimal
    target_weight: Decimal
    drift: Decimal
    current_value: Decimal
    target_value: Decimal
    trade_amount: Decimal
    quantity: Decimal
    needs_rebalance: bool
    direction: Direction
    reason: Reason

    @property
    def trades(self) -> bool:
        """Is there an order in it?"""
        return self.direction in TRADES


@dataclass(frozen=True, slots=True)
class PositionDelta:
    """The order that takes one position to its target.

    delta      shares: target less current
    quantity   shares that can be traded of it, never below 0
    """

    symbol: str
    current_qty: Decimal
    target_qty: Decimal
    delta: Decimal
    action: Literal["no_change", "sell_excess", "buy_more"]
    quantity: Decimal
    message: str
