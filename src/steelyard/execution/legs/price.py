"""The limit of a step: from the middle of the spread to the far side, never past it."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from steelyard.brokers.broker import Asset, Quote
from steelyard.orders import Side


def limit(quote: Quote, side: Side, part: Decimal, asset: Asset) -> Decimal:
    """Price at a part of the spread: a buy is rounded down to the tick, a sale up.

    part   0 = our own side, 1 = the far side
    """
    spread = quote.ask - quote.bid
    if side is Side.BUY:
        return rounded(quote.bid + part * spread, side, asset)
    return rounded(quote.ask - part * spread, side, asset)


def has_ticks(asset: Asset) -> bool:
    """Does the broker say what prices are a multiple of?"""
    return all(tick.is_finite() and tick > 0 for tick in (asset.tick, asset.small_tick))


def rounded(price: Decimal, side: Side, asset: Asset) -> Decimal:
    """To the tick, never to a worse price than was meant."""
    tick = asset.tick if price >= 1 else asset.small_tick
    way = ROUND_FLOOR if side is Side.BUY else ROUND_CEILING
    return (price / tick).to_integral_value(way) * tick
