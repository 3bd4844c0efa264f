"""May a list of whole lots be a plan? Exactly: what the arrays of the search leave to rounding.

Asked of thousands of lists: floats decide what is clear, decimals what is near a limit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

import numpy as np

from steelyard.arrays import BoolArray, FloatArray, IntArray
from steelyard.ledger import NEAR, SAFETY, Account
from steelyard.modules.context import Context
from steelyard.planning.costs import cost_rates, exact, exact_cost, exact_gain, gain_room
from steelyard.planning.group_limits import group_limits
from steelyard.planning.search.lots import NONE, LotList
from steelyard.planning.ways import BUY, Trades, lot_quantity

NO_WORSE = 1e-12
"""Rounding of a sum of weights: drift higher by no more is not higher."""


@dataclass(frozen=True, kw_only=True)
class Gate:
    """Judges lists of the ways of one plan.

    account   the cash walk without rows: cash, floor, caps, what is due
    turning   (w,)  lots at which an order passes its target; 0 where none does
    judges    what else must agree: filters that judge whole lists
    must      (n,)  securities that every list trades; empty = none
    """

    ctx: Context
    trades: Trades
    account: Account
    turning: IntArray
    orders: int | None
    judges: tuple[Callable[[LotList], bool], ...] = ()
    judged: dict[bytes, bool] = field(default_factory=dict)
    must: BoolArray = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))

    def permits(self, orders: LotList) -> bool:
        """Every rule, the cheap ones first; the empty list may be unless something is due."""
        at = orders.traded
        if not len(at):
            return not self.account.owes and not self.must.any()
        way, lots = orders.way[at], orders.lots[at]
        return (
            (self.orders is None or len(at) <= self.orders)
            and (not len(self.must) or bool((orders.way[self.must] != NONE).all()))
            and self._within_caps(way, lots)
            and self._pays(way, lots)
            and self._brings(way, lots)
            and self._realises(way, lots)
            and self._turns_well(way, lots)
            and self._agreed(orders)
        )

    def _within_caps(self, way: IntArray, lots: IntArray) -> bool:
        account = self.account
        delta = self.trades.lot[way] * lots
        # a little within what the ledger lets through: its sums are in another order
        turnover = float(np.abs(delta).sum()) / 2
        if account.turnover_cap is not None and turnover > account.turnover_cap + SAFETY / 2:
            return False
        if account.group_cap is None:
            return True
        most = np.maximum(account.group_cap, account.group_weights) + SAFETY / 2
        flow = self._shares[self.trades.security[way]] * delta[:, None]
        return bool((account.group_weights + flow.sum(axis=0) <= most).all())

    @cached_property
    def _shares(self) -> FloatArray:
        return group_limits(self.ctx).shares

    @cached_property
    def _rates(self) -> FloatArray:
        """(w,) cost of a lot, of value."""
        return cost_rates(self.ctx)[self.trades.security] * np.abs(self.trades.lot)

    def _brought(self, way: IntArray, lots: IntArray) -> FloatArray:
        """(d,) what the orders do to the cash, of value."""
        fixed = self.ctx.costs.fixed / self.ctx.value
        return np.asarray(-(self.trades.lot[way] + self._rates[way]) * lots - fixed)

    def _pays(self, way: IntArray, lots: IntArray) -> bool:
        """Does the cash reach? On its floor it does; orders that take none always may be."""
        account, flows = self.account, self._brought(way, lots)
        if account.settled_only:
            flows = np.minimum(flows, 0.0)
        over = account.spendable - account.floor + float(flows.sum())
        if abs(over) > NEAR * max(account.scale, float(np.abs(flows).max())):
            return over > 0
        units = self._units(way, lots)
        if account.settled_only:
            units = [min(unit, 0) for unit in units]
        return self.exact.spare + sum(units) >= 0

    def _brings(self, way: IntArray, lots: IntArray) -> bool:
        """Do the orders bring what is due, or invest the new money?"""
        account = self.account
        if account.invest is not None:
            buys = np.maximum(self.trades.lot[way], 0.0) * lots
            return float(buys.sum()) >= account.invest - NEAR
        if account.due is None:
            return True
        flows = self._brought(way, lots)
        over = float(flows.sum()) - account.due
        if self.exact.due is None or abs(over) > NEAR * max(1.0, float(np.abs(flows).max())):
            return over >= 0
        return sum(self._units(way, lots)) >= self.exact.due

    def _realises(self, way: IntArray, lots: IntArray) -> bool:
        """Are the gains within what is left of the year's budget?"""
        gains, trades = self.account.gains, self.trades
        if gains is None:
            return True
        own = trades.gain[way] + trades.gain_rate[way] * lots
        over = float(own.sum()) - gains.room
        if abs(over) > NEAR * max(1.0, float(np.abs(own).max())):
            return over < 0
        ctx, room = self.ctx, gain_room(self.ctx)
        if ctx.exact is None or room is None:
            return over <= 0
        orders = zip(way.tolist(), lots.tolist(), strict=True)
        sales = [(int(trades.security[w]), w, k) for w, k in orders if trades.kind[w] != BUY]
        gained = (
            Fraction(exact_gain(ctx, ctx.exact, i, k * lot_quantity(ctx, i, int(trades.kind[w]))))
            for i, w, k in sales
        )
        return sum(gained, Fraction(0)) <= Fraction(room)

    def _units(self, way: IntArray, lots: IntArray) -> list[int]:
        return [self.exact.of(w, k) for w, k in zip(way.tolist(), lots.tolist(), strict=True)]

    @cached_property
    def exact(self) -> Units:
        """The cash walk in whole units, made when the first list is near a limit."""
        return units_of(self.ctx, self.trades, self.account)

    def _turns_well(self, way: IntArray, lots: IntArray) -> bool:
        """Does no order that passes its target raise drift against the same a lot shorter?"""
        passing = np.flatnonzero(self.turning[way] == lots)
        if not len(passing) or self.ctx.target_weights is None:
            return True
        i, lot = self.trades.security[way[passing]], self.trades.lot[way[passing]]
        over = self.ctx.weights[i] + lot * lots[passing] - self.ctx.target_weights[i]
        spare = self.ctx.cash_weight - self.ctx.target_cash
        spare -= float((self.trades.lot[way] * lots).sum())
        closer = np.abs(over - lot) - np.abs(over)
        further = abs(spare) - np.abs(spare + lot)
        return bool((further - closer <= 2 * NO_WORSE).all())

    def _agreed(self, orders: LotList) -> bool:
        """What filters say of the list, each list asked once."""
        if not self.judges:
            return True
        if orders.key not in self.judged:
            self.judged[orders.key] = all(judge(orders) for judge in self.judges)
        return self.judged[orders.key]


@dataclass(frozen=True, slots=True)
class Units:
    """Money in whole units of one size, base currency, exact.

    lots    (w,)  what a lot brings before the fixed cost: < 0 for a buy
    fixed   cost of an order
    whole   units of one unit of the base currency (of the portfolio's value without decimals)
    """

    lots: tuple[int, ...]
    fixed: int
    spare: int
    due: int | None
    whole: int

    def of(self, way: int, lots: int) -> int:
        """What an order brings, its costs paid."""
        return self.lots[way] * lots - self.fixed


def units_of(ctx: Context, trades: Trades, account: Account) -> Units:
    """What every way does to the cash; without decimals the floats as they are written."""
    cash = account.exact
    fixed, flows = _exact_flows(ctx, trades) if ctx.exact is not None else _as_written(ctx, trades)
    if cash is not None:
        spare, due = Fraction(cash.spare), None if cash.due is None else Fraction(cash.due)
    else:
        spare, due = Fraction(repr(account.spendable)) - Fraction(repr(account.floor)), None
    parts = [*flows, fixed, spare, *([] if due is None else [due])]
    whole = math.lcm(*(part.denominator for part in parts))
    return Units(
        tuple(int(flow * whole) for flow in flows),
        int(fixed * whole),
        int(spare * whole),
        None if due is None else int(due * whole),
        whole,
    )


def _exact_flows(ctx: Context, trades: Trades) -> tuple[Fraction, list[Fraction]]:
    money = ctx.exact
    if money is None:
        return _as_written(ctx, trades)
    fixed, home = exact_cost(ctx.costs, foreign=False)
    rates = (Fraction(home), Fraction(exact_cost(ctx.costs, foreign=True)[1]))
    flows = []
    for i, kind in zip(trades.security.tolist(), trades.kind.tolist(), strict=True):
        amount = Fraction(lot_quantity(ctx, i, kind)) * Fraction(money.shares[i])
        cost = rates[ctx.securities[i].currency != ctx.base_currency] * amount
        flows.append(-amount - cost if kind == BUY else amount - cost)
    return Fraction(fixed), flows


def _as_written(ctx: Context, trades: Trades) -> tuple[Fraction, list[Fraction]]:
    """Of value: what floats say, as they are written."""
    rates = cost_rates(ctx)[trades.security]
    flows = [
        -Fraction(repr(lot)) - Fraction(repr(rate)) * abs(Fraction(repr(lot)))
        for lot, rate in zip(trades.lot.tolist(), rates.tolist(), strict=True)
    ]
    return Fraction(exact(ctx.costs.fixed)) / Fraction(repr(ctx.value)), flows
