"""What is traded whatever the score gains, in the scopes of the table: rows, and the set they make.

New money, and answers to weights outside their bands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np

from steelyard.arrays import PAD, IntArray, frozen
from steelyard.ledger import fill
from steelyard.modules.candidates import Candidates, Proposal
from steelyard.modules.context import Context
from steelyard.orders import Side
from steelyard.planning.bands import BANDS, FUNDING, answers_within, by_bands
from steelyard.planning.new_money import (
    NEW_MONEY,
    allotted,
    free_in_any_size,
    least_invested,
    new_money,
    why_new_money,
)
from steelyard.planning.reach import reach_of
from steelyard.planning.sizing import Sized

ASKED = frozenset({NEW_MONEY, BANDS, FUNDING})
"""Who asks for what is traded whatever the score gains."""


def probes(ctx: Context, rows: Sequence[Sized]) -> list[Sized]:
    """The largest order of each security that may be asked for and no row asks for: filters judge
    it, and what they leave is traded.
    """
    if ctx.search.scope == "quantities" or not (new_money(ctx) or by_bands(ctx)):
        return []
    reach, asked = reach_of(ctx, for_cash=False), {(row.i, row.side) for row in rows}
    tried = [_order(ctx, i, int(reach.buys[i]), ()) for i in np.flatnonzero(reach.buys).tolist()]
    if by_bands(ctx):
        sold = np.where(reach.exits, 1, reach.sales)
        tried += [
            _order(ctx, i, -int(sold[i]), (), whole=bool(reach.exits[i]))
            for i in np.flatnonzero(sold).tolist()
        ]
    return [row for row in tried if (row.i, row.side) not in asked]


def asked_rows(ctx: Context, rows: Sequence[Sized], tried: Sequence[Sized]) -> list[Sized]:
    """What is traded whatever the score gains, of what filters left; `tried` are its probes."""
    if ctx.search.scope == "quantities" or not (new_money(ctx) or by_bands(ctx)):
        return []
    may, reach = np.zeros((2, ctx.n), dtype=np.bool_), reach_of(ctx, for_cash=False)
    for row in (*rows, *tried):
        may[0 if row.side is Side.BUY else 1, row.i] = True
    allot = allotted(ctx, np.where(may[0], reach.buys, 0), new_money(ctx))
    if not by_bands(ctx):
        bought = [(i, int(allot.lots[i])) for i in allot.order]
        return [_order(ctx, i, lots, (why_new_money(ctx, i),)) for i, lots in bought]
    due = answers_within(ctx, reach, (may[0], may[1]), allot.lots, ctx.search.max_depth)
    return [
        _order(ctx, i, lots, due.asked(ctx, i, allot.lots), whole=i in due.whole)
        for i, lots in due.lots.items()
    ]


def _order(
    ctx: Context, i: int, lots: int, asked: tuple[Proposal, ...], *, whole: bool = False
) -> Sized:
    """Signed lots of a security as an order; `whole` sells all that is held."""
    holding, side = ctx.holdings[i], Side.BUY if lots > 0 else Side.SELL
    held_shares = Decimal(0) if holding is None else holding.quantity
    quantity = held_shares if whole else abs(lots) * ctx.securities[i].lot_size
    weight = float(ctx.weights[i]) if whole else abs(lots) * float(ctx.lot_weight[i])
    return Sized(
        i,
        side,
        quantity,
        weight,
        full_exit=side is Side.SELL and quantity == held_shares,
        to_target=False,
        priority_weight=1.0,
        proposals=asked,
    )


def with_base(ctx: Context, table: Candidates) -> Candidates:
    """The table with the set of what is asked for, as far as a set may be that long."""
    asked = [j for j in range(table.m) if _asks(table, j)]
    if not asked or ctx.target_weights is None:
        return table
    gap = np.abs(ctx.target_weights - ctx.weights)[table.security]
    # sales first, for they pay; of each side the largest gap first
    asked.sort(key=lambda j: (bool(table.is_buy[j]), -gap[j], j))
    rows = fill(table.account, [], asked, ctx.search.max_depth)
    while rows and not _permitted(table, rows, ctx.search.max_depth):
        rows.pop()
    if not rows:
        account = replace(table.account, invest=None)
        return replace(table, account=account, free=None, base=())
    change = np.zeros(ctx.n)
    change[table.security[rows]] = table.delta[rows]
    own = change[table.security]
    upto = (np.abs(table.delta) <= np.abs(own)) | ((own != 0) & free_in_any_size(ctx))
    free = upto & (np.sign(table.delta) == np.sign(own))
    invest = None if by_bands(ctx) else _invested(ctx, table, rows, asked)
    account = replace(table.account, invest=invest)
    return replace(table, account=account, free=frozen(free), base=tuple(sorted(rows)))


def _invested(ctx: Context, table: Candidates, rows: Sequence[int], asked: Sequence[int]) -> float:
    cheapest = float(ctx.lot_weight[table.security[list(asked)]].min())
    orders = [(int(table.security[j]), round(_lots(ctx, table, j))) for j in rows]
    return least_invested(ctx, orders, min(cheapest, new_money(ctx)))


def base_agreed(ctx: Context, table: Candidates) -> bool:
    """Do the filters of rows let through what is asked for?"""
    return not table.base or _permitted(table, table.base, ctx.search.max_depth)


def with_rows(rows: Sequence[Sized], more: Sequence[Sized]) -> list[Sized]:
    """Rows and those that are asked for whatever they gain; of one size they are one row."""
    every = {(row.i, row.side, row.quantity): row for row in rows}
    for row in more:
        key = (row.i, row.side, row.quantity)
        there = every.get(key)
        own = () if there is None else there.proposals
        every[key] = replace(there or row, proposals=(*row.proposals, *own))
    return sorted(every.values(), key=lambda r: (r.side is Side.BUY, r.i, -r.weight))


def _asks(table: Candidates, j: int) -> bool:
    return any(proposal.source in ASKED for proposal in table.proposals[j])


def _lots(ctx: Context, table: Candidates, j: int) -> float:
    return float(table.quantity[j] / ctx.securities[int(table.security[j])].lot_size)


def _permitted(table: Candidates, rows: Sequence[int], depth: int) -> bool:
    whole: IntArray = np.full((1, depth), PAD, dtype=np.int64)
    whole[0, : len(rows)] = sorted(rows)
    return all(bool(predicate(whole)[0]) for predicate in table.predicates)
