"""The ways to trade as arrays of the search: what a lot is charged and what it takes of each limit.

A sale that is taxed by tax lots is a way for each stretch of them: within one the tax is linear in
the quantity, and charge and rate give it exactly at whole lots.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from steelyard.arrays import BoolArray, FloatArray, IntArray, frozen
from steelyard.ledger import SAFETY, Account, whole_lots
from steelyard.modules.candidates import Orders, Proposal
from steelyard.modules.context import Context
from steelyard.orders import Side
from steelyard.planning.costs import by_age, cost_rates, sale_tax
from steelyard.planning.reach import Reach
from steelyard.planning.score.charges import ChargeRates
from steelyard.planning.search.lots import LotList, Ways
from steelyard.planning.sizing import Sized
from steelyard.planning.table import capped_groups, group_shares
from steelyard.sentences import say

SEARCHED = Proposal("search", say("part of the best list of whole lots"), ())
"""Who asks for an order that no calculator asked for."""

BUY, SALE, EXIT = 0, 1, 2
"""Kinds of ways, in their order within a security."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trades:
    """Ways before they are charged: (w,) each, by security, then buys, sales and exits.

    kind            BUY, SALE or EXIT
    tax, tax_rate   of value: of an order whatever its size, and per lot besides
    """

    security: IntArray
    kind: IntArray
    lot: FloatArray
    least: IntArray
    most: IntArray
    tax: FloatArray
    tax_rate: FloatArray

    def only(self, keep: BoolArray | IntArray) -> Trades:
        """Some of the ways, by truth or index."""
        return Trades(
            security=self.security[keep], kind=self.kind[keep], lot=self.lot[keep],
            least=self.least[keep], most=self.most[keep],
            tax=self.tax[keep], tax_rate=self.tax_rate[keep],
        )  # fmt: skip

    def asked_for(self, table: Orders) -> Trades:
        """What rows of a table ask for, in any size up to the largest of a security and side."""
        largest: dict[tuple[int, bool], float] = {}
        rows = zip(
            table.security.tolist(), table.is_buy.tolist(), table.delta.tolist(), strict=True
        )
        for i, is_buy, delta in rows:
            largest[i, is_buy] = max(abs(delta), largest.get((i, is_buy), 0.0))
        ways = zip(self.security.tolist(), (self.kind == BUY).tolist(), strict=True)
        size = np.array([largest.get(way, 0.0) for way in ways])
        most = whole_lots(size, np.abs(self.lot)).astype(np.int64)
        asked = replace(self, most=np.minimum(self.most, most))
        return asked.only(asked.most >= asked.least)


@dataclass(frozen=True, slots=True)
class _Sales:
    """Columns (s,) of sales: securities `at`, the rest as in `Trades`."""

    at: IntArray
    least: IntArray
    most: IntArray
    tax: FloatArray
    rate: FloatArray


Stretch = tuple[int, int, float, float]
"""Fewest and most lots, tax whatever the size, tax per lot besides; tax of value."""


def trades_of(ctx: Context, reach: Reach) -> Trades:
    """Every way that the reach of the securities leaves."""
    buys = np.flatnonzero(reach.buys >= reach.least)
    sales = _sales(ctx, reach)
    exits = np.flatnonzero(reach.exits)
    taxed = np.array([sale_tax(ctx, i, _holding(ctx, i)) for i in exits.tolist()], dtype=np.float64)
    security = np.concatenate([buys, sales.at, exits])
    whole = np.ones(len(exits), dtype=np.int64)
    no_tax = np.zeros(len(buys))
    trades = Trades(
        security=security,
        kind=np.repeat([BUY, SALE, EXIT], [len(buys), len(sales.at), len(exits)]),
        lot=np.concatenate([ctx.lot_weight[buys], -ctx.lot_weight[sales.at], -ctx.weights[exits]]),
        least=np.concatenate([reach.least[buys], sales.least, whole]),
        most=np.concatenate([reach.buys[buys], sales.most, whole]),
        tax=np.concatenate([no_tax, sales.tax, taxed]),
        tax_rate=np.concatenate([no_tax, sales.rate, np.zeros(len(exits))]),
    )
    return trades.only(np.lexsort((np.arange(len(security)), trades.kind, security)))


def _holding(ctx: Context, i: int) -> Decimal:
    holding = ctx.holdings[i]
    return Decimal(0) if holding is None else holding.quantity


def _sales(ctx: Context, reach: Reach) -> _Sales:
    """All sales that are no exit, one for each stretch."""
    may = np.flatnonzero(reach.sales >= reach.least_sold)
    if ctx.score.tax_rate == 0:
        nothing = np.zeros(len(may))
        return _Sales(may, reach.least_sold[may], reach.sales[may], nothing, nothing)
    rows = [
        (i, *stretch)
        for i in may.tolist()
        for stretch in stretches(ctx, i, int(reach.least_sold[i]), int(reach.sales[i]))
    ]
    at, least, most = (np.array([row[k] for row in rows], dtype=np.int64) for k in range(3))
    tax, rate = (np.array([row[k] for row in rows], dtype=np.float64) for k in (3, 4))
    return _Sales(at, least, most, tax, rate)


def stretches(ctx: Context, i: int, least: int, most: int) -> Iterator[Stretch]:
    """The whole lots of a sale in stretches within which the tax is linear, oldest lots first."""
    lot, first = ctx.securities[i].lot_size, least
    for end in (*_bends(ctx, i, first * lot, most * lot), most * lot):
        last = int(end // lot)
        if last < first:
            continue
        one_more = _tax(ctx, i, first), _tax(ctx, i, last)
        rate = (one_more[1] - one_more[0]) / (last - first) if last > first else 0.0
        yield first, last, one_more[0] - rate * first, rate
        first = last + 1


def _bends(ctx: Context, i: int, least: Decimal, most: Decimal) -> Iterator[Decimal]:
    """Quantities between least and most at which the tax of a share changes."""
    holding = ctx.holdings[i]
    sold, before = Decimal(0), None
    for lot in by_age(holding.lots if holding else ()):
        gain = 0.0 if lot.unit_cost is None else _gain(ctx, i, lot.unit_cost)
        if before is not None and gain != before and least <= sold < most:
            yield sold
        sold, before = sold + lot.quantity, gain


def _gain(ctx: Context, i: int, unit_cost: Decimal) -> float:
    return float(ctx.prices[i]) - float(unit_cost * ctx.securities[i].multiplier)


def _tax(ctx: Context, i: int, lots: int) -> float:
    return sale_tax(ctx, i, lots * ctx.securities[i].lot_size)


def ways_of(
    ctx: Context, trades: Trades, rates: ChargeRates, account: Account, counted: bool
) -> Ways:
    """The ways charged, and what each takes of the limits of `limits_of`.

    account   the cash walk, of any rows: groups and caps
    counted   is the number of orders limited?
    """
    fixed, rate = ctx.costs.fixed / ctx.value, cost_rates(ctx)[trades.security]
    size = np.abs(trades.lot)
    groups = group_shares(ctx)[trades.security] * trades.lot[:, None]
    once, each = [np.full(len(size), fixed)], [trades.lot + rate * size]
    if account.settled_only:
        buys = trades.kind == BUY
        once, each = [np.where(buys, fixed, 0.0)], [np.where(buys, each[0], 0.0)]
    if account.turnover_cap is not None:
        once, each = [*once, 0 * size], [*each, size / 2]
    for column in groups.T:
        once, each = [*once, 0 * size], [*each, column]
    if counted:
        once, each = [*once, np.ones(len(size))], [*each, 0 * size]
    if account.due is not None:
        once, each = [*once, np.full(len(size), fixed)], [*each, trades.lot + rate * size]
    return Ways(
        security=frozen(trades.security),
        lot=frozen(trades.lot),
        least=frozen(trades.least),
        most=frozen(trades.most),
        charge=frozen(rates.hurdle + rates.cost * fixed + rates.tax * trades.tax),
        rate=frozen(rates.cost * rate * size + rates.tax * trades.tax_rate),
        use=frozen(np.stack(once, axis=1)),
        use_rate=frozen(np.stack(each, axis=1)),
    )


def limits_of(
    ctx: Context, account: Account, orders: int | None
) -> tuple[FloatArray, tuple[str, ...]]:
    """(p,) the limits and their names, as the columns of use."""
    limits = [max(0.0, account.spendable - account.floor) + SAFETY]
    names = ["cash"]
    if account.turnover_cap is not None:
        limits, names = [*limits, account.turnover_cap + SAFETY], [*names, "turnover"]
    if account.group_cap is not None:
        room = np.maximum(account.group_cap, account.group_weights) - account.group_weights
        limits += (room + SAFETY).tolist()
        names += [label for grouping in capped_groups(ctx) for label in grouping.labels]
    if orders is not None:
        limits, names = [*limits, float(orders)], [*names, "orders"]
    if account.due is not None:
        limits, names = [*limits, SAFETY * account.scale - account.due], [*names, "due"]
    return frozen(np.array(limits)), tuple(names)


def lot_quantity(ctx: Context, i: int, kind: int) -> Decimal:
    """Shares of one lot of a way: of an exit all that is held."""
    return _holding(ctx, i) if kind == EXIT else ctx.securities[i].lot_size


def orders_at(ctx: Context, trades: Trades, lots: IntArray) -> list[Sized]:
    """Each way as an order of so many lots, (w,)."""
    every = zip(
        trades.security.tolist(), trades.kind.tolist(), trades.lot.tolist(), lots.tolist(),
        strict=True,
    )  # fmt: skip
    return [
        _order(ctx, i, kind, count * lot_quantity(ctx, i, kind), count * abs(lot))
        for i, kind, lot, count in every
    ]


def _order(ctx: Context, i: int, kind: int, quantity: Decimal, weight: float) -> Sized:
    side = Side.BUY if kind == BUY else Side.SELL
    # down to a target of less than half a lot is an exit too
    return Sized(
        i,
        side,
        quantity,
        weight,
        full_exit=side is Side.SELL and quantity == _holding(ctx, i),
        to_target=False,
        priority_weight=1.0,
        proposals=(SEARCHED,),
    )


def sized(ctx: Context, trades: Trades, orders: LotList) -> list[Sized]:
    """A list as orders, sells first, then by security: as a table has them."""
    at = orders.traded
    way = orders.way[at]
    way = way[np.lexsort((at, trades.kind[way] == BUY))]
    rows = trades.only(way)
    return orders_at(ctx, rows, orders.lots[rows.security])
