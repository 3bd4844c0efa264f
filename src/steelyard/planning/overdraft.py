"""Cash that is short, by debts or withdrawals: the sales that raise it, how much they surely can.

A shortfall is the one case in which a plan must act: hold would leave cash under 0, or a withdrawal
not covered. It is made as small as sales can make it before the score is looked at: they may go
under a target, for whole lots seldom end where cash does, and no least order and no cooldown binds
them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext

import numpy as np

from steelyard.arrays import PAD, frozen
from steelyard.ledger import ExactCash, feasible, fill
from steelyard.modules import contract
from steelyard.modules.candidates import Candidates, Proposal, Ruling
from steelyard.modules.context import Context
from steelyard.modules.registry import BUILT_IN, Module, ModuleParams
from steelyard.money import ZERO, ExactMoney
from steelyard.orders import Side
from steelyard.planning.costs import DIGITS, exact_cost
from steelyard.planning.sizing import Sized
from steelyard.sentences import Fact, Sentence, say

WAITS: Mapping[str, Mapping[str, int]] = {
    "eligibility": {"min_hold_days": 0},
    "recently_traded": {"sell_cooldown_days": 0, "opposite_days": 0},
}
"""Filters that have a sale wait for a day, and how they are asked where it cannot."""

RAISE_CASH = "raise_cash"
"""Who asks for these sales: no module, the cash itself."""


def needs(ctx: Context) -> list[Decimal]:
    """What sales have to bring, base currency, most first: what is to stay, at least no debt.

    Empty where cash is not short.
    """
    money = ctx.exact
    if money is None or not money.is_short:
        return []
    levels = {money.due - money.free, -money.free, -money.whole}
    return sorted((amount for amount in levels if amount > 0), reverse=True)


def ruling_of(ctx: Context, table: Candidates, module: Module, params: ModuleParams) -> Ruling:
    """What a mask filter says of a table; where cash is short no sale waits for a day to come."""
    ruling = contract.ruling(ctx, module.call(ctx, table, params), table.m)
    if not ctx.is_short or module.source != BUILT_IN or module.name not in WAITS:
        return ruling
    params = params.model_copy(update=WAITS[module.name])
    sales = contract.ruling(ctx, module.call(ctx, table, params), table.m)
    keep = np.where(table.is_buy, ruling.keep, sales.keep)
    drops = {
        j: (ruling if table.is_buy[j] else sales).drops[j] for j in np.flatnonzero(~keep).tolist()
    }
    return Ruling(frozen(keep), drops, ruling.unknown)


def sales_for_cash(ctx: Context) -> list[Sized]:
    """Sales of each holding that may be sold: all that is missing, its share of it, everything."""
    missing, money = needs(ctx), ctx.exact
    if not missing or money is None:
        return []
    may = np.flatnonzero(ctx.can_sell & ~ctx.sales_wait & (ctx.sellable > 0))
    whole = sum((_worth(ctx, money, int(i)) for i in may), ZERO)
    orders: dict[tuple[int, Decimal], Sized] = {}
    for i in may.tolist():
        share = _worth(ctx, money, i) / whole
        for amount in (*missing, *(part * share for part in missing), None):
            order = _sale(ctx, money, i, amount)
            if order is not None:
                orders.setdefault((i, order.quantity), order)
        for order in _past_target(ctx, i):
            orders.setdefault((i, order.quantity), order)
    return list(orders.values())


def _worth(ctx: Context, money: ExactMoney, i: int) -> Decimal:
    return Decimal(repr(float(ctx.sellable[i]))) * money.shares[i]


def _sale(ctx: Context, money: ExactMoney, i: int, amount: Decimal | None) -> Sized | None:
    """The fewest lots that bring an amount after costs, at least the least order; None = all."""
    holding, lot = ctx.holdings[i], ctx.securities[i].lot_size
    if holding is None:
        return None
    sellable = Decimal(repr(float(ctx.sellable[i])))
    free = float(ctx.sellable[i]) == float(ctx.quantities[i])
    most = (min(sellable, holding.quantity) / lot).to_integral_value(ROUND_FLOOR)
    fixed, rate = exact_cost(ctx.costs, foreign=ctx.securities[i].currency != ctx.base_currency)
    lots = most
    if amount is not None:
        brings = (amount + fixed) / (lot * money.shares[i] * (1 - rate))
        lots = brings.to_integral_value(ROUND_CEILING)
    rest = holding.quantity - lots * lot
    least = Decimal(repr(ctx.min_order_weight)) * money.value
    if free and (amount is None or rest * money.shares[i] < least):
        return sale_for_cash(ctx, i, holding.quantity)
    return sale_for_cash(ctx, i, lots * lot) if 0 < lots <= most else None


def _past_target(ctx: Context, i: int) -> Iterator[Sized]:
    """Down to the target, and one lot further than that goes in whole lots."""
    if ctx.target_weights is None or ctx.weights[i] <= ctx.target_weights[i]:
        return
    over = float(ctx.weights[i] - ctx.target_weights[i])
    lots = Decimal(int(over / float(ctx.lot_weight[i])) + 1)
    quantity = lots * ctx.securities[i].lot_size
    holding = ctx.holdings[i]
    if holding is not None and quantity <= Decimal(repr(float(ctx.sellable[i]))):
        yield sale_for_cash(ctx, i, quantity)


def sale_for_cash(ctx: Context, i: int, quantity: Decimal) -> Sized:
    """A sale of security i that cash asks for."""
    holding, lots = ctx.holdings[i], float(quantity / ctx.securities[i].lot_size)
    full_exit = holding is not None and quantity == holding.quantity
    return Sized(
        i,
        Side.SELL,
        quantity,
        float(ctx.weights[i]) if full_exit else lots * float(ctx.lot_weight[i]),
        full_exit=full_exit,
        to_target=False,
        priority_weight=1.0,
        proposals=(Proposal(RAISE_CASH, why_overdrawn(ctx), (RAISE_CASH,)),),
    )


def why_overdrawn(ctx: Context) -> Sentence:
    """Why something is sold that no target asks to sell."""
    money = ctx.exact
    if money is None or not money.withdrawn:
        debt = ZERO if money is None else -money.whole
        return say(
            "cash is overdrawn by {base:text} {debt:money}", base=ctx.base_currency, debt=debt
        )
    asked, missing = max(needs(ctx), default=ZERO), max(-money.free, ZERO)
    facts: dict[str, Fact] = {"base": ctx.base_currency, "withdrawn": money.withdrawn}
    words = "withdrawals of {base:text} {withdrawn:money} leave "
    if not missing:
        return say(words + "{stays:money} less in cash than is to stay", stays=asked, **facts)
    if asked > missing:
        facts["stays"] = asked - missing
        words += "cash {missing:money} short, and {stays:money} is to stay"
        return say(words, missing=missing, **facts)
    return say(words + "cash {missing:money} short", missing=missing, **facts)


def with_sales_for_cash(
    rows: Iterable[Sized], for_cash: Iterable[Sized], merged: Callable[[list[Sized]], list[Sized]]
) -> list[Sized]:
    """Rows merged, the sales for cash apart: a lot more or less is what they are for."""
    own = {id(row) for row in for_cash}
    every = list(rows)
    orders = merged([row for row in every if id(row) not in own])
    there = {(row.i, row.side, row.quantity) for row in orders}
    more = [row for row in every if id(row) in own and (row.i, row.side, row.quantity) not in there]
    return sorted([*orders, *more], key=lambda r: (r.side is Side.BUY, r.i, -r.weight))


def with_due(ctx: Context, table: Candidates, lists: Sequence[Sequence[Sized]]) -> Candidates:
    """The table with what its orders must bring: the most that some list of sales surely does.

    lists   of sales that fit what binds all sales, to be tried beside the largest
    """
    demands, cash = needs(ctx), table.account.exact
    if not demands or cash is None:
        return table
    with localcontext(prec=DIGITS):  # sums of flows are exact
        sets = _sets(ctx, table, cash, lists)
        most = max((_brings(cash, row) for row in sets), default=ZERO)
        for need in (amount for amount in (*demands, most) if amount > 0):
            covers = (*_covering(table, cash, need, ctx.search.max_depth), *sets)
            fits = (row for row in covers if _brings(cash, row) >= need and _fits(ctx, table, row))
            row = next(fits, None)
            if row is not None:
                due = replace(cash, due=need)
                account = replace(table.account, due=float(need) / ctx.value, exact=due)
                return replace(table, account=account, cover=tuple(sorted(row)))
    return table


def _brings(cash: ExactCash, row: Iterable[int]) -> Decimal:
    return sum((cash.flows[j] for j in row), ZERO)


def _fits(ctx: Context, table: Candidates, row: Sequence[int]) -> bool:
    """Do the ledger and the filters of rows let a set through?"""
    whole = np.full((1, ctx.search.max_depth), PAD, dtype=np.int64)
    whole[0, : len(row)] = sorted(row)
    return bool(feasible(table.account, whole)[0]) and all(p(whole)[0] for p in table.predicates)


def _sets(
    ctx: Context, table: Candidates, cash: ExactCash, lists: Sequence[Sequence[Sized]]
) -> list[list[int]]:
    """Sets of sales that may be a plan: the lists, and the largest sales that fit together."""
    sales = np.flatnonzero(~table.is_buy).tolist()
    place = {(int(table.security[j]), table.quantity[j]): j for j in sales}
    named = ([place.get((row.i, row.quantity), PAD) for row in rows] for rows in lists)
    brings = sorted((j for j in sales if cash.flows[j] > 0), key=lambda j: (-cash.flows[j], j))
    largest = fill(table.account, [], brings, ctx.search.max_depth)
    sets = (*(row for row in named if PAD not in row), largest)
    return [row for row in sets if row and _fits(ctx, table, row)]


def _covering(table: Candidates, cash: ExactCash, need: Decimal, depth: int) -> Iterator[list[int]]:
    """The fewest sales that bring an amount, the last no larger than it has to be."""
    clash = table.account.apart
    row: list[int] = []
    for j in sorted(_largest(table, cash).values(), key=lambda j: (-cash.flows[j], j)):
        if len(row) < depth and sum(cash.flows[k] for k in row) < need and not clash[j, row].any():
            row.append(j)
    if not row or sum(cash.flows[j] for j in row) < need:
        return
    rest = need - sum((cash.flows[j] for j in row[:-1]), ZERO)
    same = np.flatnonzero((table.security == table.security[row[-1]]) & ~table.is_buy).tolist()
    fits = [j for j in same if cash.flows[j] >= rest and not clash[j, row[:-1]].any()]
    row[-1] = min(fits, key=lambda j: (cash.flows[j], j))
    yield row


def _largest(table: Candidates, cash: ExactCash) -> dict[int, int]:
    """Security -> its sale that brings most."""
    best: dict[int, int] = {}
    for j in np.flatnonzero(~table.is_buy).tolist():
        i = int(table.security[j])
        if i not in best or cash.flows[j] > cash.flows[best[i]]:
            best[i] = j
    return best
