"""New money: cash over its target and the reserve, and the buys that put it to work.

What is there before any sale buys up to the target, the largest gap first, in nearest whole lots.
No threshold of the score holds such a buy back: it is the list that a better one must beat. Only
the share that a commission may be of an order does, and a least order in money.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from steelyard.arrays import FloatArray, IntArray
from steelyard.canonical import published
from steelyard.ledger import LOT_TOLERANCE, least_spendable
from steelyard.modules.candidates import Proposal
from steelyard.modules.context import Context
from steelyard.notices import Drop
from steelyard.planning.costs import cost_rates, least_of_new_money
from steelyard.planning.nearest import nearest_lots
from steelyard.sentences import say

NEW_MONEY = "new_money"
"""Who asks for these buys: no module, the money itself. Also their tag."""

SMALL_BUY = "small_buy"
"""Rule by which it does not buy: the order would be too small."""

NOTICED = 0.005
"""Of value: less cash over its target that nobody brought is not new money."""


@dataclass(frozen=True, slots=True)
class Allotment:
    """What new money buys.

    order    securities, the largest gap first
    lots     (n,) of each security
    idle     most cash that a plan may leave over target and reserve, of value, after costs
    """

    order: tuple[int, ...]
    lots: IntArray
    idle: float


def new_money(ctx: Context) -> float:
    """Cash that may pay, over its target and the reserve, of value; 0 where there is none.

    Cash that nobody brought counts from half a percent on.
    """
    if ctx.target_weights is None or ctx.is_short:
        return 0.0
    cash = ctx.cash_weight - ctx.open_buys_weight - ctx.awaited_weight
    floor = least_spendable(ctx.spendable_weight, ctx.spendable_weight, ctx.keeps_weight)
    # what is meant for a target that cannot be bought waits for it
    least = max(ctx.target_cash + ctx.absent_target, ctx.keeps_weight)
    over = min(cash - least, ctx.spendable_weight - floor)
    if not brought(ctx) and ctx.rules.rebalance.trigger == "band":
        return 0.0  # what nobody brought is inside the band of cash, or outside
    return over if over > 0 and (brought(ctx) or over >= NOTICED - LOT_TOLERANCE) else 0.0


def brought(ctx: Context) -> bool:
    """Is there a deposit?"""
    return ctx.deposits_weight > 0


def least_lots(ctx: Context) -> IntArray:
    """(n,) fewest lots that new money buys: for its commission, and the least order in money."""
    least = least_of_new_money(ctx) / ctx.value
    lot = np.where(ctx.lot_weight > 0, ctx.lot_weight, np.inf)
    return np.maximum(np.ceil(least / lot - LOT_TOLERANCE), 1).astype(np.int64)


def allotted(ctx: Context, most: IntArray, money: float) -> Allotment:
    """Whole lots for new money, the largest gap first.

    most    (n,) lots that may be bought of each security at all, up to its target; 0 where none
    money   `new_money`
    """
    lots, rest, order = np.zeros(ctx.n, dtype=np.int64), money, list[int]()
    if ctx.target_weights is None:
        return Allotment((), lots, 0.0)
    fixed, least = ctx.costs.fixed / ctx.value, least_lots(ctx)
    each = ctx.lot_weight * (1 + cost_rates(ctx))
    gap = np.where(most >= 1, ctx.target_weights - ctx.weights, 0.0)
    for i in np.argsort(-gap, kind="stable")[: int((most >= 1).sum())].tolist():
        paid = int(min(int(most[i]), _whole((rest - fixed) / each[i])))
        if paid >= least[i]:
            lots[i] = paid
            rest -= fixed + paid * float(each[i])
            order.append(i)
    cheapest = float(ctx.lot_weight[most >= 1].min(initial=np.inf))
    return Allotment(tuple(order), lots, max(rest, min(cheapest, money)))


def _whole(lots: float) -> int:
    """But for division noise."""
    return max(0, int(np.floor(lots + LOT_TOLERANCE)))


def least_invested(ctx: Context, orders: Sequence[tuple[int, int]], idle: float) -> float:
    """What a plan must buy, of value before costs, to leave no more than `idle` of it.

    orders   (security, lots) of the list that surely may be the plan
    """
    spent = sum(count * float(ctx.lot_weight[i]) for i, count in orders)
    fixed, rates = ctx.costs.fixed / ctx.value, cost_rates(ctx)
    costs = sum(fixed + count * float(ctx.lot_weight[i] * rates[i]) for i, count in orders)
    rest = new_money(ctx) - spent - costs
    return max(0.0, spent - max(0.0, idle - rest))


def small_buys(ctx: Context) -> Iterator[tuple[int, Drop]]:
    """Securities that a deposit has money left for, of which it would buy too small an order."""
    money, least = new_money(ctx), least_of_new_money(ctx)
    if not money or not brought(ctx):
        return
    setting = "min_trade_base" if least <= ctx.limits.min_trade_base else "max_cost_share"
    lots = nearest_lots(ctx, np.arange(ctx.n, dtype=np.int64))
    lots = np.where(ctx.can_buy, np.maximum(lots, 0), 0)
    amounts = lots * ctx.lot_weight * ctx.value
    spent = float((allotted(ctx, lots, money).lots * ctx.lot_weight).sum())
    small = (amounts > 0) & (amounts < least) & (amounts <= (money - spent) * ctx.value)
    words = "new money would buy {currency:text} {amount:money} of it; an order is at least "
    for i in np.flatnonzero(small).tolist():
        facts = {"amount": published(float(amounts[i])), "least": published(least)}
        why = say(f"{words}{{least:money}} (limits.{setting})", currency=ctx.base_currency, **facts)
        yield i, Drop(SMALL_BUY, float(amounts[i]) / ctx.value, least / ctx.value, why)


def free_in_any_size(ctx: Context) -> bool:
    """Does an order in what new money buys bear no hurdle, whatever its size?

    What is brought has to go somewhere, so that the order is made anyway. Idle cash is put to work
    for nothing as far as it goes; a larger order has to be worth its hurdle like every other.
    """
    return brought(ctx)


def money_called(ctx: Context) -> str:
    """In the words of a reader: what was there already is not new to them."""
    return "new money" if brought(ctx) else "idle cash"


def why_new_money(ctx: Context, i: int) -> Proposal:
    """Why new money buys a security."""
    weight, target = float(ctx.weights[i]), _target(ctx, i)
    why = say(
        f"{money_called(ctx)}; {{weight:pct}} of value, {{gap:pp}} under its target of "
        "{target:pct}",
        weight=weight,
        gap=target - weight,
        target=target,
    )
    return Proposal(NEW_MONEY, why, (NEW_MONEY,))


def _target(ctx: Context, i: int) -> float:
    targets: FloatArray | None = ctx.target_weights
    return 0.0 if targets is None else float(targets[i])
