"""Sales that bring money within what binds them all: a year's budget of gains, turnover, orders.

Two orders are tried, for neither is best alone: least gain for the money first, and most money
first. By the first, stretch by stretch of the lots that a sale takes: where these are sold dearest
first it is the best there is but for the last, partial sale. For that an order a little smaller is
tried beside what then fits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import product

import numpy as np

from steelyard.arrays import IntArray
from steelyard.planning.costs import DIGITS
from steelyard.planning.gate import Gate
from steelyard.planning.ways import BUY

SMALL = 1e-12
"""Rounding of a sum of gains or of weights, of value."""

FEWER, LAST = 20, 3
"""Lots fewer, and how many of the last orders, that are tried to fit another order in."""

MANY = 100
"""Ways from which on nothing is fitted: each try asks all of them."""

Sales = list[tuple[int, int]]
"""(way, lots) of sales, one of a security, in the order in which they were chosen."""


@dataclass(slots=True)
class _Chosen:
    """Sales put together: security -> (way, lots), in their order.

    gain, turnover   what is left of the budget and of turnover (both ways), of value; inf = off
    cheapest         is least gain for the money chosen first, and not most money?
    """

    gate: Gate
    apart: set[tuple[int, ...]]
    gain: float
    turnover: float
    cheapest: bool
    sales: dict[int, tuple[int, int]] = field(default_factory=dict)

    @property
    def money(self) -> int:
        """Units of money that they bring."""
        return sum(self.gate.exact.of(*sale) for sale in self.sales.values())

    def uses(self, i: int, w: int) -> Iterator[tuple[float, float, float]]:
        """(once, per lot, what is left) of gain and turnover; what is sold of i so far is back."""
        trades, before = self.gate.trades, self.sales.get(i)
        size = abs(float(trades.lot[w]))
        gain, sold = (0.0, 0.0) if before is None else self.used(*before)
        yield float(trades.gain[w]), float(trades.gain_rate[w]), self.gain + gain
        yield 0.0, size, self.turnover + sold

    def used(self, w: int, lots: int) -> tuple[float, float]:
        """Gain and turnover of a sale, of value."""
        trades = self.gate.trades
        gain = float(trades.gain[w] + trades.gain_rate[w] * lots)
        return gain, abs(float(trades.lot[w])) * lots

    def fitting(self, i: int, w: int) -> int:
        """Most lots of a way that fit; 0 where none."""
        trades, uses = self.gate.trades, list(self.uses(i, w))
        least, most = int(trades.least[w]), int(trades.most[w])
        for once, rate, room in uses:
            if once + rate * most > room + SMALL and rate > 0:
                most = int(np.floor((room - once) / rate + SMALL))
        fits = least <= most and all(o + rate * most <= room + SMALL for o, rate, room in uses)
        return most if fits else 0

    def clashes(self, i: int, w: int) -> bool:
        """May the way not go with the sales of other securities?"""
        others = (v for j, (v, _) in self.sales.items() if j != i)
        return bool(self.apart) and any((min(w, v), max(w, v)) in self.apart for v in others)

    def options(self, but: int | None) -> Iterator[tuple[float, int, int, int, int]]:
        """(gain for the money, less money, security, way, lots) of each sale that brings more, of
        all securities `but` one.
        """
        gate = self.gate
        full = gate.orders is not None and len(self.sales) >= gate.orders
        for w in np.flatnonzero(gate.trades.kind != BUY).tolist():
            i = int(gate.trades.security[w])
            lots = self.fitting(i, w)
            if not lots or i == but or self.clashes(i, w) or (full and i not in self.sales):
                continue
            before = self.sales.get(i)
            money = gate.exact.of(w, lots) - (0 if before is None else gate.exact.of(*before))
            if money > 0:
                gain = self.used(w, lots)[0] - (0.0 if before is None else self.used(*before)[0])
                ratio = gain / float(Fraction(money, gate.exact.whole)) if self.cheapest else 0.0
                yield ratio, -money, i, w, lots

    def take(self, i: int, sale: tuple[int, int] | None) -> None:
        """A sale in place of that of the same security so far; None = no sale of it."""
        for (w, lots), back in ((self.sales.pop(i, None) or (0, 0), 1), (sale or (0, 0), -1)):
            if lots:
                gain, turnover = self.used(w, lots)
                self.gain, self.turnover = self.gain + back * gain, self.turnover + back * turnover
        if sale is not None:
            self.sales[i] = sale

    def fill(self, due: Fraction | None, but: int | None = None) -> None:
        """Sales until they bring `due` units of money, or as much as they can for None."""
        while due is None or self.money < due:
            option = min(self.options(but), default=None)
            if option is None:
                return
            *_, i, w, lots = option
            self.take(i, (w, lots))

    def fitted(self) -> _Chosen:
        """The same, or more money with some of the last sales a little smaller, as long as that
        brings more.
        """
        best = self
        if len(self.gate.trades.security) > MANY:  # what the last sale leaves is little then
            return best
        while True:
            more = max(best.others(), key=lambda chosen: chosen.money, default=best)
            if more.money <= best.money:
                return best
            best = more

    def others(self) -> Iterator[_Chosen]:
        """One of the last sales a few lots smaller, or none, and what then fits beside it."""
        for i in [*self.sales][-LAST:]:
            w, lots = self.sales[i]
            least = max(int(self.gate.trades.least[w]), lots - FEWER)
            for fewer, cheapest in product((None, *range(least, lots)), (True, False)):
                other = replace(self, sales=dict(self.sales), cheapest=cheapest)
                other.take(i, None if fewer is None else (w, fewer))
                other.fill(None, but=i)
                other.fill(None)
                yield other


def raising(gate: Gate, conflicts: IntArray, need: Decimal) -> Iterator[Sales]:
    """Lists of sales that bring an amount, as far as there are; first those whose last sale is no
    larger than it has to be.
    """
    due = Fraction(need) * gate.exact.whole
    for sales in (*_lists(gate, conflicts, due), most_sold(gate, conflicts)):
        brings = [gate.exact.of(w, lots) for w, lots in sales]
        if sales and sum(brings) >= due:
            i = int(gate.trades.security[sales[-1][0]])
            yield [*sales[:-1], _smallest(gate, i, due - sum(brings[:-1]))]
            yield sales


def most_raised(gate: Gate, conflicts: IntArray) -> Decimal:
    """What sales bring together, as many as a list may have and may go together."""
    units = sum(gate.exact.of(w, lots) for w, lots in most_sold(gate, conflicts))
    with localcontext(prec=DIGITS):  # of units of a power of ten: exact
        return Decimal(units) / Decimal(gate.exact.whole)


def most_sold(gate: Gate, conflicts: IntArray) -> Sales:
    """The sales that bring most."""
    lists = _lists(gate, conflicts, None)
    return max(lists, key=lambda sales: sum(gate.exact.of(w, lots) for w, lots in sales))


def binds(gate: Gate) -> bool:
    """Does a budget or turnover bind sales, so that the largest may not be what is sold?"""
    return gate.account.gains is not None or gate.account.turnover_cap is not None


def _lists(gate: Gate, conflicts: IntArray, due: Fraction | None) -> list[Sales]:
    """A list by each order of choosing."""
    if not binds(gate):
        return [_largest_first(gate, conflicts, due)]
    account, lists = gate.account, list[Sales]()
    gain = np.inf if account.gains is None else account.gains.room
    turnover = np.inf if account.turnover_cap is None else 2 * account.turnover_cap
    apart: set[tuple[int, ...]] = {*map(tuple, conflicts.tolist())}
    for cheapest in (True, False) if account.gains is not None else (False,):
        chosen = _Chosen(gate, apart, gain, turnover, cheapest)
        chosen.fill(due)
        chosen = chosen if due is not None else chosen.fitted()
        lists.append([*chosen.sales.values()])
    return lists


def _largest_first(gate: Gate, conflicts: IntArray, due: Fraction | None) -> Sales:
    """The sale of each security that brings most, most first: nothing but their number binds."""
    money, apart = gate.exact, {*map(tuple, conflicts.tolist())}
    chosen: Sales = []
    for w in _largest(gate).values():
        most = int(gate.trades.most[w])
        full = gate.orders is not None and len(chosen) >= gate.orders
        clash = any((min(w, v), max(w, v)) in apart for v, _ in chosen)
        enough = due is not None and sum(money.of(v, lots) for v, lots in chosen) >= due
        if not full and not clash and not enough and money.of(w, most) > 0:
            chosen.append((w, most))
    return chosen


def _largest(gate: Gate) -> dict[int, int]:
    """Security -> its sale that brings most, those that bring most first."""
    trades, best = gate.trades, dict[int, int]()
    sales = np.flatnonzero(trades.kind != BUY).tolist()
    for w in sorted(sales, key=lambda w: (-gate.exact.of(w, int(trades.most[w])), w)):
        best.setdefault(int(trades.security[w]), w)
    return best


def _smallest(gate: Gate, i: int, rest: Fraction) -> tuple[int, int]:
    """Way and lots of the sale of security i that brings an amount and least beyond it."""
    trades, money = gate.trades, gate.exact
    fits: list[tuple[int, int, int]] = []
    for w in np.flatnonzero((trades.security == i) & (trades.kind != BUY)).tolist():
        lots = max(int(trades.least[w]), -int(-(rest + money.fixed) // money.lots[w]))
        if lots <= trades.most[w]:
            fits.append((money.of(w, lots), w, lots))
    _, way, lots = min(fits)
    return way, lots
