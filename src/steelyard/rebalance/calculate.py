"""Exact target weights: from what is held and what is wanted to one row a symbol, in decimals.

    asked      of each symbol the gap to its target, and what keeps it from being traded
    sales      rounded down to whole steps, no more than is there; exits to the last digit
    purchases  in proportion to the money (`budget`), rounded down, leftovers (`rounding`)

Nothing here is a float, and no order of its inputs changes a figure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal, localcontext

from steelyard.errors import PlanRefused
from steelyard.money import ZERO
from steelyard.rebalance.asked import Asked, Order, ask
from steelyard.rebalance.purchases import Means, purchases
from steelyard.rebalance.records import Direction, Position, Purse, Reason, RebalancePlan
from steelyard.rebalance.rules import Thresholds
from steelyard.rebalance.sales import brought, sale

DIGITS = 60
"""Of every calculation: a product of quantity, price, rate and weight has fewer."""

RANK = {Direction.LIQUIDATE: 0, Direction.SELL: 0, Direction.BUY: 1}


def rows_of(
    positions: Iterable[Position],
    targets: Mapping[str, Decimal],
    purse: Purse,
    rules: Thresholds,
) -> tuple[RebalancePlan, ...]:
    """One row of every symbol that is held or wanted: sales, then buys, each side largest first,
    then what is not traded, by symbol.

    positions   of every symbol in `targets` too
    targets     symbol -> weight of value, as `weights.targets_of` reads them
    Raises PlanRefused where nothing is owned, where what is held has no price, and where nothing is
    wanted.
    """
    rows = sorted(positions, key=lambda position: position.symbol)
    _refuse(rows, targets, purse, rules)
    with localcontext(prec=DIGITS):
        asked = [ask(row, targets, purse.value, rules) for row in rows]
        orders = {a.position.symbol: sale(a, rules) for a in asked if a.gap < 0}
        cash = purse.spendable + brought(asked, orders, purse)
        means = Means(targets, purse.value, cash, purse.keeps)
        orders |= purchases(asked, means, rules)
        plans = [_row(a, orders.get(a.position.symbol), purse) for a in asked]
    return tuple(sorted(plans, key=lambda p: (RANK.get(p.direction, 2), -abs(p.trade_amount))))


def _refuse(
    rows: list[Position], targets: Mapping[str, Decimal], purse: Purse, rules: Thresholds
) -> None:
    if not purse.value > 0:
        raise PlanRefused(
            f"There is no equity: the portfolio is worth {purse.value:,.2f}, and weights are of "
            "what is owned. No order was made.",
            code="no_equity",
            value=f"{purse.value:f}",
            limit="above 0",
        )
    unknown = [row.symbol for row in rows if row.quantity and not _is_price(row.price)]
    if unknown:
        raise PlanRefused(
            f"{', '.join(unknown)}: held, and without a price above 0, so the value of the "
            "portfolio is unknown. No order was made for any symbol. Add the price.",
            code="value_unknown",
            place=unknown[0],
            hint="add the price",
        )
    sells_all = not any(targets.values()) and any(row.quantity > 0 for row in rows)
    if sells_all and not rules.allow_empty_target:
        raise PlanRefused(
            "There is no target, which would sell everything that is held. No order was made. Set "
            "allow_empty_target to have it so.",
            code="empty_target",
            hint="set allow_empty_target",
        )


def _is_price(price: Decimal | None) -> bool:
    return price is not None and price.is_finite() and price > 0


def _row(asked: Asked, order: Order | None, purse: Purse) -> RebalancePlan:
    row, price = asked.position, asked.position.price or ZERO
    shares = order.shares if order is not None else ZERO
    reason: Reason = order.reason if order is not None else asked.stopped or "on_target"
    target = asked.target / purse.value
    return RebalancePlan(
        symbol=row.symbol,
        current_weight=asked.weight,
        target_weight=target,
        drift=asked.weight - target,
        current_value=row.value,
        target_value=asked.target,
        trade_amount=shares * price,
        quantity=abs(shares),
        needs_rebalance=asked.outside,
        direction=_direction(asked, shares, reason),
        reason=reason,
    )


def _direction(asked: Asked, shares: Decimal, reason: Reason) -> Direction:
    if shares > 0:
        return Direction.BUY
    if shares < 0:
        return Direction.LIQUIDATE if asked.is_exit else Direction.SELL
    stops = reason in {"blocked", "short"}
    return Direction.BLOCKED if stops else Direction.HOLD
