"""Bands: how far a weight may be from its target, which weights are outside, and what answers them.

With `rebalance.trigger = "band"` nothing is traded while every weight is inside. A weight outside
goes to its target, or to the edge of its band, in nearest whole lots. Where money is missing what
is furthest over its target pays, as little as will do; where proceeds would lie idle outside the
band of cash what is furthest under is bought.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from steelyard.arrays import BoolArray, FloatArray, IntArray
from steelyard.ledger import LOT_TOLERANCE, least_spendable
from steelyard.modules.candidates import Proposal
from steelyard.modules.context import ClassBand, Context
from steelyard.orders import Side
from steelyard.planning.costs import cost_rates
from steelyard.planning.drift import drift_of
from steelyard.planning.nearest import nearest_lots
from steelyard.planning.new_money import least_lots, why_new_money
from steelyard.planning.reach import Reach
from steelyard.sentences import Fact, say

BANDS, FUNDING = "band", "band_funding"
"""Who asks for an answer to a breach, and for what pays for it. Also their tags."""

ON_EDGE = 1e-12
"""Rounding of a weight: what is this far outside is on the edge."""


@dataclass(frozen=True, slots=True)
class Edges:
    """Least and most weight (n,) of every security, and of cash."""

    low: FloatArray
    high: FloatArray
    cash: tuple[float, float]


def edges_of(ctx: Context) -> Edges | None:
    """The bands of a context; None without targets."""
    if ctx.target_weights is None or ctx.band_half is None:
        return None
    low = np.maximum(ctx.target_weights - ctx.band_half, 0.0)
    centre = cash_centre(ctx)
    cash = max(centre - ctx.cash_band_half, ctx.keeps_weight), centre + ctx.cash_band_half
    return Edges(low, ctx.target_weights + ctx.band_half, cash)


def cash_centre(ctx: Context) -> float:
    """What the band of cash is around: its target, and no less than buys leave."""
    return max(ctx.target_cash, ctx.keeps_weight)


def free_cash(ctx: Context) -> float:
    """Cash that no open buy takes, of value."""
    return ctx.cash_weight - ctx.open_buys_weight


def outside(ctx: Context, edges: Edges) -> tuple[FloatArray, FloatArray]:
    """(n,) how far each weight is under its band, and over it; 0 inside.

    A class outside its band is answered by its members that are off their targets on that side.
    """
    under = np.maximum(edges.low - ctx.weights, 0.0)
    over = np.maximum(ctx.weights - edges.high, 0.0)
    targets = ctx.weights if ctx.target_weights is None else ctx.target_weights
    for band in ctx.class_bands:
        at, off = list(band.members), off_of(ctx, band)
        gap = targets[at] - ctx.weights[at]
        for far, side in ((under, 1), (over, -1)):
            if side * off > ON_EDGE:
                far[at] = np.where(side * gap > 0, np.maximum(far[at], abs(off)), far[at])
    return np.where(under > ON_EDGE, under, 0.0), np.where(over > ON_EDGE, over, 0.0)


def off_of(ctx: Context, band: ClassBand) -> float:
    """How far a class is outside its band: > 0 under it, < 0 over it, 0 inside."""
    weight = float(ctx.weights[list(band.members)].sum())
    if weight < band.low - ON_EDGE:
        return band.low - weight
    return min(0.0, band.high - weight)


def by_bands(ctx: Context) -> bool:
    """Are weights outside their bands all that is traded for?"""
    return ctx.target_weights is not None and ctx.rules.rebalance.trigger == "band"


@dataclass(frozen=True, slots=True)
class Answers:
    """Orders that answer breaches: security -> lots, < 0 sold, in the order of their weight.

    whole    sold off the lot grid, all that is held
    funding  of them those that pay, or that keep proceeds from lying idle
    """

    lots: Mapping[int, int]
    whole: frozenset[int]
    funding: frozenset[int]

    def asked(self, ctx: Context, i: int, first: IntArray) -> tuple[Proposal, ...]:
        """Who asks for the order in security i."""
        own = (why_new_money(ctx, i),) if first[i] else ()
        if first[i] and first[i] == self.lots[i]:
            return own
        side = Side.BUY if self.lots[i] > 0 else Side.SELL
        return (why_answered(ctx, i, side, funding=i in self.funding), *own)


class _Walk:
    """Cash and orders while answers are put together; weights are of value."""

    def __init__(self, ctx: Context, reach: Reach, may: tuple[BoolArray, BoolArray]) -> None:
        self.ctx, self.lot = ctx, ctx.lot_weight
        self.least = least_lots(ctx)
        self.most_bought = np.where(may[0], reach.buys, 0)
        self.most_sold = np.where(may[1], reach.sales, 0)
        self.exits = reach.exits & may[1]
        self.rate, self.fixed = cost_rates(ctx), ctx.costs.fixed / ctx.value
        self.cash, self.settled = free_cash(ctx), ctx.limits.funding == "settled"
        self.costs, self.lots = 0.0, dict[int, int]()
        self.whole, self.funding = set[int](), set[int]()

    def sell(self, i: int, lots: int) -> bool:
        """So many lots in all, as far as may be sold, at least the least order; all of it where
        that is no more.
        """
        have, most = -self.lots.get(i, 0), int(self.most_sold[i])
        if i in self.whole:
            return False
        before = have * float(self.lot[i])
        if lots > most and self.exits[i]:
            self.whole.add(i)
            self.lots[i] = -1
            self._receive(i, float(self.ctx.weights[i]) - before, new=not have)
            return True
        lots = min(max(lots, int(self.least[i])), most)
        if lots < max(1, int(self.least[i])) or lots <= have:
            return False
        self.lots[i] = -lots
        self._receive(i, lots * float(self.lot[i]) - before, new=not have)
        return True

    def _receive(self, i: int, weight: float, *, new: bool) -> None:
        """What a sale brings; where only settled cash counts it pays for nothing yet."""
        costs = weight * float(self.rate[i]) + self.fixed * new
        self.cash += 0.0 if self.settled else weight - costs
        self.costs += costs

    def buy(self, i: int, lots: int, money: float) -> bool:
        """So many lots in all, as far as the money pays for them, at least the least order."""
        have, each = self.lots.get(i, 0), float(self.lot[i] * (1 + self.rate[i]))
        fixed = 0.0 if have else self.fixed
        paid = have + int(np.floor((money - fixed) / each + LOT_TOLERANCE))
        lots = min(max(lots, int(self.least[i])), int(self.most_bought[i]), paid)
        if lots < int(self.least[i]) or lots <= have:
            return False
        self.lots[i] = lots
        self.cash -= (lots - have) * each + fixed
        self.costs += (lots - have) * (each - float(self.lot[i])) + fixed
        return True


def answers(
    ctx: Context, reach: Reach, may: tuple[BoolArray, BoolArray], first: IntArray
) -> Answers:
    """What answers every weight outside its band, as far as money and what `may` be traded allow.

    may     (n,) each: may be bought, may be sold
    first   (n,) lots that new money buys whatever the bands say
    """
    edges, walk = edges_of(ctx), _Walk(ctx, reach, may)
    if edges is None or ctx.target_weights is None:
        return Answers({}, frozenset(), frozenset())
    under, over = outside(ctx, edges)
    for i in np.flatnonzero(first).tolist():
        walk.buy(i, int(first[i]), walk.cash)
    goal, inside = _lots_asked(ctx, under + over)
    gap = np.abs(ctx.weights - ctx.target_weights)
    largest = np.argsort(-gap, kind="stable")
    for i in (i for i in largest.tolist() if over[i]):
        walk.sell(i, int(goal[i]))
    buys = [i for i in largest.tolist() if under[i]]
    calm = (under == 0) & (over == 0)
    _fund(ctx, walk, edges, (buys, goal, inside), calm)
    _place(ctx, walk, edges, calm)
    return Answers(dict(walk.lots), frozenset(walk.whole), frozenset(walk.funding))


def answers_within(
    ctx: Context, reach: Reach, may: tuple[BoolArray, BoolArray], first: IntArray, most: int | None
) -> Answers:
    """The answers, of a limit on orders those sales and buys that together leave least drift.

    Sales alone, the largest breaches first, would leave idle what buys are not there to spend.
    """
    due = answers(ctx, reach, may, first)
    if most is None or len(due.lots) <= most:
        return due
    sales = [i for i, lots in due.lots.items() if lots < 0]
    buys = [i for i, lots in due.lots.items() if lots > 0]
    tried = list[tuple[float, int, Answers]]()
    for count in range(min(len(sales), most) + 1):
        bought, sold = np.zeros(ctx.n, dtype=np.bool_), np.zeros(ctx.n, dtype=np.bool_)
        sold[sales[:count]] = True
        bought[buys[: most - count]] = True
        part = answers(ctx, reach, (may[0] & bought, may[1] & sold), np.where(bought, first, 0))
        tried.append((_drift_after(ctx, part), count, part))
    return min(tried, key=lambda entry: entry[:2])[2]


def _drift_after(ctx: Context, due: Answers) -> float:
    """Half the sum of all distances from target after the orders, before costs."""
    weights, sold = ctx.weights.copy(), [*due.whole]
    at = np.array([*due.lots], dtype=np.int64)
    weights[at] += np.array([*due.lots.values()], dtype=np.int64) * ctx.lot_weight[at]
    weights[sold] = 0.0
    cash = ctx.cash_weight - float((weights - ctx.weights).sum())
    return drift_of(ctx, weights, cash) or 0.0


def _lots_asked(ctx: Context, off: FloatArray) -> tuple[IntArray, IntArray]:
    """(n,) lots to where a weight outside goes, and fewest that end inside; never past target.

    off   (n,) how far outside
    """
    nearest = np.abs(nearest_lots(ctx, np.arange(ctx.n, dtype=np.int64)))
    lot = np.where(ctx.lot_weight > 0, ctx.lot_weight, np.inf)
    inside = np.ceil(off / lot - LOT_TOLERANCE).astype(np.int64)
    to_edge = ctx.rules.rebalance.to == "edge"
    bare = ctx.target_weights == 0 if ctx.target_weights is not None else True
    # what has no target goes whole, also what is over its last lot
    goal = np.where(bare & (ctx.weights > 0), nearest + 1, nearest)
    return (np.minimum(inside, nearest) if to_edge else goal), np.minimum(inside, nearest)


def _fund(
    ctx: Context,
    walk: _Walk,
    edges: Edges,
    asked: tuple[list[int], IntArray, IntArray],
    calm: BoolArray,
) -> None:
    """The buys that answer breaches, and sales of what is over its target that pay for them."""
    buys, goal, inside = asked
    each, have = ctx.lot_weight * (1 + walk.rate), walk.lots.get
    need = sum(
        max(0, int(goal[i]) - have(i, 0)) * float(each[i]) + walk.fixed * (not have(i, 0))
        for i in buys
    )
    # cash that was inside its band stays inside; what was under it comes back
    back = edges.cash[0] if ctx.rules.rebalance.to == "edge" else cash_centre(ctx)
    low = free_cash(ctx) < edges.cash[0] - ON_EDGE
    _raise(ctx, walk, (back if low else max(_floor(ctx), edges.cash[0])) + need - walk.cash, calm)
    for lots in (inside, goal):
        for i in buys:
            walk.buy(i, int(lots[i]), walk.cash - _floor(ctx))


def _floor(ctx: Context) -> float:
    """Least of all cash that must stay: what buys leave, or what there is if that is less."""
    cash = free_cash(ctx) - ctx.awaited_weight
    least = least_spendable(cash, ctx.spendable_weight, ctx.keeps_weight)
    return free_cash(ctx) - ctx.spendable_weight + least


def _raise(ctx: Context, walk: _Walk, short: float, calm: BoolArray) -> None:
    """Sales of what is most over its target and inside its band, or back in it: as few and small
    as will do.
    """
    if ctx.target_weights is None or ctx.limits.funding == "settled":
        return
    over = ctx.weights - ctx.target_weights
    for i in np.argsort(-over, kind="stable").tolist():
        if short <= ON_EDGE:
            return
        have, before = -walk.lots.get(i, 0), walk.cash
        if over[i] <= 0 or have < 0 or not walk.most_sold[i]:
            continue
        brings = float(walk.lot[i] * (1 - walk.rate[i]))
        more = int(np.ceil((short + walk.fixed * (not have)) / brings - LOT_TOLERANCE))
        if walk.sell(i, have + more):
            walk.funding |= set() if not calm[i] else {i}
            short -= walk.cash - before


def _place(ctx: Context, walk: _Walk, edges: Edges, calm: BoolArray) -> None:
    """Buys of what is furthest under its target, inside its band or bought already, until cash is
    inside its, before costs.
    """
    if ctx.target_weights is None:
        return
    goal = edges.cash[1] if ctx.rules.rebalance.to == "edge" else cash_centre(ctx)
    gap = ctx.target_weights - ctx.weights
    for i in np.argsort(-gap, kind="stable").tolist():
        cash = walk.cash + walk.costs
        if cash <= edges.cash[1] + ON_EDGE or gap[i] <= 0:
            return
        have = walk.lots.get(i, 0)
        if have > 0 or (calm[i] and not have):
            lots = have + int(np.ceil((cash - goal) / float(walk.lot[i]) - LOT_TOLERANCE))
            if walk.buy(i, lots, walk.cash - _floor(ctx)) and calm[i]:
                walk.funding.add(i)


def why_answered(ctx: Context, i: int, side: Side, *, funding: bool) -> Proposal:
    """Why the bands ask for an order."""
    edges, weight = edges_of(ctx), float(ctx.weights[i])
    if edges is None or ctx.target_weights is None:
        return Proposal(BANDS, say("outside its band"), (BANDS,))
    low, high = float(edges.low[i]), float(edges.high[i])
    facts: dict[str, Fact] = {"weight": weight, "low": low, "high": high}
    band = "its band of {low:pct} to {high:pct}"
    if funding:
        what = "pays for what is" if side is Side.SELL else "takes money of what was"
        words = f"{{weight:pct}} of value, inside {band}; it {what} outside"
        return Proposal(FUNDING, say(words, **facts), (FUNDING,))
    off = max(low - weight, weight - high)
    if off <= ON_EDGE:
        return _for_its_class(ctx, i, weight)
    words = f"{{weight:pct}} of value, {{off:pp}} outside {band}"
    return Proposal(BANDS, say(words, off=off, **facts), (BANDS,))


def _for_its_class(ctx: Context, i: int, weight: float) -> Proposal:
    """Why a security is traded that is inside its own band: its class is not."""
    band = max((b for b in ctx.class_bands if i in b.members), key=lambda b: abs(off_of(ctx, b)))
    why = say(
        "{weight:pct} of value; its class {name:text} is {off:pp} outside its band of {low:pct} "
        "to {high:pct}",
        weight=weight,
        name=band.name,
        off=abs(off_of(ctx, band)),
        low=band.low,
        high=band.high,
    )
    return Proposal(BANDS, why, (BANDS,))
