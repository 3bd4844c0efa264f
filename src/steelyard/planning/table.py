"""The finished candidate table: orders as arrays, the score collapsed onto them, priorities, draws.

Priority says what an order is worth by itself: g = weight x multiplier (a sale: / multiplier) x its
net alone, if over 0, and priority = g / (g + .005), in 0..1 and never 1; no other candidate changes
it. `together` is the same figure of its best net alone or with one order of the other side: it only
orders, after all others, sales that gain by what they fund alone, and buys that gain by being
funded. Both order seeds and display and never cut the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from decimal import localcontext
from types import MappingProxyType

import numpy as np

from steelyard.arrays import BoolArray, FloatArray, IntArray, frozen
from steelyard.ledger import Account, ExactCash, Gains, feasible, least_spendable
from steelyard.modules.candidates import Candidates, Orders
from steelyard.modules.context import Context
from steelyard.modules.tables import Pairs, Tables, evaluate, pair_nets
from steelyard.modules.terms import end_state
from steelyard.money import ZERO
from steelyard.orders import Side
from steelyard.planning.collapse import collapse
from steelyard.planning.costs import (
    DIGITS,
    exact_cost,
    exact_gain,
    gain_room,
    order_cost,
    sale_gain,
    sale_tax,
)
from steelyard.planning.draws import by_appeal, diverse_appeal, draw, drawn, group_of, spread
from steelyard.planning.group_limits import group_limits
from steelyard.planning.score.charges import ChargeRates
from steelyard.planning.score.model import ScoreModel
from steelyard.planning.sizing import Sized

HALF_AT = 0.005
"""Gain, weighted, of which the priority is a half: half a point of the score."""
PARTNERS, AT_ONCE = 32, 1_024
"""Of many securities: orders of the other side that each is tried with, and orders at a time."""


def bare_table(ctx: Context, rows: Sequence[Sized]) -> Candidates:
    """The rows as a table without a score: what mask filters and pair conflicts judge."""
    ids = tuple(f"c{j + 1}" for j in range(len(rows)))
    return unscored(orders_table(ctx, rows, ids, account_of(ctx, rows)))


def unscored(orders: Orders) -> Candidates:
    """Orders as a table on which no score stands yet."""
    m, nothing = orders.m, frozen(np.zeros(orders.m))
    return Candidates(
        **{field.name: getattr(orders, field.name) for field in fields(Orders)},
        priority=nothing,
        tables=Tables(nothing, frozen(np.zeros((m, m))), ()),
        alone=nothing,
        paired=nothing,
        together=nothing,
    )


def orders_table(
    ctx: Context, rows: Sequence[Sized], ids: tuple[str | None, ...], account: Account
) -> Orders:
    """The rows as arrays; `account` is the cash walk over them."""
    taxes = [sale_tax(ctx, row.i, row.quantity) if row.side is Side.SELL else 0.0 for row in rows]
    return Orders(
        ids=ids,
        security=account.security,
        is_buy=frozen(account.delta > 0),
        quantity=tuple(row.quantity for row in rows),
        delta=account.delta,
        cost=account.cost,
        tax=frozen(np.array(taxes)),
        full_exit=frozen(np.array([row.full_exit for row in rows], dtype=np.bool_)),
        proposals=tuple(row.proposals for row in rows),
        account=account,
    )


def with_conflicts(table: Candidates, conflicts: BoolArray) -> Candidates:
    """The table with pairs (m, m) that may not go together."""
    return replace(table, account=replace(table.account, conflicts=frozen(conflicts)))


def with_scores(
    ctx: Context, table: Candidates, model: ScoreModel, rates: ChargeRates, weights: FloatArray
) -> Candidates:
    """The finished table: the score collapsed onto it, priorities, draws.

    weights   (m,)  priority weights
    """
    start = end_state(ctx.weights, ctx.cash_weight)
    charged = (table.cost, table.tax, rates, table.hurdled)
    table = replace(table, tables=collapse(model, start, table.security, table.delta, *charged))
    alone = evaluate(table.tables, np.arange(table.m, dtype=np.int64)[:, None])
    paired = paired_gains(table, alone)
    multiplier = ctx.priority_multiplier[table.security]
    weights = weights * np.where(table.is_buy, multiplier, 1 / multiplier)
    table = replace(
        table,
        alone=frozen(alone),
        paired=frozen(paired),
        priority=frozen(_priority(weights, alone)),
        together=frozen(_priority(weights, paired)),
    )
    return with_draws(ctx, table)


def with_draws(ctx: Context, table: Candidates) -> Candidates:
    """The table with what patterns and generators draw from, by its priorities."""
    table = replace(table, diverse=None)
    draws = drawn(ctx, table)
    pool = draw(table, range(table.m), ctx.planner.priority_threshold)
    most = ctx.planner.max_opportunities_per_category
    if ctx.planner.diverse_selection and any(len(rows) > most for rows in draws.values()):
        table = replace(table, diverse=frozen(diverse_appeal(ctx, table, pool)))
        group = group_of(ctx)[table.security]
        draws = {source: spread(table, group, rows, most) for source, rows in draws.items()}
        pool = by_appeal(table, pool)
    return replace(
        table,
        draws=MappingProxyType({source: rows[:most] for source, rows in draws.items()}),
        pool=pool,
    )


def _priority(weights: FloatArray, net: FloatArray) -> FloatArray:
    """(m,) 0..1, and under 1 for any gain: one of .005 has a half."""
    gain = weights * np.maximum(net, 0.0)
    return np.asarray(gain / (gain + HALF_AT))


def paired_gains(table: Candidates, alone: FloatArray) -> FloatArray:
    """(m,) best net of each order alone or with one of the other side, over feasible sets.

    Of many securities, with one of the `PARTNERS` that are best alone.
    """
    gains = np.where(
        feasible(table.account, np.arange(table.m, dtype=np.int64)[:, None]), alone, -np.inf
    )
    sells, buys = np.flatnonzero(~table.is_buy), np.flatnonzero(table.is_buy)
    if isinstance(table.tables.quadratic, Pairs):
        for side, others in ((sells, buys), (buys, sells)):
            # thousands by thousands would take longer than the plan: the best of the other side
            few = others[np.argsort(-alone[others], kind="stable")[:PARTNERS]]
            for k in range(0, len(side) if len(few) else 0, AT_ONCE):
                some = side[k : k + AT_ONCE]
                gains[some] = np.maximum(gains[some], _best_partner(table, some, few))
    elif len(sells) and len(buys):
        pairs = np.stack([np.repeat(sells, len(buys)), np.tile(buys, len(sells))], axis=1)
        net = np.where(
            feasible(table.account, pairs), evaluate(table.tables, pairs), -np.inf
        ).reshape(len(sells), len(buys))
        gains[sells] = np.maximum(gains[sells], net.max(axis=1))
        gains[buys] = np.maximum(gains[buys], net.max(axis=0))
    return np.asarray(gains)


def _best_partner(table: Candidates, some: IntArray, others: IntArray) -> FloatArray:
    """(s,) best net of each order with one of the others, over feasible sets."""
    pairs = np.stack([np.repeat(some, len(others)), np.tile(others, len(some))], axis=1)
    fits = feasible(table.account, pairs).reshape(len(some), len(others))
    net = np.where(fits, pair_nets(table.tables, some, others), -np.inf)
    return np.asarray(net.max(axis=1))


def account_of(ctx: Context, rows: Sequence[Sized]) -> Account:
    """The cash walk over the rows."""
    security = np.array([row.i for row in rows], dtype=np.int64)
    groups = group_limits(ctx)
    return Account(
        security=frozen(security),
        delta=frozen(
            np.array([row.weight if row.side is Side.BUY else -row.weight for row in rows])
        ),
        cost=frozen(np.array([order_cost(ctx, row.i, row.weight) for row in rows])),
        conflicts=frozen(np.zeros((0, 0), dtype=np.bool_)),
        cash=ctx.spendable_weight,
        spendable=ctx.spendable_weight,
        reserve=ctx.keeps_weight,
        settled_only=ctx.limits.funding == "settled",
        turnover_cap=ctx.limits.max_turnover_weight,
        group_shares=frozen(groups.shares[security]),
        group_weights=groups.weights,
        group_cap=groups.most if groups.names else None,
        exact=exact_cash(ctx, rows),
        gains=gains_of(ctx, rows),
    )


def gains_of(ctx: Context, rows: Sequence[Sized]) -> Gains | None:
    """What the rows realise, against what is left of the yearly budget; None without one."""
    room, money = gain_room(ctx), ctx.exact
    if room is None:
        return None
    sales = [(row.i, row.quantity if row.side is Side.SELL else ZERO) for row in rows]
    of = frozen(np.array([sale_gain(ctx, *sale) for sale in sales], dtype=np.float64))
    exactly = None
    if money is not None:
        exactly = tuple(exact_gain(ctx, money, *sale) for sale in sales), room
    return Gains(of, float(room) / ctx.value, exactly)


def exact_cash(ctx: Context, rows: Sequence[Sized]) -> ExactCash | None:
    """The cash walk over the rows in the decimals of the document; None where those are unknown."""
    money = ctx.exact
    if money is None:
        return None
    costs = {foreign: exact_cost(ctx.costs, foreign=foreign) for foreign in (False, True)}
    flows = []
    with localcontext(prec=DIGITS):
        for row in rows:
            amount = row.quantity * money.shares[row.i]
            fixed, rate = costs[ctx.securities[row.i].currency != ctx.base_currency]
            flows.append((-amount if row.side is Side.BUY else amount) - fixed - rate * amount)
        floor = least_spendable(money.spendable, money.spendable, money.keeps)
        return ExactCash(tuple(flows), money.spendable - floor)
