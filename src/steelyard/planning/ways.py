"""The ways to trade as arrays of the search: what a lot is charged and what it takes of each limit.

A sale of tax lots is a way for each stretch of them: within one tax and gain are linear in the
quantity, so that charge, rate and use give them exactly at whole lots, and either every order takes
a lot at a loss or none does. Which lot comes after which makes no difference to that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from decimal import Decimal

import numpy as np

from steelyard.arrays import BoolArray, FloatArray, IntArray, frozen
from steelyard.ledger import NEAR, SAFETY, Account, whole_lots
from steelyard.modules.candidates import TRAILING_STOP, Orders, Proposal
from steelyard.modules.context import Context
from steelyard.orders import Side
from steelyard.planning.costs import (
    budgeted_gain,
    cost_rates,
    is_taxed,
    sale_gain,
    sale_tax,
    tax_of_share,
)
from steelyard.planning.group_limits import group_limits
from steelyard.planning.reach import Reach
from steelyard.planning.score.charges import ChargeRates
from steelyard.planning.search.lots import LotList, Ways
from steelyard.planning.sizing import Sized
from steelyard.portfolio import TaxLot
from steelyard.sentences import say

SEARCHED = Proposal("search", say("part of the best list of whole lots"), ())
"""Who asks for an order that no calculator asked for."""

STOPPED = Proposal(SEARCHED.source, SEARCHED.why, (TRAILING_STOP,))
"""The same of a sale at a trailing stop in a size that no calculator asked for."""

BUY, SALE, EXIT = 0, 1, 2
"""Kinds of ways, in their order within a security."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trades:
    """Ways before they are charged: (w,) each, by security, then buys, sales and exits.

    kind            BUY, SALE or EXIT
    tax, tax_rate     of value: of an order whatever its size, and per lot besides
    gain, gain_rate   the same of the net gain that counts for a yearly budget; 0 without one
    free              is the hurdle not charged?
    stop              is it a sale at a trailing stop, which no date holds up?
    """

    security: IntArray
    kind: IntArray
    lot: FloatArray
    least: IntArray
    most: IntArray
    tax: FloatArray
    tax_rate: FloatArray
    free: BoolArray
    gain: FloatArray
    gain_rate: FloatArray
    stop: BoolArray

    def only(self, keep: BoolArray | IntArray) -> Trades:
        """Some of the ways, by truth or index."""
        return Trades(
            security=self.security[keep], kind=self.kind[keep], lot=self.lot[keep],
            least=self.least[keep], most=self.most[keep],
            tax=self.tax[keep], tax_rate=self.tax_rate[keep],
            gain=self.gain[keep], gain_rate=self.gain_rate[keep], free=self.free[keep],
            stop=self.stop[keep],
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
        asked = replace(self, most=np.minimum(self.most, most)).stopping(table)
        return asked.only(asked.most >= asked.least)

    def stopping(self, table: Orders) -> Trades:
        """With the sales marked that rows of a table ask for at a trailing stop."""
        stopped = {
            i
            for i, is_buy, proposals in zip(
                table.security.tolist(), table.is_buy.tolist(), table.proposals, strict=True
            )
            if not is_buy and any(TRAILING_STOP in proposal.tags for proposal in proposals)
        }
        marked = np.isin(self.security, sorted(stopped)) & (self.kind != BUY)
        return replace(self, stop=marked)

    @property
    def proposals(self) -> tuple[tuple[Proposal, ...], ...]:
        """(w,) who asks for each, as the filters look at it."""
        return tuple((STOPPED,) if stop else (SEARCHED,) for stop in self.stop.tolist())


def with_free_buys(trades: Trades, lots: IntArray) -> Trades:
    """Buys of up to `lots` (n,) of a security as ways of their own, free of the hurdle; more than
    may be bought makes all of them free.
    """
    upto = np.minimum(lots[trades.security], trades.most)
    some = (trades.kind == BUY) & (upto >= trades.least)
    free = replace(trades, most=upto, free=some).only(some)
    rest = replace(trades, least=np.where(some, upto + 1, trades.least))
    rest = rest.only(rest.most >= rest.least)
    both = Trades(**{
        field.name: np.concatenate([getattr(free, field.name), getattr(rest, field.name)])
        for field in fields(Trades)
    })  # fmt: skip
    return both.only(np.lexsort((both.least, both.kind, both.security)))


@dataclass(frozen=True, slots=True)
class _Sales:
    """Columns (s,) of sales: securities `at`, the rest as in `Trades`."""

    at: IntArray
    least: IntArray
    most: IntArray
    tax: FloatArray
    tax_rate: FloatArray
    gain: FloatArray
    gain_rate: FloatArray


@dataclass(frozen=True, slots=True)
class Stretch:
    """Fewest and most lots of a sale; its tax and its gain, of value: (whatever the size, per lot
    besides).
    """

    least: int
    most: int
    tax: tuple[float, float]
    gain: tuple[float, float]


def trades_of(ctx: Context, reach: Reach) -> Trades:
    """Every way that the reach of the securities leaves."""
    buys = np.flatnonzero(reach.buys >= reach.least_bought)
    sales = _sales(ctx, reach)
    exits = np.flatnonzero(reach.exits)
    whole_sales = [(i, _holding(ctx, i)) for i in exits.tolist()]
    taxed = np.array([sale_tax(ctx, *sale) for sale in whole_sales], dtype=np.float64)
    gained = np.array([counted_gain(ctx, *sale) for sale in whole_sales], dtype=np.float64)
    security = np.concatenate([buys, sales.at, exits])
    whole = np.ones(len(exits), dtype=np.int64)
    none_of, at_once = np.zeros(len(buys)), np.zeros(len(exits))
    trades = Trades(
        security=security,
        kind=np.repeat([BUY, SALE, EXIT], [len(buys), len(sales.at), len(exits)]),
        lot=np.concatenate([ctx.lot_weight[buys], -ctx.lot_weight[sales.at], -ctx.weights[exits]]),
        least=np.concatenate([reach.least_bought[buys], sales.least, whole]),
        most=np.concatenate([reach.buys[buys], sales.most, whole]),
        tax=np.concatenate([none_of, sales.tax, taxed]),
        tax_rate=np.concatenate([none_of, sales.tax_rate, at_once]),
        gain=np.concatenate([none_of, sales.gain, gained]),
        gain_rate=np.concatenate([none_of, sales.gain_rate, at_once]),
        free=np.zeros(len(security), dtype=np.bool_),
        stop=np.zeros(len(security), dtype=np.bool_),
    )
    return trades.only(np.lexsort((np.arange(len(security)), trades.kind, security)))


def _holding(ctx: Context, i: int) -> Decimal:
    holding = ctx.holdings[i]
    return Decimal(0) if holding is None else holding.quantity


def _sales(ctx: Context, reach: Reach) -> _Sales:
    """All sales that are no exit, one for each stretch."""
    may = np.flatnonzero(reach.sales >= reach.least_sold)
    if not (is_taxed(ctx) or ctx.lots.wash_sale_days or ctx.lots.max_gain_base is not None):
        nothing = np.zeros(len(may))
        return _Sales(may, reach.least_sold[may], reach.sales[may], *(nothing,) * 4)
    rows = [
        (i, stretch)
        for i in may.tolist()
        for stretch in stretches(ctx, i, int(reach.least_sold[i]), int(reach.sales[i]))
    ]
    return _Sales(
        np.array([i for i, _ in rows], dtype=np.int64),
        np.array([row.least for _, row in rows], dtype=np.int64),
        np.array([row.most for _, row in rows], dtype=np.int64),
        *(np.array([row.tax[k] for _, row in rows], dtype=np.float64) for k in (0, 1)),
        *(np.array([row.gain[k] for _, row in rows], dtype=np.float64) for k in (0, 1)),
    )


def stretches(ctx: Context, i: int, least: int, most: int) -> Iterator[Stretch]:
    """The whole lots of a sale in stretches within which tax and gain are linear, in the order in
    which its tax lots are sold.
    """
    lot, first = ctx.securities[i].lot_size, least
    for end in (*_bends(ctx, i, first * lot, most * lot), most * lot):
        last = int(end // lot)
        if last < first:
            continue
        tax, gain = (_line(ctx, i, money, (first, last)) for money in (sale_tax, counted_gain))
        yield Stretch(first, last, tax, gain)
        first = last + 1


def _line(
    ctx: Context, i: int, money: Callable[[Context, int, Decimal], float], ends: tuple[int, int]
) -> tuple[float, float]:
    """(whatever the size, per lot besides) of what is linear between two numbers of lots."""
    (first, last), lot = ends, ctx.securities[i].lot_size
    low = money(ctx, i, first * lot)
    rate = (money(ctx, i, last * lot) - low) / (last - first) if last > first else 0.0
    return low - rate * first, rate


def counted_gain(ctx: Context, i: int, quantity: Decimal) -> float:
    """Net gain of a sale as a budget counts it, of value; 0 without a budget."""
    return 0.0 if ctx.lots.max_gain_base is None else sale_gain(ctx, i, quantity)


def _bends(ctx: Context, i: int, least: Decimal, most: Decimal) -> Iterator[Decimal]:
    """Quantities between least and most at which a share is taxed or counted otherwise."""
    sold, before = Decimal(0), None
    for lot in ctx.lot_order[i]:
        one_share = _of_share(ctx, i, lot)
        if before is not None and one_share != before and least <= sold < most:
            yield sold
        sold, before = sold + lot.quantity, one_share


def _of_share(ctx: Context, i: int, lot: TaxLot) -> tuple[float, float, bool]:
    """(tax, counted gain, is it a loss that matters) of one share of a tax lot."""
    counted = 0.0 if ctx.lots.max_gain_base is None else budgeted_gain(ctx, i, lot)
    lost = bool(ctx.lots.wash_sale_days) and (ctx.gain_of(i, lot) or 0.0) < 0
    return tax_of_share(ctx, i, lot), counted, lost


def ways_of(
    ctx: Context, trades: Trades, rates: ChargeRates, account: Account, counted: bool
) -> Ways:
    """The ways charged, and what each takes of the limits of `limits_of`.

    account   the cash walk, of any rows: groups and caps
    counted   is the number of orders limited?
    """
    fixed, rate = ctx.costs.fixed / ctx.value, cost_rates(ctx)[trades.security]
    size = np.abs(trades.lot)
    groups = group_limits(ctx).shares[trades.security] * trades.lot[:, None]
    once, each = [np.full(len(size), fixed)], [trades.lot + rate * size]
    if account.settled_only:
        buys = trades.kind == BUY
        once, each = [np.where(buys, fixed, 0.0)], [np.where(buys, each[0], 0.0)]
    if account.turnover_cap is not None:
        once, each = [*once, 0 * size], [*each, size / 2]
    for column in groups.T:
        once, each = [*once, 0 * size], [*each, column]
    if account.gains is not None:
        once, each = [*once, trades.gain], [*each, trades.gain_rate]
    if counted:
        once, each = [*once, np.ones(len(size))], [*each, 0 * size]
    if account.due is not None:
        once, each = [*once, np.full(len(size), fixed)], [*each, trades.lot + rate * size]
    if account.invest is not None:
        once, each = [*once, 0 * size], [*each, -np.maximum(trades.lot, 0.0)]
    return Ways(
        security=frozen(trades.security),
        lot=frozen(trades.lot),
        least=frozen(trades.least),
        most=frozen(trades.most),
        charge=frozen(rates.hurdle * ~trades.free + rates.cost * fixed + rates.tax * trades.tax),
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
        names += group_limits(ctx).names
    if account.gains is not None:
        limits, names = [*limits, account.gains.room + SAFETY], [*names, "gain"]
    if orders is not None:
        limits, names = [*limits, float(orders)], [*names, "orders"]
    if account.due is not None:
        limits, names = [*limits, SAFETY * account.scale - account.due], [*names, "due"]
    if account.invest is not None:
        limits, names = [*limits, NEAR - account.invest], [*names, "new money"]
    return frozen(np.array(limits)), tuple(names)


def lot_quantity(ctx: Context, i: int, kind: int) -> Decimal:
    """Shares of one lot of a way: of an exit all that is held."""
    return _holding(ctx, i) if kind == EXIT else ctx.securities[i].lot_size


def orders_at(ctx: Context, trades: Trades, lots: IntArray) -> list[Sized]:
    """Each way as an order of so many lots, (w,)."""
    every = zip(
        trades.security.tolist(), trades.kind.tolist(), trades.lot.tolist(), lots.tolist(),
        trades.proposals, strict=True,
    )  # fmt: skip
    rows = []
    for i, kind, lot, count, proposals in every:
        quantity = count * lot_quantity(ctx, i, kind)
        rows.append(_order(ctx, (i, kind), quantity, count * abs(lot), proposals))
    return rows


def _order(
    ctx: Context,
    way: tuple[int, int],
    quantity: Decimal,
    weight: float,
    proposals: tuple[Proposal, ...],
) -> Sized:
    i, kind = way
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
        proposals=proposals,
    )


def sized(ctx: Context, trades: Trades, orders: LotList) -> list[Sized]:
    """A list as orders, sells first, then by security: as a table has them."""
    at = orders.traded
    way = orders.way[at]
    way = way[np.lexsort((at, trades.kind[way] == BUY))]
    rows = trades.only(way)
    return orders_at(ctx, rows, orders.lots[rows.security])
