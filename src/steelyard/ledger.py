"""The one cash walk: fees, lots, caps, conflicts and resizing, on arrays only.

Planning and execution ask the same functions. Everything is a fraction of the pre-trade value.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal, localcontext
from fractions import Fraction
from functools import cached_property
from typing import TypeVar

import numpy as np

from steelyard.arrays import BoolArray, FloatArray, IntArray, padded, row_sums
from steelyard.money import ZERO

Cash = TypeVar("Cash", float, Decimal)

SAFETY = 1e-12
"""Rounding of a sum of weights, of value: passing a cap by so little is not passing it."""

NEAR = 1e-9
"""Cash this close to its floor, of value, is judged in exact decimals: floats cannot tell."""

LONG = 50
"""Orders of a set from which on it is looked at by itself."""

LOT_TOLERANCE = 1e-9
"""A wanted size this close under a whole lot (in lots) is that lot: division noise, not intent."""


@dataclass(frozen=True, slots=True)
class ExactCash:
    """The cash walk over m orders in exact base currency.

    flows   (m,)  what an order does to the cash that may pay: a sale's proceeds less its costs
    spare   spendable cash over its floor, >= 0
    due     what the orders must bring together; None = nothing
    """

    flows: tuple[Decimal, ...]
    spare: Decimal
    due: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Gains:
    """Net gains that m orders realise, against what a year's budget leaves.

    of      (m,)  of value; 0 for a buy
    room    most that a set may realise, of value, >= 0
    exact   (m,) and the room in base currency, exact; None = the floats as they are written
    """

    of: FloatArray
    room: float
    exact: tuple[tuple[Decimal, ...], Decimal] | None = None

    def kept(self, rows: IntArray) -> BoolArray:
        """(k,) True where the gains of a set are within the room; equality is."""
        over = row_sums(self.of, rows) - self.room
        good = over <= 0
        scale = max(1.0, float(np.abs(self.of).max(initial=0.0)))
        for k in np.flatnonzero(np.abs(over) <= NEAR * scale):
            good[k] = self.within(rows[k].tolist())
        return np.asarray(good)

    def of_row(self, row: Iterable[int]) -> tuple[float, float]:
        """(gain of a set, the room), base currency where that is known, else of value."""
        if self.exact is None:
            return float(self.of[[*row]].sum()), self.room
        gains, room = self.exact
        return float(sum((gains[j] for j in row), ZERO)), float(room)

    def within(self, row: Iterable[int]) -> bool:
        """The same of one set, exactly; a set without a gain always is."""
        gains, room = self.exact or (
            tuple(Decimal(repr(gain)) for gain in self.of.tolist()),
            Decimal(repr(self.room)),
        )
        return sum((Fraction(gains[j]) for j in row if j >= 0), Fraction(0)) <= room


@dataclass(frozen=True, kw_only=True)
class Account:
    """What binds a set of orders; m possible orders, g capped groups.

    security       (m,)   which security the order is in: at most one order per security
    delta          (m,)   signed change of weight
    cost           (m,)   of value
    conflicts      (m, m) True where two orders may not go together; (0, 0) where none are
    cash           all cash before less what open buys may take, of value
    spendable      base cash less open buys, of value: what may pay
    reserve        cash that must stay, of value
    settled_only   True: this plan's sales may not pay for its buys
    turnover_cap   one-way, of value; None = off
    group_shares   (m, g) share of the order's security in each capped group
    group_weights  (g,)   weights of the groups before
    group_cap      of value, or (g,) of each; None = off
    exact          the cash that the weights stand for; None = the floats as they are written
    due            what the orders of a plan must bring together, of value, for cash is overdrawn;
                   None = nothing: hold is a plan too
    invest         what the buys of a plan must come to, of value before costs, for there is new
                   money; None = nothing
    gains          what they realise, against a yearly budget; None = off
    """

    security: IntArray
    delta: FloatArray
    cost: FloatArray
    conflicts: BoolArray
    cash: float
    spendable: float
    reserve: float
    settled_only: bool
    turnover_cap: float | None
    group_shares: FloatArray
    group_weights: FloatArray
    group_cap: FloatArray | float | None
    exact: ExactCash | None = None
    due: float | None = None
    invest: float | None = None

    @property
    def owes(self) -> bool:
        """Must a plan do something, so that hold is none?"""
        return self.due is not None or self.invest is not None

    gains: Gains | None = None

    @cached_property
    def bought(self) -> FloatArray:
        """(m,) what an order buys, of value; a sale nothing."""
        return np.maximum(self.delta, 0.0)

    @cached_property
    def brought(self) -> FloatArray:
        """(m,) what an order does to the cash; a sale pays its own costs."""
        return -self.delta - self.cost

    @cached_property
    def payment(self) -> FloatArray:
        """(m,) what an order does to the cash that may pay.

        Where only settled cash counts a sale brings nothing, and takes only what its proceeds do
        not cover.
        """
        return np.minimum(self.brought, 0.0) if self.settled_only else self.brought

    @cached_property
    def floor(self) -> float:
        """Least spendable cash after the plan."""
        return least_spendable(self.cash, self.spendable, self.reserve)

    @cached_property
    def scale(self) -> float:
        """What rounding is relative to: 1, or more where debts make weights of any size."""
        largest = float(np.abs(self.payment).max(initial=0.0))
        return max(1.0, abs(self.cash), abs(self.spendable), largest)

    @cached_property
    def units(self) -> tuple[list[int], int]:
        """What each order does to the cash that may pay, and the spare, in whole units."""
        exact = self.exact or _as_written(self)
        flows = [min(flow, ZERO) if self.settled_only else flow for flow in exact.flows]
        parts = [Fraction(amount) for amount in (*flows, exact.spare)]
        whole = math.lcm(*(part.denominator for part in parts))
        *units, spare = (int(part * whole) for part in parts)
        return units, spare

    def pays(self, row: Iterable[int]) -> bool:
        """Does the cash reach for a set of orders, exactly? On the floor it does."""
        units, spare = self.units
        return spare + sum(units[j] for j in row if j >= 0) >= 0

    @cached_property
    def any_conflict(self) -> bool:
        """Are there two orders at all that may not go together?"""
        return bool(self.conflicts.any())

    @cached_property
    def apart(self) -> BoolArray:
        """(m, m) True where two orders may not go together, whichever way round it was said."""
        m = len(self.security)
        if not self.any_conflict:
            return np.zeros((m, m), dtype=np.bool_)
        return np.asarray(self.conflicts | self.conflicts.T)


def least_spendable(cash: Cash, spendable: Cash, reserve: Cash) -> Cash:
    """What must stay of the spendable cash: the reserve, or what is there if that is less.

    Foreign cash counts for the reserve. Money that open buys may take does not: it is promised.
    `cash` as in `Account`; all of value, or all in exact base currency.
    """
    foreign = cash - spendable
    return min(max(reserve - foreign, type(cash)(0)), spendable)


def _as_written(account: Account) -> ExactCash:
    """The floats of an account as the decimals that they are written as."""

    def exact(number: float) -> Decimal:
        return Decimal(repr(float(number)))

    orders = zip(account.delta, account.cost, strict=True)
    spendable = exact(account.spendable)
    floor = least_spendable(exact(account.cash), spendable, exact(account.reserve))
    flows = tuple(-exact(delta) - exact(cost) for delta, cost in orders)
    return ExactCash(flows, spendable - floor)


def feasible(account: Account, rows: IntArray) -> BoolArray:
    """Which sets of orders may be a plan.

    rows      (k, d) indices into the m orders, -1 pads
    returns   (k,)
    The empty set always may, and cash never keeps out a set of orders that take none. Sells come
    first, so cash is lowest at the end.
    """
    good = cash_kept(account, rows) & ~clashes(account, rows)
    if account.turnover_cap is not None:
        good &= row_sums(np.abs(account.delta), rows) / 2 <= account.turnover_cap + SAFETY
    if account.group_cap is not None:
        good &= groups_kept(account, rows)
    if account.gains is not None:
        good &= account.gains.kept(rows)
    empty = (rows < 0).all(axis=1)
    return np.asarray(good | empty)


def cash_kept(account: Account, rows: IntArray) -> BoolArray:
    """(k,) True where enough cash stays; orders that take none always leave enough.

    Floats decide what is clear of the floor, exact decimals what is near it: equality is enough.
    """
    over = account.spendable + row_sums(account.payment, rows) - account.floor
    enough = over >= 0
    for k in np.flatnonzero(np.abs(over) <= NEAR * account.scale):
        enough[k] = account.pays(rows[k].tolist())
    return np.asarray(enough)


def debt_paid(account: Account, rows: IntArray) -> BoolArray:
    """(k,) True where the orders bring what is due, or invest the new money, or nothing is asked:
    only then may they be the plan.

    Apart from `feasible`, for a list grows to it order by order.
    """
    if account.invest is not None:
        return np.asarray(row_sums(account.bought, rows) >= account.invest - NEAR)
    if account.due is None:
        return np.ones(len(rows), dtype=np.bool_)
    over = row_sums(account.brought, rows) - account.due
    enough = over >= 0
    exact = account.exact
    if exact is not None and exact.due is not None:
        for k in np.flatnonzero(np.abs(over) <= NEAR * account.scale):
            enough[k] = (
                sum(Fraction(exact.flows[j]) for j in rows[k].tolist() if j >= 0) >= exact.due
            )
    return np.asarray(enough)


def clashes(account: Account, rows: IntArray) -> BoolArray:
    """(k,) True where a row has a security twice or a conflicting pair."""
    m, bad = len(account.security), np.zeros(len(rows), dtype=np.bool_)
    if not m:
        return bad
    # pads stand for securities that there are not, each another one
    empty = -1 - np.arange(rows.shape[1])
    security = np.where(rows >= 0, account.security[np.maximum(rows, 0)], empty)
    security.sort(axis=1)
    bad |= (security[:, 1:] == security[:, :-1]).any(axis=1)
    return bad | _conflicting(account, rows) if account.any_conflict else bad


def _conflicting(account: Account, rows: IntArray) -> BoolArray:
    """(k,) True where a row has a conflicting pair."""
    bad = np.zeros(len(rows), dtype=np.bool_)
    if rows.shape[1] > LONG:  # pairs of columns are too many
        for k, row in enumerate(rows):
            real = row[row >= 0]
            bad[k] = bool(account.conflicts[np.ix_(real, real)].any())
        return bad
    # a pad reads order 0, so what it finds does not count: no padded copy of a table that may be
    # large
    m, real = len(account.security), np.ascontiguousarray((rows >= 0).T)
    order = np.maximum(rows.T, 0)
    for a in range(len(order)):
        for b in range(a + 1, len(order)):
            bad |= account.conflicts.take(order[a] * m + order[b]) & real[a] & real[b]
    return bad


def groups_kept(account: Account, rows: IntArray) -> BoolArray:
    """(k,) True where no group ends above max(cap, its weight before)."""
    cap = 1.0 if account.group_cap is None else account.group_cap
    limit = np.maximum(cap, account.group_weights) + SAFETY
    after = np.repeat(account.group_weights[None, :], len(rows), axis=0)
    flow = padded(account.delta[:, None] * account.group_shares)
    for column in rows.T:
        after += flow[column]
    return np.asarray((after <= limit).all(axis=1))


def fill(account: Account, chosen: Iterable[int], offered: Iterable[int], depth: int) -> list[int]:
    """Extend a list of orders by every offered one with which it still may be a plan, in the order
    of offering.

    An order that does not fit is skipped, it does not block those after it.
    chosen, offered   indices into the m orders
    depth             most orders in the result
    """
    row, rest = list(chosen), list(offered)
    while rest and len(row) < depth:
        fits = feasible(account, np.array([[*row, j] for j in rest], dtype=np.int64))
        if not fits.any():
            break
        first = int(fits.argmax())
        row.append(rest[first])
        rest = rest[first + 1 :]
    return row


def whole_lots(size: FloatArray, lot: FloatArray) -> FloatArray:
    """Whole lots in a size, in one unit; never more than it but for division noise."""
    return np.asarray(np.floor(size / lot + LOT_TOLERANCE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """A buy that may be made smaller, all money in base currency and exact.

    quantity   most shares; a smaller one is a multiple of `lot`
    unit_cost  of one share with what its size costs, at the worst price
    fixed      cost of the order whatever its size
    least      an order worth less is not placed
    currency   whose own cash pays first
    """

    quantity: Decimal
    lot: Decimal
    unit_cost: Decimal
    fixed: Decimal
    least: Decimal
    currency: str

    def cost(self, quantity: Decimal) -> Decimal:
        """Of so many shares; nothing costs nothing."""
        return quantity * self.unit_cost + self.fixed if quantity else ZERO

    def within(self, money: Decimal) -> Decimal:
        """Most whole lots that money pays for; 0 where that is under the least order."""
        if money <= self.fixed:
            return ZERO
        lots = (money - self.fixed) / self.unit_cost // self.lot
        quantity = min(lots * self.lot, self.quantity)
        return quantity if quantity * self.unit_cost >= self.least else ZERO


def resize(
    purchases: Sequence[Purchase], pool: Decimal, own: Mapping[str, Decimal]
) -> tuple[Decimal, ...]:
    """Shares of each purchase that the money pays for: never more than asked, never another order.

    pool   base cash, for all; `own`: currency -> base value of cash that pays for its purchases
           first
    Where it does not reach, all are scaled by one factor, to whole lots down. What is then under
    its least order drops out, and its share is handed on, once.
    """
    rows = [*range(len(purchases))]
    sizes = _scaled(purchases, rows, pool, own)
    if dropped := [i for i in rows if not sizes[i] and purchases[i].quantity]:
        rows = [i for i in rows if i not in dropped]
        sizes = _scaled(purchases, rows, pool, own)
    return tuple(sizes)


def _scaled(
    purchases: Sequence[Purchase], rows: Sequence[int], pool: Decimal, own: Mapping[str, Decimal]
) -> list[Decimal]:
    sizes = [ZERO] * len(purchases)
    costs = {i: purchases[i].cost(purchases[i].quantity) for i in rows}
    share = _share(purchases, costs, max(pool, ZERO), own)
    for i in rows:
        whole = share >= 1
        sizes[i] = purchases[i].quantity if whole else purchases[i].within(_part(costs[i], share))
    return sizes


def _part(cost: Decimal, share: Fraction) -> Decimal:
    """A share of a cost, rounded down: the parts never come to more than the whole."""
    part = Fraction(cost) * share
    with localcontext(rounding=ROUND_FLOOR):
        return Decimal(part.numerator) / Decimal(part.denominator)


def _share(
    purchases: Sequence[Purchase],
    costs: Mapping[int, Decimal],
    pool: Decimal,
    own: Mapping[str, Decimal],
) -> Fraction:
    """Largest share in 0..1 of every cost that the pool pays, after each currency's own cash."""
    needs: dict[str, Fraction] = {}
    for i, cost in costs.items():
        name = purchases[i].currency
        needs[name] = needs.get(name, Fraction(0)) + Fraction(cost)
    money = {name: Fraction(max(own.get(name, ZERO), ZERO)) for name in needs}
    edges = {money[name] / need for name, need in needs.items() if need}
    share = Fraction(0)
    # from edge to edge the pool is drawn on linearly, by those whose own cash is used up
    for edge in [*sorted(edge for edge in edges if 0 < edge < 1), Fraction(1)]:
        using = [name for name, need in needs.items() if need and money[name] / need <= share]
        slope = sum((needs[name] for name in using), Fraction(0))
        drawn = sum((needs[name] * share - money[name] for name in using), Fraction(0))
        if slope and drawn + slope * (edge - share) > Fraction(pool):
            return share + (Fraction(pool) - drawn) / slope
        share = edge
    return share
