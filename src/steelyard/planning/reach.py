"""How far each security may be traded: fewest and most lots of a buy, of a sale, and a full exit.

Every bound of the plan that concerns one security alone stands here: targets, caps, the least
order, what is held and not reserved, no stumps, what may be bought and sold at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from steelyard.arrays import BoolArray, FloatArray, IntArray, frozen
from steelyard.ledger import LOT_TOLERANCE, whole_lots
from steelyard.modules.context import Context
from steelyard.planning.nearest import MOST, nearest_lots
from steelyard.planning.new_money import least_lots, new_money
from steelyard.planning.sizing import paused

DUST = 0.005
"""Of value: a smaller rest of what has no target is dust, and goes with the sale."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What may be traded, whole lots of each of n securities; most < least = not at all.

    least_sold   (n,) of a sale that is no full exit
    least_bought (n,) of a buy: of new money fewer
    buys, sales (n,)  most lots
    exits       (n,)  may all that is held be sold?
    turning     (n,)  lots at which an order that goes towards its target passes it; 0 = none does
    """

    least_sold: IntArray
    least_bought: IntArray
    buys: IntArray
    sales: IntArray
    exits: BoolArray
    turning: IntArray


def reach_of(ctx: Context, *, for_cash: bool, usual: bool = False) -> Reach:
    """What each security may be traded for.

    for_cash   sales may go under their targets, and be of one lot
    """
    nearest = nearest_lots(ctx, np.arange(ctx.n, dtype=np.int64))
    may_sell = ctx.can_sell & ~ctx.sales_wait & (ctx.quantities > 0)
    untargeted = np.ones(ctx.n, dtype=np.bool_)
    if ctx.target_weights is not None and not for_cash:
        untargeted = ctx.target_weights == 0
    exits = may_sell & untargeted & (ctx.sellable == ctx.quantities) & (ctx.weights > 0)
    least = _least(ctx)
    fewer = np.minimum(least, least_lots(ctx)) if new_money(ctx) and not usual else least
    if ctx.target_weights is not None and ctx.rules.rebalance.trigger == "band":
        least = fewer = np.minimum(least, least_lots(ctx))
    return Reach(
        least_sold=frozen(np.ones_like(least) if for_cash else least),
        least_bought=frozen(fewer),
        buys=frozen(_most_bought(ctx, nearest, _money(ctx, may_sell))),
        sales=frozen(np.where(may_sell, _most_sold(ctx, nearest, untargeted, exits), 0)),
        exits=frozen(exits),
        turning=frozen(_turning(ctx, nearest)),
    )


def _lots(ctx: Context, weight: FloatArray) -> IntArray:
    """(n,) whole lots in weights, at least 0 and at most what is counted."""
    lot = np.where(ctx.lot_weight > 0, ctx.lot_weight, np.inf)
    return np.clip(whole_lots(weight, lot), 0, MOST).astype(np.int64)


def _least(ctx: Context) -> IntArray:
    """(n,) fewest lots that are an order; but for division noise."""
    lot = np.where(ctx.lot_weight > 0, ctx.lot_weight, np.inf)
    lots = np.ceil(ctx.min_order_weight / lot - LOT_TOLERANCE)
    return np.clip(lots, 1, MOST).astype(np.int64)


def _money(ctx: Context, may_sell: BoolArray) -> float:
    """All the money there could be for one buy, of value: what may be spent, and every sale."""
    spare = max(ctx.spendable_weight, 0.0)
    if ctx.limits.funding == "settled":
        return spare
    worth = ctx.sellable * ctx.prices * ctx.fx / ctx.value
    return spare + float(np.where(may_sell, worth, 0.0).sum())


def _most_bought(ctx: Context, nearest: IntArray, money: float) -> IntArray:
    """(n,) up to the target in nearest lots, or to the cap; never for more than there could be."""
    if paused(ctx) is not None:
        return np.zeros(ctx.n, dtype=np.int64)
    room = np.maximum(ctx.caps, ctx.weights) - ctx.weights
    # where nothing caps a buy, money does
    most = _lots(ctx, np.minimum(room, money))
    eager = min(ctx.state.aggression, 1.0)
    if ctx.target_weights is None:
        most = _lots(ctx, np.minimum(room, money) * eager)
    else:
        gap = np.maximum(ctx.target_weights - ctx.weights, 0.0)
        towards = nearest if eager == 1 else np.minimum(nearest, _lots(ctx, gap * eager))
        most = np.minimum(most, towards)
    return np.where(ctx.can_buy, most, 0)


def _most_sold(
    ctx: Context, nearest: IntArray, untargeted: BoolArray, exits: BoolArray
) -> IntArray:
    """(n,) down to the target in nearest lots; of what may go whole, no stump stays."""
    sellable = _sellable(ctx)
    # without a least order a rest of nothing would be no stump, but the exit
    partly = np.where(exits, _before_all(ctx, sellable), sellable)
    # what has a target and is sold for cash may leave any rest
    bare = True if ctx.target_weights is None else ctx.target_weights == 0
    rest = _lots(ctx, ctx.weights - np.maximum(ctx.min_order_weight, DUST * bare))
    whole = np.where(exits & bare, np.minimum(rest, partly), partly)
    return np.minimum(sellable, np.where(untargeted, whole, np.maximum(-nearest, 0)))


def _sellable(ctx: Context) -> IntArray:
    """(n,) whole lots of what no open order covers, never more than is held in decimals."""
    lots = _lots(ctx, ctx.sellable * ctx.prices * ctx.fx / ctx.value)
    for i in np.flatnonzero((lots > 0) & (_off_grid(ctx, ctx.sellable) <= LOT_TOLERANCE * lots)):
        holding, shares = ctx.holdings[i], int(lots[i]) * ctx.securities[i].lot_size
        held_short = holding is not None and shares > holding.quantity
        if held_short or float(shares) > float(ctx.sellable[i]):
            lots[i] -= 1
    return lots


def _off_grid(ctx: Context, shares: FloatArray) -> FloatArray:
    """(n,) distance of shares from whole lots, in lots."""
    lots = shares / ctx.lot_sizes
    return np.asarray(np.abs(lots - np.rint(lots)))


def _before_all(ctx: Context, sellable: IntArray) -> IntArray:
    """(n,) one lot fewer where whole lots are all that is held: all of it is the exit."""
    exact = sellable.copy()
    for i in np.flatnonzero(
        (sellable > 0) & (_off_grid(ctx, ctx.quantities) <= LOT_TOLERANCE * sellable)
    ).tolist():
        holding = ctx.holdings[i]
        if holding is not None and holding.quantity == _shares(ctx, i, int(sellable[i])):
            exact[i] -= 1
    return exact


def _shares(ctx: Context, i: int, lots: int) -> Decimal:
    return lots * ctx.securities[i].lot_size


def _turning(ctx: Context, nearest: IntArray) -> IntArray:
    """(n,) lots of the order that passes its target by less than half of one."""
    if ctx.target_weights is None:
        return np.zeros(ctx.n, dtype=np.int64)
    lots = np.abs(nearest)
    passes = lots * ctx.lot_weight > np.abs(ctx.target_weights - ctx.weights)
    return np.where(passes, lots, 0)
