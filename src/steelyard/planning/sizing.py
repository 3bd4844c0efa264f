"""From wanted changes of weight to whole orders: lots, masks, merging.

No calculator computes a quantity; here alone a wish becomes an order. Every wish ends once: as a
row, or as a stop with its rule and number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from steelyard.errors import ModuleError
from steelyard.ledger import whole_lots
from steelyard.modules.candidates import Candidate, Proposal
from steelyard.modules.context import Context
from steelyard.notices import Drop, Stop
from steelyard.orders import Side
from steelyard.planning.findings import Findings
from steelyard.planning.group_limits import crosses_group
from steelyard.planning.nearest import nearest_lots
from steelyard.portfolio import DRAWDOWN_STEPS
from steelyard.sentences import Fact, say

MERGE_WITHIN = 0.10
"""Sizes of one security and side this close to each other are one order."""

TARGET_WITHOUT_PRICE = "target_without_price"

WHOLE = 1e-9
"""A wish for at least this much less than everything is a wish for everything."""


@dataclass(frozen=True, slots=True)
class Sized:
    """One order in the making: exact quantity and its weight in the context of security `i`."""

    i: int
    side: Side
    quantity: Decimal
    weight: float
    full_exit: bool
    to_target: bool
    priority_weight: float
    proposals: tuple[Proposal, ...]


def size(ctx: Context, source: str, candidate: Candidate, weight: float) -> Sized | Drop:
    """Turn one wanted change of weight into one lot-valid order, or say which rule stops it.

    source   the calculator
    weight   > 0 buys, < 0 sells, of value
    """
    i = ctx.place[candidate.symbol]
    proposal = Proposal(source, candidate.why, candidate.tags)
    crosses = crosses_group(ctx, i, candidate.side, candidate.tags)
    if crosses is not None:
        return crosses
    if candidate.side is Side.BUY:
        return paused(ctx) or _size_buy(
            ctx, i, weight * ctx.state.aggression, candidate.priority_weight, proposal
        )
    return _size_sell(ctx, i, -weight, candidate.priority_weight, proposal)


def paused(ctx: Context) -> Drop | None:
    """Why nothing at all may be bought: the bucket's state or a stormy market."""
    limit = ctx.limits.pause_volatility_ratio
    if limit is not None and ctx.trends.volatility_ratio > limit:
        why = say(
            "a month's volatility is {ratio:ratio} times a year's; over {limit:ratio} times "
            "nothing is bought",
            ratio=ctx.trends.volatility_ratio,
            limit=limit,
        )
        return Drop("high_volatility", ctx.trends.volatility_ratio, limit, why)
    if ctx.state.aggression > 0:
        return None
    if ctx.state.drawdown >= DRAWDOWN_STEPS[-1][0]:
        why = say(
            "nothing is bought while the bucket is {fall:pct} under its high-water mark",
            fall=ctx.state.drawdown,
        )
    else:
        why = say(
            "nothing is bought while the bucket holds {held:pct} of its budget",
            held=ctx.state.funding or 0.0,
        )
    return Drop("aggression", ctx.state.aggression, None, why)


def _size_buy(
    ctx: Context, i: int, asked: float, priority_weight: float, proposal: Proposal
) -> Sized | Drop:
    if not ctx.can_buy[i]:
        return _falls_in_bear(ctx, i) or Drop(
            "allow_buy", None, None, say("may not be bought: switched off, or its price is too old")
        )
    room, rule = _room_to_buy(ctx, i)
    if room <= 0:
        return _no_room(ctx, i, rule, room)
    amount = min(asked, room)
    lots = _lots_bought(ctx, i, amount, room, rule)
    weight = lots * float(ctx.lot_weight[i])
    if weight < ctx.min_order_weight or not lots:
        return _too_small(
            ctx,
            rule if room < asked else "min_order",
            weight,
            amount,
            room if room < asked else None,
        )
    at_target = lots == _lots_bought(ctx, i, room, room, rule)
    return Sized(
        i, Side.BUY, _shares(ctx, i, lots), weight, False, at_target, priority_weight, (proposal,)
    )


def _falls_in_bear(ctx: Context, i: int) -> Drop | None:
    """Why no more is bought of what is held below its cost; None where a bear does not bar it."""
    if not ctx.falls_in_bear[i]:
        return None
    why = say(
        "{loss:pct} below its cost, and a bear market averages nothing down "
        "(regime.bear_averaging_down)",
        loss=-float(ctx.gain[i]),
    )
    return Drop("bear_averaging_down", float(ctx.gain[i]), 0.0, why)


def _room_to_buy(ctx: Context, i: int) -> tuple[float, str]:
    """Largest change of weight that a buy may make, and the rule that sets it."""
    weight = float(ctx.weights[i])
    room, rule = max(float(ctx.caps[i]), weight) - weight, "max_position"
    if ctx.target_weights is not None:
        gap = float(ctx.target_weights[i]) - weight
        if gap <= room:
            room, rule = gap, "no_crossing"
    return float(room), rule


def _size_sell(
    ctx: Context, i: int, asked: float, priority_weight: float, proposal: Proposal
) -> Sized | Drop:
    if not ctx.can_sell[i] or not ctx.quantities[i] > 0:
        return Drop(
            "allow_sell", None, None, say("may not be sold: switched off, or its price is too old")
        )
    if ctx.sales_wait[i]:
        return _waits(ctx)
    unit = float(ctx.prices[i] * ctx.fx[i]) / ctx.value
    sellable = float(ctx.sellable[i]) * unit
    target = 0.0 if ctx.target_weights is None else float(ctx.target_weights[i])
    room = min(sellable, float(ctx.weights[i]) - target)
    if room <= 0:
        return _no_room(
            ctx, i, "no_crossing" if float(ctx.weights[i]) <= target else "open_orders", room
        )
    amount = min(asked, room)
    may_exit = target == 0.0 and ctx.sellable[i] == ctx.quantities[i]
    lots = _lots_sold(ctx, i, amount, room)
    weight = lots * float(ctx.lot_weight[i])
    rest = float(ctx.weights[i]) - weight
    # no stumps: what would be left over of an untargeted name must be an order of its own, else it
    # goes too
    stump = lots > 0 and rest < ctx.min_order_weight
    if may_exit and (stump or amount >= sellable - WHOLE * sellable):
        return _exit(ctx, i, priority_weight, proposal)
    if weight < ctx.min_order_weight or not lots:
        rule = "no_crossing" if room < min(asked, sellable) else "min_order"
        return _too_small(ctx, rule, weight, amount, room if rule == "no_crossing" else None)
    holding = ctx.holdings[i]
    if holding is not None and _shares(ctx, i, lots) == holding.quantity:
        return _exit(ctx, i, priority_weight, proposal)  # its target is less than half a lot
    at_target = lots == _lots_sold(ctx, i, room, room)
    return Sized(
        i, Side.SELL, _shares(ctx, i, lots), weight, False, at_target, priority_weight, (proposal,)
    )


def _waits(ctx: Context) -> Drop:
    """Why nothing without a target is sold: the money may be meant for what it looks like."""
    first, count = ctx.unpriced[0], len(ctx.unpriced)
    what, facts = "{count:count} targets cannot be bought", dict[str, Fact](count=count)
    if count == 1:
        what = "the target of {target:text} cannot be bought: {lack:text}"
        facts = {"target": first.symbol, "lack": first.why}
    why = say(f"not sold for having no target while {what}", **facts)
    return Drop(TARGET_WITHOUT_PRICE, None, None, why)


def _exit(ctx: Context, i: int, priority_weight: float, proposal: Proposal) -> Sized:
    holding = ctx.holdings[i]
    if holding is None:
        raise ModuleError(
            f"{proposal.source} wants to sell {ctx.symbols[i]}, of which nothing is held.",
            code="sells_nothing_held",
            place=ctx.symbols[i],
        )
    return Sized(
        i,
        Side.SELL,
        holding.quantity,
        float(ctx.weights[i]),
        True,
        True,
        priority_weight,
        (proposal,),
    )


def exactly(
    ctx: Context, symbol: str, side: Side, quantity: Decimal, proposals: tuple[Proposal, ...]
) -> Sized:
    """An order as it is stated, whatever it may be: a sale of all that is held weighs what that
    weighs.
    """
    i = ctx.place[symbol]
    holding = ctx.holdings[i]
    whole = side is Side.SELL and holding is not None and quantity == holding.quantity
    lots = float(quantity / ctx.securities[i].lot_size)
    weight = float(ctx.weights[i]) if whole else lots * float(ctx.lot_weight[i])
    return Sized(i, side, quantity, weight, whole, False, 1.0, proposals)


def _shares(ctx: Context, i: int, lots: float) -> Decimal:
    return Decimal(int(lots)) * ctx.securities[i].lot_size


def _lots(ctx: Context, i: int, weight: float) -> float:
    """Whole lots of security i in a weight >= 0."""
    return float(whole_lots(np.array([weight]), ctx.lot_weight[i : i + 1])[0])


def _lots_bought(ctx: Context, i: int, amount: float, room: float, rule: str) -> float:
    """Whole lots of a buy: all of the gap in nearest lots, less of it or the cap rounded down.

    Where the lot more is the same order but for its size, it is left to the search over quantities:
    buys that all pass their targets are more than the cash that the targets share out.
    """
    lots = _lots(ctx, i, amount)
    if rule != "no_crossing" or amount < room or lots >= (1 - MERGE_WITHIN) * (lots + 1):
        return lots
    cap = max(float(ctx.caps[i]), float(ctx.weights[i])) - float(ctx.weights[i])
    nearest = float(nearest_lots(ctx, np.array([i]))[0])
    return nearest if np.isinf(cap) else min(nearest, _lots(ctx, i, cap))


def _lots_sold(ctx: Context, i: int, amount: float, room: float) -> float:
    """Whole lots of a sale: down to a target in nearest lots, less or without one rounded down."""
    if ctx.target_weights is None or ctx.target_weights[i] == 0 or amount < room:
        return _lots_held(ctx, i, amount)
    if room < float(ctx.weights[i] - ctx.target_weights[i]):
        return _lots_held(ctx, i, amount)
    nearest = -float(nearest_lots(ctx, np.array([i]))[0])
    unit = float(ctx.prices[i] * ctx.fx[i]) / ctx.value
    return min(nearest, _lots_held(ctx, i, float(ctx.sellable[i]) * unit))


def _lots_held(ctx: Context, i: int, weight: float) -> float:
    """Whole lots of a sale: what is a whole lot but for its noise may not be sold short."""
    lots, holding = _lots(ctx, i, weight), ctx.holdings[i]
    shares = _shares(ctx, i, lots)
    short = float(shares) > float(ctx.sellable[i]) or (
        holding is not None and shares > holding.quantity
    )
    return lots - 1 if short else lots


def _no_room(ctx: Context, i: int, rule: str, room: float) -> Drop:
    """Nothing of the wish may be traded at all."""
    if rule == "max_position":
        why = say(
            "at {weight:pct} of value it is at or over the position cap of {cap:pct}",
            weight=float(ctx.weights[i]),
            cap=float(ctx.caps[i]),
        )
        return Drop(rule, float(ctx.weights[i]), float(ctx.caps[i]), why)
    if rule == "open_orders":
        return Drop(rule, room, 0.0, say("open sell orders already cover all of it"))
    if room == 0:
        return Drop(rule, room, 0.0, say("on its target: the order would move it away"))
    return Drop(
        rule,
        room,
        0.0,
        say("the order would move it further from its target, {off:pp} away already", off=-room),
    )


def _too_small(ctx: Context, rule: str, weight: float, amount: float, room: float | None) -> Drop:
    """Under one lot or under the least order, and what left so little."""
    least = ctx.min_order_weight
    if rule == "no_crossing":
        why = say(
            "{room:pct} of value off its target, {weight:pct} in whole lots; the least order is "
            "{least:pct}",
            room=room or 0.0,
            weight=weight,
            least=least,
        )
    elif rule == "max_position":
        why = say(
            "the position cap leaves room for {room:pct} of value, {weight:pct} in whole lots; the "
            "least order is {least:pct}",
            room=room or 0.0,
            weight=weight,
            least=least,
        )
    else:
        why = say(
            "{amount:pct} of value is wanted, {weight:pct} in whole lots; the least order is "
            "{least:pct}",
            amount=amount,
            weight=weight,
            least=least,
        )
    return Drop(rule, weight, least, why)


def wishes(candidates: Iterable[Candidate]) -> Iterator[tuple[Candidate, float]]:
    """Each wanted size of each candidate."""
    for candidate in candidates:
        for weight in candidate.weights:
            yield candidate, weight


def merge(ctx: Context, rows: Sequence[Sized], findings: Findings) -> list[Sized]:
    """One row per distinct order: of sizes within 10 % of each other the full exit stays, else the
    one to the target, else the larger.

    A row that stays takes all proposals and the largest priority weight of those merged into it.
    """
    orders: list[Sized] = []
    merged: list[tuple[Sized, int]] = []
    preferred = sorted(
        rows, key=lambda r: (r.i, r.side, not r.full_exit, not r.to_target, -r.weight)
    )
    first = 0  # of the rows kept of this security and side
    for row in preferred:
        if orders and (orders[-1].i, orders[-1].side) != (row.i, row.side):
            first = len(orders)
        near = next((k for k in range(first, len(orders)) if _same_order(row, orders[k])), None)
        if near is None:
            orders.append(row)
            continue
        other = orders[near]
        proposals = (
            *other.proposals,
            *(p for p in row.proposals if p.source not in {q.source for q in other.proposals}),
        )
        orders[near] = replace(
            other,
            proposals=proposals,
            priority_weight=max(other.priority_weight, row.priority_weight),
        )
        merged.append((row, near))
    for row, near in merged:
        into = orders[near]
        why = say(
            "merged into the order of {shares:qty} shares, which is within {within:pct} of its "
            "size",
            shares=into.quantity,
            within=MERGE_WITHIN,
        )
        drop = Drop("same_size", row.weight, into.weight, why)
        findings.stops.append(
            Stop(ctx.symbols[row.i], row.side, "merge", drop, module=row.proposals[0].source)
        )
    shorter = [row for order in orders for row in _a_lot_shorter(ctx, order, orders)]
    return sorted([*orders, *shorter], key=lambda r: (r.side is Side.BUY, r.i, -r.weight))


def _a_lot_shorter(ctx: Context, row: Sized, orders: Sequence[Sized]) -> Iterator[Sized]:
    """A buy that passes its target also a lot shorter: all of them may be more than the cash."""
    if row.side is not Side.BUY or not row.to_target or ctx.target_weights is None:
        return
    if row.weight <= float(ctx.target_weights[row.i] - ctx.weights[row.i]):
        return
    lot, weight = ctx.securities[row.i].lot_size, row.weight - float(ctx.lot_weight[row.i])
    quantity = row.quantity - lot
    there = any(o.i == row.i and o.side is row.side and o.quantity == quantity for o in orders)
    if quantity > 0 and weight >= ctx.min_order_weight and not there:
        yield replace(row, quantity=quantity, weight=weight, to_target=False)


def _same_order(a: Sized, b: Sized) -> bool:
    return (
        a.i == b.i
        and a.side is b.side
        and abs(a.weight - b.weight) <= MERGE_WITHIN * max(a.weight, b.weight)
    )


def why_unasked(ctx: Context, i: int, idle: str | None) -> Drop:
    """Why no calculator wants to trade a security that is held or targeted.

    idle   what keeps weight_based from working: `is off`, `failed`; None where it works
    """
    if ctx.target_weights is None:
        return _falls_in_bear(ctx, i) or Drop(
            "no_calculator", None, None, say("no calculator proposes an order in it")
        )
    off = float(ctx.weights[i] - ctx.target_weights[i])
    if off < 0 and not ctx.can_buy[i]:
        return _falls_in_bear(ctx, i) or Drop(
            "allow_buy", None, None, say("{off:spp} off its target, and may not be bought", off=off)
        )
    if off > 0 and not ctx.can_sell[i]:
        return Drop(
            "allow_sell", None, None, say("{off:spp} off its target, and may not be sold", off=off)
        )
    if idle is not None:
        why = say(
            "{off:spp} off its target; weight_based, which trades towards targets, {idle:text}",
            off=off,
            idle=idle,
        )
        return Drop("no_calculator", None, None, why)
    return Drop(
        "near_target",
        abs(off),
        None,
        say("{off:spp} off its target, less than any calculator acts on", off=off),
    )
