"""One position to its target, in shares; whether that is worth an order is asked in money."""

from __future__ import annotations

from decimal import Decimal

from steelyard.rebalance.records import PositionDelta
from steelyard.rebalance.rounding import stepped
from steelyard.rebalance.rules import Thresholds
from steelyard.sentences import quantity as shares_shown

NOTHING = Decimal(0)


def position_delta(
    symbol: str,
    current: Decimal,
    target: Decimal,
    price: Decimal,
    rules: Thresholds = Thresholds(),  # noqa: B008 - frozen
) -> PositionDelta:
    """The order that takes `current` shares to `target`, `price` in base currency of one share.

    Rounded down to whole steps; a target of 0 sells the holding to its last digit, and has no
    least size.

    >>> position_delta("SQQQ", Decimal("7.2273576"), Decimal(0), Decimal(40)).quantity
    Decimal('7.2273576')
    """
    delta = target - current
    exits = target == 0 and current > 0
    size = current if exits else stepped(abs(delta), rules.quantity_step)
    amount = size * price
    worth_it = amount > rules.dust_base if exits else amount >= rules.min_order_base
    if not size or not worth_it:
        said_of = f"{symbol} stays at {shares_shown(current)}: {amount:,.2f} is no order"
        return PositionDelta(symbol, current, target, delta, "no_change", NOTHING, said_of)
    if delta < 0:
        message = f"sell {shares_shown(size)} of {shares_shown(current)} {symbol}"
        return PositionDelta(symbol, current, target, delta, "sell_excess", size, message)
    message = f"buy {shares_shown(size)} {symbol}"
    return PositionDelta(symbol, current, target, delta, "buy_more", size, message)
