"""Sales that bring money within a year's budget of gains: least gain for what they bring first.

Stretch by stretch of the lots that a sale takes: where these are sold dearest first the order is
the best there is but for the last, partial one; by another method it is a good one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from steelyard.arrays import IntArray
from steelyard.planning.gate import Gate
from steelyard.planning.ways import BUY

SMALL = 1e-12
"""Rounding of a sum of gains, of value."""


@dataclass(slots=True)
class _Sales:
    """Sales put together: security -> (way, lots), and the gain that the budget still allows."""

    gate: Gate
    apart: set[tuple[int, ...]]
    room: float
    chosen: dict[int, tuple[int, int]] = field(default_factory=dict)

    def gain(self, w: int, lots: int) -> float:
        """Of a sale, of value."""
        trades = self.gate.trades
        return float(trades.gain[w] + trades.gain_rate[w] * lots)

    def more(self, i: int, w: int, lots: int) -> tuple[int, float]:
        """(units of money, gain) that a sale adds to that of the same security so far."""
        before = self.chosen.get(i)
        money, gain = self.gate.exact.of(w, lots), self.gain(w, lots)
        if before is None:
            return money, gain
        return money - self.gate.exact.of(*before), gain - self.gain(*before)

    def fitting(self, i: int, w: int) -> int:
        """Most lots of a way that the budget allows; 0 where none."""
        trades = self.gate.trades
        least, most = int(trades.least[w]), int(trades.most[w])
        rate, before = float(trades.gain_rate[w]), self.chosen.get(i)
        spent = float(trades.gain[w]) - (0.0 if before is None else self.gain(*before))
        if spent + rate * most > self.room + SMALL and rate > 0:
            most = int(np.floor((self.room - spent) / rate + SMALL))
        fits = least <= most and spent + rate * most <= self.room + SMALL
        return most if fits else 0

    def clashes(self, i: int, w: int) -> bool:
        """May the way not go with the sales of other securities?"""
        others = (v for j, (v, _) in self.chosen.items() if j != i)
        return any((min(w, v), max(w, v)) in self.apart for v in others)

    def options(self) -> Iterator[tuple[float, int, int, int]]:
        """(gain for the money, security, way, lots) of each sale that would bring more."""
        gate = self.gate
        full = gate.orders is not None and len(self.chosen) >= gate.orders
        for w in np.flatnonzero(gate.trades.kind != BUY).tolist():
            i = int(gate.trades.security[w])
            lots = self.fitting(i, w)
            if not lots or self.clashes(i, w) or (full and i not in self.chosen):
                continue
            money, gain = self.more(i, w, lots)
            if money > 0:
                yield gain / float(Fraction(money, gate.exact.whole)), i, w, lots


def within_budget(gate: Gate, conflicts: IntArray, due: Fraction | None) -> list[tuple[int, int]]:
    """(way, lots) of sales until they bring `due` units of money, or as much as they can."""
    gains = gate.account.gains
    sales = _Sales(gate, {*map(tuple, conflicts.tolist())}, np.inf if gains is None else gains.room)
    order: list[int] = []
    while due is None or sum(gate.exact.of(*sale) for sale in sales.chosen.values()) < due:
        option = min(sales.options(), default=None)
        if option is None:
            break
        _, i, w, lots = option
        sales.room -= sales.more(i, w, lots)[1]
        sales.chosen[i] = (w, lots)
        order = [*(j for j in order if j != i), i]
    return [sales.chosen[i] for i in order]
