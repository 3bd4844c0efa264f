"""Bid and ask about a price: a midpoint that strays a little, the same at the same second."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from steelyard.brokers.paper.script import Script
from steelyard.orders import Side

STEP_S = 5
"""Seconds for which a quote stands."""
BPS = Decimal(10_000)
TICK, SMALL_TICK = Decimal("0.01"), Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Touch:
    """Best prices at a moment."""

    bid: Decimal
    ask: Decimal

    @property
    def middle(self) -> Decimal:
        """Between them."""
        return (self.bid + self.ask) / 2


def tick_of(price: Decimal) -> Decimal:
    """What prices are a multiple of."""
    return TICK if price >= 1 else SMALL_TICK


def touch(script: Script, symbol: str, price: Decimal, now: datetime) -> Touch:
    """Bid and ask of a symbol now; no bid is under one tick."""
    step = int(now.timestamp()) // STEP_S
    stray = Decimal(repr(script.wobble_bps * (2 * script.chance("quote", symbol, step) - 1)))
    middle = price * (1 + stray / BPS)
    half = middle * Decimal(repr(script.spread_bps)) / 2 / BPS
    tick = tick_of(middle - half)
    bid = ((middle - half) / tick).to_integral_value(ROUND_FLOOR) * tick
    ask = ((middle + half) / tick).to_integral_value(ROUND_CEILING) * tick
    return Touch(max(bid, tick), max(ask, tick))


def out_of_reach(script: Script, price: Decimal, side: Side, limit: Decimal) -> bool:
    """Is a limit so far off that no midpoint ever comes to it?"""
    stray = price * Decimal(repr(script.wobble_bps)) / BPS + tick_of(price)
    return limit < price - stray if side is Side.BUY else limit > price + stray
