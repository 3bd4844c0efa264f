"""Exact target weights: from what is held and what is wanted to one row a symbol, in decimals.

    weights     what is wanted, checked
    _asked      of each symbol: the gap to its target, and what keeps it from being traded
    _sales      rounded down to whole steps, no more than is there; exits to the last digit
    _purchases  in proportion to the money (`budget`), rounded down, leftovers (`rounding`)

Nothing here is a float, and no order of its inputs changes a figure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext

from steelyard.errors import PlanRefused
from steelyard.money import ZERO
from steelyard.rebalance.budget import within
from steelyard.rebalance.records import (
    Direction,
    Position,
    Purse,
    Reason,
    RebalancePlan,
)
from steelyard.rebalance.rounding import Sized, leftovers, stepped
from steelyard.rebalance.rules import Thresholds
from steelyard.rebalance.weights import ONE

DIGITS = 60
"""Of every calculation: a product of quantity, price, rate and weight has fewer."""

RANK = {Direction.LIQUIDATE: 0, Direction.SELL: 0, Direction.BUY: 1}


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a symbol is asked for: `gap` in base currency, above 0 to buy; "" = it may be traded."""

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
class _Order:
    """What is traded of a symbol: signed shares; 0 with the reason."""

    shares: Decimal
    reason: Reason


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
        asked = [_ask(row, targets.get(row.symbol, ZERO), purse, rules) for row in rows]
        orders = {a.position.symbol: _sale(a, rules) for a in asked if a.gap < 0}
        orders |= _purchases(asked, orders, _idle(purse, targets), purse, rules)
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


def _ask(row: Position, target: Decimal, purse: Purse, rules: Thresholds) -> _Asked:
    weight, goal = row.value / purse.value, target * purse.value
    gap, band = goal - row.value, rules.drift_band_weight if row.band is None else row.band
    # absent and 0 are one wish: all of it goes, whatever the band
    outside = abs(weight - target) >= band if target else row.quantity != 0
    asked = _Asked(row, weight, goal, gap, outside and gap != 0, None)
    return replace(asked, stopped=_stopped(asked, rules))


def _stopped(asked: _Asked, rules: Thresholds) -> Reason | None:
    """What keeps a symbol from being traded, in the order in which a person would ask."""
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


def _sale(asked: _Asked, rules: Thresholds) -> _Order:
    """A sale, or why there is none; an exit is of everything that no open order has."""
    row = asked.position
    if asked.stopped is not None or row.price is None:
        return _Order(ZERO, asked.stopped or "no_price")
    if asked.is_exit and row.available >= row.quantity:
        pays = -asked.gap > row.charges.of(-asked.gap)
        return _Order(-row.quantity, "no_target") if pays else _Order(ZERO, "costs_more")
    shares = stepped(min(-asked.gap / row.price, row.available), row.step)
    if not shares:
        return _Order(ZERO, "rounds_to_zero")
    amount = shares * row.price
    if amount < rules.min_order_base:
        return _Order(ZERO, "below_min_order")
    if amount <= row.charges.of(amount):
        return _Order(ZERO, "costs_more")
    return _Order(-shares, "no_target" if asked.is_exit else "over_target")


def _purchases(
    asked: list[_Asked],
    sales: Mapping[str, _Order],
    idle: Decimal,
    purse: Purse,
    rules: Thresholds,
) -> dict[str, _Order]:
    """The buys that the money pays for, or why there is none.

    idle   base currency: cash that the targets and the reserve leave
    """
    orders = {
        a.position.symbol: _Order(ZERO, a.stopped or "on_target") for a in asked if a.gap >= 0
    }
    buys = {a.position.symbol: a for a in asked if a.gap > 0 and a.stopped is None}
    cash = purse.spendable + sum((_brings(a, sales, purse) for a in asked), ZERO)
    charges = {symbol: a.position.charges for symbol, a in buys.items()}
    wishes = {symbol: a.gap for symbol, a in buys.items()}
    budget, least = cash - purse.keeps, rules.min_order_base
    amounts = within(wishes, charges, budget, least, rules.cash_tolerance_base)
    sized = [_sized(buys[symbol], amount, purse.value) for symbol, amount in amounts.items()]
    spent = sum((charges[s.symbol].fixed + s.whole * s.price for s in sized if s.whole), ZERO)
    for symbol, shares in leftovers(sized, cash - max(purse.keeps, idle) - spent).items():
        orders[symbol] = _bought(buys[symbol], shares, rules)
    for symbol in buys.keys() - amounts.keys():
        orders[symbol] = _Order(ZERO, "no_cash")
    return orders


def _sized(asked: _Asked, amount: Decimal, value: Decimal) -> Sized:
    row, price = asked.position, asked.position.price or ONE
    wish = amount / price
    whole = stepped(wish, row.step)
    each = price * (ONE + row.charges.rate)
    most = None if row.ceiling is None else row.ceiling * value / price - row.quantity
    return Sized(row.symbol, wish, asked.gap / price, whole, row.step, each, most)


def _bought(asked: _Asked, shares: Decimal, rules: Thresholds) -> _Order:
    row = asked.position
    if not shares:
        full = stepped(asked.gap / (row.price or ONE), row.step)
        return _Order(ZERO, "no_cash" if full else "rounds_to_zero")
    if shares * (row.price or ONE) < rules.min_order_base:
        return _Order(ZERO, "below_min_order")
    return _Order(shares, "under_target")


def _brings(asked: _Asked, sales: Mapping[str, _Order], purse: Purse) -> Decimal:
    """What the sale of a symbol does to the cash that may pay."""
    order, row = sales.get(asked.position.symbol), asked.position
    if order is None or not order.shares or row.price is None:
        return ZERO
    amount = -order.shares * row.price
    brought = amount - row.charges.of(amount)
    return min(brought, ZERO) if purse.settled_only else brought


def _idle(purse: Purse, weights: Mapping[str, Decimal]) -> Decimal:
    """Cash that the targets leave, base currency."""
    return purse.value * (ONE - sum(weights.values(), ZERO))


def _row(asked: _Asked, order: _Order | None, purse: Purse) -> RebalancePlan:
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


def _direction(asked: _Asked, shares: Decimal, reason: Reason) -> Direction:
    if shares > 0:
        return Direction.BUY
    if shares < 0:
        return Direction.LIQUIDATE if asked.is_exit else Direction.SELL
    stops = reason in {"blocked", "short"}
    return Direction.BLOCKED if stops else Direction.HOLD
