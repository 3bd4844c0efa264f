"""Purchases: in proportion to the money, rounded down, and what that leaves again, until no order
fits: so that the plan, carried out, leaves nothing to do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from steelyard.money import ZERO
from steelyard.rebalance.asked import Asked, Order, ask
from steelyard.rebalance.budget import within
from steelyard.rebalance.rounding import Sized, leftovers, stepped
from steelyard.rebalance.rules import Thresholds

ONE = Decimal(1)
ROUNDS = 100
"""Each leaves less money than the one before; by then it is less than any order."""


@dataclass(frozen=True, slots=True)
class Means:
    """What buys may take.

    targets   symbol -> weight of value
    value     of everything, base currency
    cash      that may pay, with what sales bring
    keeps     of it what buys leave
    """

    targets: Mapping[str, Decimal]
    value: Decimal
    cash: Decimal
    keeps: Decimal

    @property
    def idle(self) -> Decimal:
        """Cash that the targets leave, base currency."""
        return self.value * (ONE - sum(self.targets.values(), ZERO))


def purchases(asked: Sequence[Asked], means: Means, rules: Thresholds) -> dict[str, Order]:
    """Symbol -> a buy, or why there is none, of all that is not over its target."""
    orders, whole = _round(asked, means, rules)
    for _ in range(ROUNDS):
        if whole:
            break
        bought = {symbol: order.shares for symbol, order in orders.items() if order.shares}
        rest = [_after(a, bought, means, rules) for a in asked if a.gap > 0]
        more, whole = _round(rest, replace(means, cash=_left(asked, bought, means)), rules)
        added = {symbol: order for symbol, order in more.items() if order.shares}
        if not added:
            break
        for symbol, order in added.items():
            orders[symbol] = replace(order, shares=order.shares + bought.get(symbol, ZERO))
    return orders


def _after(asked: Asked, bought: Mapping[str, Decimal], means: Means, rules: Thresholds) -> Asked:
    """The same once an order is carried out."""
    row = asked.position
    quantity = row.quantity + bought.get(row.symbol, ZERO)
    return ask(replace(row, quantity=quantity), means.targets, means.value, rules)


def _left(asked: Sequence[Asked], bought: Mapping[str, Decimal], means: Means) -> Decimal:
    cash = means.cash
    for a in asked:
        shares = bought.get(a.position.symbol, ZERO)
        amount = shares * (a.position.price or ZERO)
        cash -= amount + a.position.charges.of(amount) if shares else ZERO
    return cash


def _round(
    asked: Sequence[Asked], means: Means, rules: Thresholds
) -> tuple[dict[str, Order], bool]:
    """The orders, and whether there was money for all that is asked for."""
    orders = {a.position.symbol: Order(ZERO, a.stopped or "on_target") for a in asked if a.gap >= 0}
    buys = {a.position.symbol: a for a in asked if a.gap > 0 and a.stopped is None}
    wishes = {symbol: a.gap for symbol, a in buys.items()}
    charges = {symbol: a.position.charges for symbol, a in buys.items()}
    budget, least = means.cash - means.keeps, rules.min_order_base
    amounts = within(wishes, charges, budget, least, rules.cash_tolerance_base)
    sized = [_sized(buys[symbol], amount, means.value) for symbol, amount in amounts.items()]
    spent = sum((s.fixed + s.whole * s.price for s in sized if s.whole), ZERO)
    spare = means.cash - max(means.keeps, means.idle) - spent
    for symbol, shares in leftovers(sized, spare).items():
        orders[symbol] = _bought(buys[symbol], shares, rules)
    for symbol in buys.keys() - amounts.keys():
        orders[symbol] = Order(ZERO, "no_cash")
    return orders, amounts == wishes


def _sized(asked: Asked, amount: Decimal, value: Decimal) -> Sized:
    row, price = asked.position, asked.position.price or ONE
    wish = amount / price
    return Sized(
        symbol=row.symbol,
        wish=wish,
        gap=asked.gap / price,
        whole=stepped(wish, row.step),
        step=row.step,
        price=price * (ONE + row.charges.rate),
        most=None if row.ceiling is None else row.ceiling * value / price - row.quantity,
        fixed=row.charges.fixed,
    )


def _bought(asked: Asked, shares: Decimal, rules: Thresholds) -> Order:
    row, price = asked.position, asked.position.price or ONE
    if not shares:
        full = stepped(asked.gap / price, row.step)
        return Order(ZERO, "no_cash" if full else "rounds_to_zero")
    if shares * price < rules.min_order_base:
        return Order(ZERO, "below_min_order")
    return Order(shares, "under_target")
