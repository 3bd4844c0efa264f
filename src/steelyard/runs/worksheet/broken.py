"""Every limit that some orders break: each order's own, the filters', and those of all together.

An order just as the plan has it is asked none of its own: what the plan may do, it may.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

import numpy as np

from steelyard.arrays import IntArray
from steelyard.ledger import SAFETY, Account
from steelyard.modules.context import Context
from steelyard.notices import Drop
from steelyard.orders import Side
from steelyard.planning.costs import least_of_new_money
from steelyard.planning.group_limits import group_limits
from steelyard.planning.new_money import new_money
from steelyard.planning.objections import objections
from steelyard.planning.rejections import cash_short, over_caps
from steelyard.planning.sizing import Sized
from steelyard.planning.solve import Solution
from steelyard.planning.stated import Stated, hindrances, owing
from steelyard.runs.worksheet.records import Broken
from steelyard.runs.worksheet.sheet import Sheet
from steelyard.sentences import say

GROUP = "max_group"


def broken(
    sheet: Sheet, m: Solution, rows: Sequence[Sized], quantities: Mapping[str, Decimal]
) -> Iterator[Broken]:
    """Those that orders break which stand in the place of the plan's; each order's own first.

    rows, quantities   the same orders, as `m` has them
    """
    ctx, changed = sheet.ctx, list[int]()
    for j, row in enumerate(rows):
        symbol = ctx.symbols[row.i]
        if sheet.calculated.get(symbol) == quantities[symbol]:
            continue
        changed.append(j)
        order = Stated(symbol, row.side, row.quantity)
        for drop in hindrances(ctx, order, _least(ctx, row)):
            yield _of(drop, symbol)
    if not rows or quantities == sheet.calculated:
        yield from _together(sheet, m, len(rows)) if quantities != sheet.calculated else ()
        return
    for objection in objections(ctx, rows, sheet.case.strategy, sheet.guard):
        own = [j for j in objection.rows if j in changed]
        if own or not objection.rows:
            yield _of(objection.drop, ctx.symbols[rows[own[0]].i] if own else None)
    yield from _together(sheet, m, len(rows))


def _least(ctx: Context, row: Sized) -> float:
    """The least order, of value: sales for missing cash have none, buys of new money their own."""
    if row.side is Side.SELL:
        return 0.0 if ctx.is_short else ctx.min_order_weight
    if new_money(ctx):
        return min(ctx.min_order_weight, least_of_new_money(ctx) / ctx.value)
    return ctx.min_order_weight


def _together(sheet: Sheet, m: Solution, count: int) -> Iterator[Broken]:
    """What all orders break together."""
    most, account = sheet.plan.rules.max_orders, m.orders.account
    if most is not None and count > most:
        why = say(
            "{count:count} orders; at most {most:count} are allowed (limits.max_orders)",
            count=count,
            most=most,
        )
        yield Broken("max_orders", why, float(count), float(most), None)
    row = np.arange(count, dtype=np.int64)[None, :]
    short = cash_short(account, row) if count else None
    if short is not None:
        yield _of(short, None)
    for drop in over_caps(account, row):
        if drop.rule == GROUP:
            yield from _groups(sheet.ctx, account, row)
        else:
            yield _of(drop, None)
    # what is due must be raised; how much new money is put to work is a person's own to say
    due = owing(account, row) if account.invest is None else None
    if due is not None:
        yield _of(due, None)


def _groups(ctx: Context, account: Account, row: IntArray) -> Iterator[Broken]:
    """Each group that ends over its cap, or past its target."""
    limits = group_limits(ctx)
    moved = (account.delta[row[0], None] * account.group_shares[row[0]]).sum(axis=0)
    after = account.group_weights + moved
    most = np.maximum(limits.most, account.group_weights)
    words = "{group:text} would be at {after:pct} of value; at most {most:pct} is allowed"
    target = " target"
    for name, weight, limit in zip(limits.names, after.tolist(), most.tolist(), strict=True):
        if weight <= limit + SAFETY:
            continue
        if name.endswith(target):
            why = say("{group:text} would be passed", group=name)
            yield Broken("group_target", why, abs(weight), abs(limit), None)
        else:
            why = say(words, group=name, after=weight, most=limit)
            yield Broken(GROUP, why, weight, limit, None)


def _of(drop: Drop, symbol: str | None) -> Broken:
    return Broken(drop.rule, drop.why, drop.value, drop.limit, symbol)
