"""What other rules do to today's plan of a bucket: both plan the same snapshot, nothing is kept.

    side_of     the snapshot planned by one strategy, or why it is not
    previewed   two sides: figures with their change, each trade, the net money

Both plans are scored by the old rules: a score says nothing under other ones.

Of sides that plan: money of the base currency; scores and weights are fractions, 1 is 100 points.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from steelyard.errors import PlanRefused, one_line
from steelyard.money import ZERO
from steelyard.orders import Side
from steelyard.planning.case import Case
from steelyard.planning.planner import solved_plan
from steelyard.planning.questions.judge import Traded, judged, traded
from steelyard.planning.solve import LOCAL, Steps
from steelyard.plans.orders import Step
from steelyard.plans.plan import Plan
from steelyard.runs.setting_changes import Row
from steelyard.runs.solving import case_of
from steelyard.runs.stored import StoredOrder
from steelyard.strategies import Strategy

LONGEST_REASON = 1000
Kind = Literal["changed", "removed", "added", "same"]
ORDER: tuple[Kind, ...] = ("changed", "removed", "added", "same")
MOST_NAMED = 4
"""Symbols that a sentence names."""


@dataclass(frozen=True, slots=True)
class PlannedSide:
    """A snapshot under one strategy; without a plan the reason says why."""

    case: Case
    plan: Plan | None
    orders: tuple[Traded, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TradeRow:
    """An order of one plan or of both; quantities are None where a plan has none.

    moved   what more of value is bought, less what more is sold; base currency
    """

    kind: Kind
    side: Side
    symbol: str
    name: str
    old: Decimal | None
    new: Decimal | None
    moved: Decimal


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure under the new rules and under the old; None where it is unknown."""

    label: str
    unit: Literal["points", "pp", "%", "money", "whole"]
    new: float | Decimal | None
    old: float | Decimal | None


@dataclass(frozen=True, slots=True)
class Previewed:
    """Two sides compared; `figures` and `trades` are empty where a side has no plan."""

    bucket: str
    as_of: date
    currency: str
    old: PlannedSide
    new: PlannedSide
    figures: tuple[Figure, ...]
    trades: tuple[TradeRow, ...]
    net: Decimal

    def count(self, kind: Kind) -> int:
        """How many trades are of a kind."""
        return sum(row.kind == kind for row in self.trades)

    @property
    def refused(self) -> str:
        """Why a side has no plan; "" where both have one."""
        sides = (("the version before", self.old), ("the draft", self.new))
        texts = [f"Under {what}: {side.reason}" for what, side in sides if side.plan is None]
        return " ".join(texts)


def side_of(order: StoredOrder, strategy: Strategy, steps: Steps = LOCAL) -> PlannedSide:
    """A snapshot planned by a strategy; blocks for as long as planning takes."""
    case = case_of(order.inputs, strategy, order.state)
    try:
        solution, plan = solved_plan(case, steps, None, tuple(order.inputs.warnings))
    except PlanRefused as refusal:
        return PlannedSide(case, None, reason=one_line(str(refusal), LONGEST_REASON))
    return PlannedSide(case, plan, traded(solution))


def previewed(bucket: str, old: PlannedSide, new: PlannedSide) -> Previewed:
    """What becomes of the plan of the old side under the rules of the new."""
    snapshot = old.case.snapshot
    trades: tuple[TradeRow, ...] = ()
    figures: tuple[Figure, ...] = ()
    if old.plan is not None and new.plan is not None:
        rows = _trades(old.plan, new.plan)
        trades = tuple(sorted(rows, key=lambda row: ORDER.index(row.kind)))
        figures = tuple(_figures(old, new))
    return Previewed(
        bucket=bucket,
        as_of=snapshot.as_of,
        currency=snapshot.base_currency,
        old=old,
        new=new,
        figures=figures,
        trades=trades,
        net=sum((row.moved for row in trades), ZERO),
    )


def _trades(a: Plan, b: Plan) -> Iterator[TradeRow]:
    ours, theirs = _orders(a), _orders(b)
    for key in dict.fromkeys((*ours, *theirs)):
        first, second = ours.get(key), theirs.get(key)
        step = second or first
        if step is None:  # every key is of one of them
            continue
        sign = 1 if step.side is Side.BUY else -1
        amounts = [ZERO if row is None else row.notional_base for row in (first, second)]
        yield TradeRow(
            kind=_kind_of(first, second),
            side=step.side,
            symbol=step.symbol,
            name=step.name,
            old=None if first is None else first.quantity,
            new=None if second is None else second.quantity,
            moved=sign * (amounts[1] - amounts[0]),
        )


def _orders(plan: Plan) -> dict[tuple[str, Side], Step]:
    return {(step.symbol, step.side): step for step in plan.steps}


def _kind_of(first: Step | None, second: Step | None) -> Kind:
    if first is None:
        return "added"
    if second is None:
        return "removed"
    return "same" if first.quantity == second.quantity else "changed"


def _figures(old: PlannedSide, new: PlannedSide) -> Iterator[Figure]:
    a, b = old.plan, new.plan
    if a is None or b is None:
        return
    before, after = _scores(old, new)
    yield Figure("Score, old rules", "points", after, before)
    yield Figure("Drift after", "pp", b.drift.after, a.drift.after)
    yield Figure("Cost", "money", b.costs.total, a.costs.total)
    yield Figure("Turnover", "%", b.turnover, a.turnover)
    yield Figure("Lowest cash", "whole", _lowest(b), _lowest(a))


def _scores(old: PlannedSide, new: PlannedSide) -> tuple[float | None, float | None]:
    """What both lists of orders are worth under the old rules, less charges."""
    try:
        before, after = judged(old.case, [old.orders, new.orders])
    except PlanRefused:  # the old rules cannot value what only the new ones trade
        return None, None
    return before, after


def _lowest(plan: Plan) -> Decimal | None:
    """The least balance of the base currency on the way."""
    rungs = [rung.balance for rung in plan.cash_ladder if rung.currency == plan.base_currency]
    return min(rungs, default=None)


def consequence(row: Row, preview: Previewed) -> str:
    """One sentence on what a change does, counted on the snapshot; "" where nothing is counted."""
    old, new = preview.old, preview.new
    if row.key.endswith(".enabled"):
        return _of_module(row, old.plan, new.plan)
    say = COUNTED.get(row.key)
    return "" if say is None or old.plan is None else say(old.plan, new)


def _of_module(row: Row, a: Plan | None, b: Plan | None) -> str:
    module = row.key.split(".")[1]
    plan, whose = (a, "the plan before") if row.sign == "remove" else (b, "the plan of the draft")
    if plan is None or not plan.steps:
        return ""
    count = sum(module in step.proposed_by for step in plan.steps)
    if count:
        return f"It proposed {count} of the {len(plan.steps)} orders of {whose}."
    return ""


def _over_cap(a: Plan, new: PlannedSide) -> str:
    cap = new.case.strategy.limits.max_position_weight
    over = [row for row in a.holdings if not row.is_fund and row.weight > cap]
    if not over:
        return "Nothing is over it today."
    names = ", ".join(row.symbol for row in over[:MOST_NAMED])
    more = f" and {len(over) - MOST_NAMED} more" if len(over) > MOST_NAMED else ""
    return f"{names}{more} {'is' if len(over) == 1 else 'are'} over it today."


def _under_least(a: Plan, new: PlannedSide) -> str:
    limits = new.case.strategy.limits
    least = max(
        Decimal(str(limits.min_trade_base)), a.value * Decimal(str(limits.min_trade_weight))
    )
    count = sum(step.notional_base < least for step in a.steps)
    orders = f"{len(a.steps)} order{'' if len(a.steps) == 1 else 's'}"
    are = "are" if count > 1 else "is"
    return f"{count or 'None'} of the {orders} of the plan before {are} smaller."


def _orders_today(a: Plan, _: PlannedSide) -> str:
    return f"The plan before has {len(a.steps)} order{'' if len(a.steps) == 1 else 's'}."


def _turnover_today(a: Plan, _: PlannedSide) -> str:
    return f"The plan before turns over {a.turnover * 100:.1f}\u00a0% of the value."


def _reserve(a: Plan, new: PlannedSide) -> str:
    if new.plan is None:
        return ""
    base = a.base_currency
    return f"The reserve goes from {base} {a.reserve:,.0f} to {base} {new.plan.reserve:,.0f}."


COUNTED = {
    "limits.max_position_weight": _over_cap,
    "limits.min_trade_base": _under_least,
    "limits.min_trade_weight": _under_least,
    "limits.max_orders": _orders_today,
    "limits.max_turnover_weight": _turnover_today,
    "limits.cash_reserve_weight": _reserve,
}


def summary(preview: Previewed | None, count: int) -> str:
    """`Five changes: one trade replaced, three resized`."""
    changed = "No change" if not count else f"{in_words(count)} change{'' if count == 1 else 's'}"
    if preview is None or not count:
        return changed
    if preview.refused:
        return f"{changed}: no plan to compare"
    added, removed = preview.count("added"), preview.count("removed")
    both = min(added, removed)
    parts: Mapping[str, int] = {
        "replaced": both,
        "resized": preview.count("changed"),
        "added": added - both,
        "dropped": removed - both,
    }
    texts = [(word, number) for word, number in parts.items() if number]
    if not texts:
        return f"{changed}: today\u2019s trades stay the same"
    (word, first), *rest = texts
    lead = f"{in_words(first).lower()} trade{'' if first == 1 else 's'} {word}"
    return f"{changed}: {', '.join([lead, *(f'{in_words(n).lower()} {w}' for w, n in rest)])}"


WORDS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")


def in_words(count: int) -> str:
    """`Five`; from eleven on digits."""
    return WORDS[count] if count < len(WORDS) else f"{count:,}"
