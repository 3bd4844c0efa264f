"""Classes before and after, against target and band, and what each says of its members."""

from __future__ import annotations

import math
from dataclasses import dataclass

from steelyard.plans.account import ClassShown, HoldingShown
from steelyard.plans.plan import Plan
from steelyard.report.exhibits.scale import Scale
from steelyard.report.exhibits.weights import WeightRow, bars_of, strips_of
from steelyard.report.exhibits.words import counted, named
from steelyard.sentences import FORMATS, percent

SAME = 1e-10
"""Weights that differ by less are one: documents publish no more digits."""
MEMBERS = 6
"""Members of a class that its row names; the others it counts."""


@dataclass(frozen=True, slots=True)
class Classes:
    """The exhibit.

    rows          the largest target first; the name of each is its members
    before, after drift: half the sum of distances from target, all that is in no class as one
    bars, strips  as in `weights`
    """

    rows: tuple[WeightRow, ...]
    before: float
    after: float
    bars: Scale
    strips: Scale
    heading: str
    said: str


def classes(plan: Plan) -> Classes | None:
    """The classes of a plan; None where none has a target."""
    if not plan.classes:
        return None
    traded = {step.symbol for step in plan.steps}
    rows = tuple(
        WeightRow(
            symbol=row.name,
            name=named(row.members, MEMBERS),
            now=row.weight,
            after=row.weight_after,
            target=row.target,
            band=row.band,
            traded=bool(traded & set(row.members)),
        )
        for row in plan.classes
    )
    before = _drift(rows, [row.now for row in rows])
    after = _drift(rows, [row.after for row in rows])
    return Classes(
        rows=rows,
        before=before,
        after=after,
        bars=bars_of(rows),
        strips=strips_of(rows),
        heading=_heading(before, after, moves=bool(plan.steps)),
        said=_said(plan, rows),
    )


def _drift(rows: tuple[WeightRow, ...], weights: list[float]) -> float:
    """Half the sum of distances from target, what is in no class among them."""
    targets = [row.target or 0.0 for row in rows]
    off = [abs(weight - target) for weight, target in zip(weights, targets, strict=True)]
    return math.fsum([*off, abs(math.fsum(weights) - math.fsum(targets))]) / 2


def _heading(before: float, after: float, *, moves: bool) -> str:
    if not moves:
        return f"By class the drift is {FORMATS['pp'](before)}"
    return f"By class the drift goes from {percent(before)} to {FORMATS['pp'](after)}"


def _said(plan: Plan, rows: tuple[WeightRow, ...]) -> str:
    """How a class becomes targets of its members, and how many are outside their bands."""
    out = sum(not row.inside(row.after) for row in rows)
    column = f"the column {plan.classes[0].dimension} of the securities file"
    what = f"{counted(len(rows), 'class', 'classes')} by {column}"
    where = f", {out:,d} outside {'its band' if out == 1 else 'their bands'} after" if out else ""
    return (
        f"{what}{where}. Members keep their weights; what a class lacks goes to the first of them "
        "that may be bought, and what it has too much of comes from lots at a loss, then with the "
        "least tax, then of the last preference."
    )


def class_of(plan: Plan, holding: HoldingShown) -> ClassShown | None:
    """The class with a target that a holding is in."""
    return next((row for row in plan.classes if row.name == holding.class_name), None)


def why_member(plan: Plan, holding: HoldingShown) -> str:
    """What a class says of one member: its own weight and target, and how the member's follows;
    empty for what is in none.
    """
    row = class_of(plan, holding)
    if row is None:
        none = f"Class {holding.class_name} has no target."
        return none if plan.classes and holding.class_name else ""
    low, high = (FORMATS["pct"](edge) for edge in row.band)
    weights = f"{FORMATS['pct'](row.weight)} of value, {FORMATS['pct'](row.weight_after)} after"
    target = f"target {FORMATS['pct'](row.target)}, band {low} to {high}"
    return f"Class {row.name}: {weights}, {target}. {_how(plan, row, holding)}"


def _how(plan: Plan, row: ClassShown, holding: HoldingShown) -> str:
    """Why the member has the target that it has."""
    off = (holding.target or 0.0) - holding.weight
    if row.by_rows:
        return "Rows of its members in the targets file say their targets."
    if off > SAME:
        place = "" if holding.preference is None else f", with preference {holding.preference},"
        return (
            f"The class lacks {FORMATS['pct'](off)}: all of it goes to {holding.symbol}{place} the "
            "first of its members that has a price and may be bought."
        )
    if off < -SAME:
        return (
            f"The class has too much: {FORMATS['pct'](-off)} of it is to come from "
            f"{holding.symbol}, whose lots are the first to sell: at a loss, with the least tax, "
            "or of the last preference."
        )
    return f"{holding.symbol} keeps its weight{_instead(plan, row, holding)}."


def _instead(plan: Plan, row: ClassShown, holding: HoldingShown) -> str:
    """Who of the class takes what it lacks, or gives what it has too much of."""
    others = [h for h in plan.holdings if h.symbol in row.members and h.symbol != holding.symbol]
    more = [h.symbol for h in others if (h.target or 0.0) - h.weight > SAME]
    less = [h.symbol for h in others if (h.target or 0.0) - h.weight < -SAME]
    if more:
        barred = "" if holding.allow_buy else f", for {holding.symbol} may not be bought"
        return f": what the class lacks goes to {more[0]}{barred}"
    return f": what the class has too much of comes from {named(less)}" if less else ""
