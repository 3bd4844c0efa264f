"""Why every other candidate is not in the plan: what stopped it, its number and its limit."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from steelyard.arrays import PAD, FloatArray, IntArray, row_sums
from steelyard.ledger import NEAR, SAFETY, Account, cash_kept, debt_paid, feasible, groups_kept
from steelyard.modules.candidates import Candidates, Orders
from steelyard.modules.context import Context
from steelyard.modules.terms import end_state
from steelyard.notices import Drop, Stop
from steelyard.planning.bands import ON_EDGE, edges_of
from steelyard.planning.choice import Choice
from steelyard.planning.draws import cut_by
from steelyard.planning.score.model import Point
from steelyard.planning.score.objective import Objective
from steelyard.planning.search.moves import along
from steelyard.sentences import Fact, say

Proposers = Mapping[tuple[int, ...], Sequence[str]]
"""Sequence -> the modules that proposed it."""

Filters = Callable[[Sequence[int]], str | None]
"""Which rule over whole sets keeps a set of the choice's orders out; None: none does."""

Asked = tuple[Proposers, int | None, Filters]
"""Who proposed what, the most orders of a plan, and the filters of rows."""

BETTER_BUT = {
    "row_filter": "a filter lets no plan through that has it, which would gain {change:points} "
    "points more",
    "passes_target": "the plan with it would gain {change:points} points more, but an order of it "
    "would pass its target by part of a lot and so raise drift",
    "not_searched": "the plan with it would gain {change:points} points more by what the search "
    "sees, and is not the plan: the search ended at its budget, or a term that only re-ranks "
    "weighs against it",
    "ranked_out": "the plan with it was proposed and would gain {change:points} points more, but a "
    "filter that ranks proposals left it out",
    "not_proposed": "no module proposed the plan with it, which would gain {change:points} points "
    "more",
    "not_chosen": "the plan with it would gain {change:points} points more by the score of today, "
    "and more than that score chose the plan",
}
"""Rule -> why a set that is worth more than the plan is not the plan."""

NOT_CHOSEN = "not_chosen"
"""Rule of what the score of today would have, where more than it chose."""


@dataclass(frozen=True, slots=True)
class _Beside:
    """The plan with each order of the table in it: in its twin's place, or added.

    twin     (m,)  the plan's order in the same security, PAD where there is none
    change   (m,)  of net
    rest     what the plan's orders do to the cash that may pay, of value
    by_mode  did more than the score of today choose the plan?
    """

    orders: Orders
    plan: tuple[int, ...]
    twin: IntArray
    change: FloatArray
    rest: float
    by_mode: bool

    @classmethod
    def of(cls, objective: Objective, table: Candidates, choice: Choice, ctx: Context) -> _Beside:
        """All orders at once: each changes the end state of the plan along one line."""
        orders, plan = choice.orders, choice.plan.row
        twin = np.full(ctx.n, PAD, dtype=np.int64)
        twin[orders.security[list(plan)]] = plan
        own = twin[table.security]
        real, some = np.maximum(own, 0), own != PAD
        before = np.where(some, orders.delta[real], 0.0)
        weights = orders.after(ctx.weights, plan)
        cash = ctx.cash_weight - math.fsum(orders.delta[list(plan)].tolist())
        point = Point.at(objective.model, end_state(weights, cash))
        rates = objective.rates
        spared = rates.cost * orders.cost + rates.tax * orders.tax + rates.hurdle * orders.hurdled
        charge = spared[: table.m]
        change = along(objective.model, point, table.security, table.delta - before)
        change = change - charge + np.where(some, spared[real], 0.0)
        rest = math.fsum(orders.account.payment[list(plan)].tolist())
        return cls(orders, plan, own, change, rest, choice.judgement is not None)

    def row(self, j: int) -> IntArray:
        """(1, d) the plan with row j of the table in it."""
        others = [k for k in self.plan if k != self.twin[j]]
        return np.array([sorted([*others, j])], dtype=np.int64)

    def cash(self, j: int) -> float:
        """Spendable cash then, of value."""
        account = self.orders.account
        own = 0.0 if self.twin[j] == PAD else float(account.payment[self.twin[j]])
        return account.spendable + self.rest + float(account.payment[j]) - own

    def enough(self, j: int) -> bool:
        """Does the cash reach, and is what is due brought?"""
        account = self.orders.account
        over = self.cash(j) - account.floor
        if account.due is None and abs(over) > NEAR * account.scale:
            return over > 0
        row = self.row(j)
        return bool(cash_kept(account, row)[0] and debt_paid(account, row)[0])

    def fits(self, j: int) -> bool:
        """Does it keep all that the ledger asks?"""
        account = self.orders.account
        if not _capped(account) and not account.any_conflict:
            return self.enough(j)
        row = self.row(j)
        return bool(feasible(account, row)[0] and debt_paid(account, row)[0])


def rejections(
    ctx: Context,
    objective: Objective,
    table: Candidates,
    choice: Choice,
    asked: Asked,
) -> Iterator[Stop]:
    """Why each candidate that is not in the plan is not in it."""
    plan = choice.plan.row
    beside = _Beside.of(objective, table, choice, ctx) if choice.acts else None
    # a candidate whose quantity was fitted is in the plan, in another size
    chosen = {choice.orders.ids[j] for j in plan}
    for j in (j for j, name in enumerate(table.ids) if name not in chosen):
        if choice.only:
            drop = _by_bands(ctx, table, j)
        elif beside is None:
            drop = _beside_hold(ctx, table, choice, j)
        else:
            drop = _beside_plan(ctx, table, beside, j, asked)
        side = table.side(j)
        yield Stop(ctx.symbols[table.security[j]], side, "search", drop, table.ids[j])


def _by_bands(ctx: Context, table: Candidates, j: int) -> Drop:
    """Why the bands do not ask for it."""
    i, is_buy, edges = int(table.security[j]), bool(table.is_buy[j]), edges_of(ctx)
    weight = float(ctx.weights[i])
    low, high = (weight, weight) if edges is None else (float(edges.low[i]), float(edges.high[i]))
    facts: dict[str, Fact] = {"weight": weight, "low": low, "high": high}
    if low - ON_EDGE <= weight <= high + ON_EDGE:
        words = "{weight:pct} of value is inside its band of {low:pct} to {high:pct}"
        return Drop("inside_band", weight, low if is_buy else high, say(words, **facts))
    words = (
        "{weight:pct} of value is outside its band of {low:pct} to {high:pct}, which asks for "
        "another size, or none fits money and limits"
    )
    return Drop("band_size", weight, low if is_buy else high, say(words, **facts))


def _beside_hold(ctx: Context, table: Candidates, choice: Choice, j: int) -> Drop:
    gain = float(table.paired[j])
    if not math.isfinite(gain):
        no_money = Drop("cash", None, None, say("there is no money for it, alone or with one sale"))
        return over_a_cap(table.account, np.array([[j]])) or no_money
    cut = cut_by(ctx, table, j) if gain >= choice.threshold else None
    if cut is not None:
        return cut
    if choice.judgement is not None and gain >= choice.threshold:
        why = say(
            "alone or with one order of the other side it gains {gain:spoints} points net by the "
            "score of today, where {least:points} are asked for; more than that score chose to "
            "hold",
            gain=gain,
            least=choice.threshold,
        )
        return Drop(NOT_CHOSEN, gain, choice.threshold, why)
    why = say(
        "alone or with one order of the other side it gains {gain:spoints} points net; a plan must "
        "gain {least:points}",
        gain=gain,
        least=choice.threshold,
    )
    return Drop("min_improvement", gain, choice.threshold, why)


def _beside_plan(
    ctx: Context,
    table: Candidates,
    beside: _Beside,
    j: int,
    asked: Asked,
) -> Drop:
    """The first rule that keeps row j out of the plan, in the order in which a person would ask."""
    plan, most = beside.plan, asked[1]
    if beside.twin[j] != PAD:
        return _swapped(beside, j)
    account = beside.orders.account
    if account.any_conflict and account.apart[j, list(plan)].any():
        why = say("a filter keeps it out of one plan with another order of this plan")
        return Drop("conflict", None, None, why)
    if most is not None and len(plan) >= most:
        limit = "limits.max_orders" if most == ctx.limits.max_orders else "search.max_depth"
        why = say(
            "the plan has {orders:count} orders, the most that " + limit + " allows",
            orders=len(plan),
        )
        return Drop(limit.partition(".")[2], float(len(plan)), float(most), why)
    drop = _added(ctx, beside, j, asked)
    cut = cut_by(ctx, table, j) if drop.rule == "not_proposed" else None
    return cut or drop


def _swapped(beside: _Beside, j: int) -> Drop:
    """Why the plan with row j in the place of its twin is not the plan."""
    if not beside.fits(j):
        why = say("the plan trades the security in another size; this one would not fit instead")
        return Drop("one_order_per_security", None, None, why)
    change = float(beside.change[j])
    why = say(
        "the plan trades the security in another size; this one instead would change it by "
        "{change:spoints} points",
        change=change,
    )
    return Drop("one_order_per_security", change, 0.0, why)


def _added(ctx: Context, beside: _Beside, j: int, asked: Asked) -> Drop:
    """Why the plan with row j added is not the plan."""
    account = beside.orders.account
    if not beside.enough(j):
        cash, floor = beside.cash(j), account.floor
        if account.due is not None:
            floor = max(floor, account.spendable + account.due)
        return _short(cash, floor)
    over = over_a_cap(account, beside.row(j)) if _capped(account) else None
    if over is not None:
        return over
    change = float(beside.change[j])
    if change > 0:
        with_it = tuple(beside.row(j)[0].tolist())
        return _better_but(ctx, with_it, change, asked, by_mode=beside.by_mode)
    why = say("adding it would change the plan by {change:spoints} points net", change=change)
    return Drop("net_gain", change, 0.0, why)


def _capped(account: Account) -> bool:
    """Is there a cap beside the cash?"""
    caps = (account.turnover_cap, account.group_cap, account.gains)
    return any(cap is not None for cap in caps)


def cash_short(account: Account, row: IntArray) -> Drop | None:
    """Whether the cash does not reach for a set (1, d); of value."""
    if cash_kept(account, row)[0]:
        return None
    cash = account.spendable + float(row_sums(account.payment, row)[0])
    return _short(cash, account.floor)


def _short(cash: float, floor: float) -> Drop:
    why = say(
        "with it {cash:pct} of value would be left in cash; {floor:pct} must stay",
        cash=cash,
        floor=floor,
    )
    return Drop("cash", cash, floor, why)


def over_a_cap(account: Account, row: IntArray) -> Drop | None:
    """Which cap a set (1, d) goes over, if any."""
    return next(over_caps(account, row), None)


def over_caps(account: Account, row: IntArray) -> Iterator[Drop]:
    """Every cap that a set (1, d) goes over."""
    if account.turnover_cap is not None:
        turnover = float(row_sums(np.abs(account.delta), row)[0]) / 2
        if turnover > account.turnover_cap + SAFETY:
            why = say(
                "with it turnover would be {turnover:pct}; at most {cap:pct} is allowed",
                turnover=turnover,
                cap=account.turnover_cap,
            )
            yield Drop("max_turnover", turnover, account.turnover_cap, why)
    if account.group_cap is not None and not groups_kept(account, row)[0]:
        why = say("with it a group would go over its cap, or past its target")
        yield Drop("max_group", None, None, why)
    gains = account.gains
    if gains is not None and not gains.kept(row)[0]:
        yield _over_budget(*gains.of_row(j for j in row[0].tolist() if j != PAD))


def _over_budget(gain: float, room: float) -> Drop:
    """Why what realises more than the year's budget leaves is not traded; base currency."""
    why = say(
        "with it the plan would realise a net gain of {gain:money}; the yearly budget "
        "(lots.max_gain_base) leaves {room:money}",
        gain=gain,
        room=room,
    )
    return Drop("gain_budget", gain, room, why)


def _better_but(
    ctx: Context, with_it: tuple[int, ...], change: float, asked: Asked, *, by_mode: bool
) -> Drop:
    """Why a set that fits, and is worth more by the tables, is not the plan."""
    proposers, _, filters = asked
    kept_out = filters(with_it)
    if kept_out is not None:
        rule = kept_out
    elif by_mode:
        rule = NOT_CHOSEN
    elif ctx.search.scope != "proposals":
        rule = "not_searched"
    else:
        rule = "ranked_out" if with_it in proposers else "not_proposed"
    return Drop(rule, change, 0.0, say(BETTER_BUT[rule], change=change))
