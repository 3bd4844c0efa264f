"""New money in the scopes of the table: the rows that it asks for, and the set that they make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from steelyard.arrays import PAD, IntArray, frozen
from steelyard.ledger import fill
from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.orders import Side
from steelyard.planning.new_money import (
    NEW_MONEY,
    allotted,
    least_invested,
    new_money,
    why_new_money,
)
from steelyard.planning.reach import reach_of
from steelyard.planning.sizing import Sized


def probes(ctx: Context, rows: Sequence[Sized]) -> list[Sized]:
    """The largest buy of each security that new money may buy and no row asks for: filters judge
    it, and what they leave is allotted.
    """
    if ctx.search.scope == "quantities" or not new_money(ctx):
        return []
    most = reach_of(ctx, for_cash=False).buys
    asked = {row.i for row in rows if row.side is Side.BUY}
    return [_buy(ctx, i, int(most[i])) for i in np.flatnonzero(most).tolist() if i not in asked]


def new_money_rows(ctx: Context, rows: Sequence[Sized], tried: Sequence[Sized]) -> list[Sized]:
    """The buys of new money among what filters left; `tried` are its probes."""
    if ctx.search.scope == "quantities" or not new_money(ctx):
        return []
    bought = {row.i for row in rows if row.side is Side.BUY} | {row.i for row in tried}
    may, most = np.zeros(ctx.n, dtype=np.bool_), reach_of(ctx, for_cash=False).buys
    may[[*bought]] = True
    allot = allotted(ctx, np.where(may, most, 0), new_money(ctx))
    return [_buy(ctx, i, int(allot.lots[i])) for i in allot.order]


def _buy(ctx: Context, i: int, lots: int) -> Sized:
    return Sized(
        i,
        Side.BUY,
        lots * ctx.securities[i].lot_size,
        lots * float(ctx.lot_weight[i]),
        full_exit=False,
        to_target=False,
        priority_weight=1.0,
        proposals=(why_new_money(ctx, i),),
    )


def with_base(ctx: Context, table: Candidates) -> Candidates:
    """The table with the set that new money makes, as far as a set may be that long."""
    asked = [j for j in range(table.m) if _asks(table, j)]
    if not asked or ctx.target_weights is None:
        return table
    gap = (ctx.target_weights - ctx.weights)[table.security]
    rows = fill(table.account, [], sorted(asked, key=lambda j: (-gap[j], j)), ctx.search.max_depth)
    while rows and not _permitted(table, rows, ctx.search.max_depth):
        rows.pop()
    if not rows:
        account = replace(table.account, invest=None)
        return replace(table, account=account, free=None, base=())
    lots = np.zeros(ctx.n)
    lots[table.security[rows]] = table.delta[rows]
    free = table.is_buy & (table.delta <= lots[table.security])
    cheapest = float(ctx.lot_weight[table.security[asked]].min())
    orders = [(int(table.security[j]), round(_lots(ctx, table, j))) for j in rows]
    invest = least_invested(ctx, orders, min(cheapest, new_money(ctx)))
    account = replace(table.account, invest=invest)
    return replace(table, account=account, free=frozen(free), base=tuple(sorted(rows)))


def base_agreed(ctx: Context, table: Candidates) -> bool:
    """Do the filters of rows let the set of new money through?"""
    return not table.base or _permitted(table, table.base, ctx.search.max_depth)


def with_rows(rows: Sequence[Sized], more: Sequence[Sized]) -> list[Sized]:
    """Rows and those of new money; of one size they are one row, which new money asks for too."""
    every = {(row.i, row.side, row.quantity): row for row in rows}
    for row in more:
        key = (row.i, row.side, row.quantity)
        there = every.get(key)
        own = () if there is None else there.proposals
        every[key] = replace(there or row, proposals=(*row.proposals, *own))
    return sorted(every.values(), key=lambda r: (r.side is Side.BUY, r.i, -r.weight))


def _asks(table: Candidates, j: int) -> bool:
    return any(proposal.source == NEW_MONEY for proposal in table.proposals[j])


def _lots(ctx: Context, table: Candidates, j: int) -> float:
    return float(table.quantity[j] / ctx.securities[int(table.security[j])].lot_size)


def _permitted(table: Candidates, rows: Sequence[int], depth: int) -> bool:
    whole: IntArray = np.full((1, depth), PAD, dtype=np.int64)
    whole[0, : len(rows)] = sorted(rows)
    return all(bool(predicate(whole)[0]) for predicate in table.predicates)
