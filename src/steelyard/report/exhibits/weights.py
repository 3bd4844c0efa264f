"""Weights before and after, against target and band: the rows of the exhibit and what they amount
to.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from steelyard.money import ZERO
from steelyard.plans.plan import Plan
from steelyard.report.exhibits.scale import Scale, ceiling, nice_step
from steelyard.report.exhibits.words import counted, lower
from steelyard.sentences import FORMATS, signed

ROWS = 60
"""Rows drawn: every traded one, every one out of its band, then the largest; the others are a plain
list.
"""

ABSENT_ROWS = 10
"""Targets that cannot be bought that are drawn, the largest."""

LEAST_REACH = 0.02
"""Half width of the strips at least, of value."""

POINT = 0.01
STEPS = 7
STRIP_MARGIN = 3.0
"""Percent of a strip's width kept free on either side for a dot at the edge."""

IN_BAND = 1e-12
MOST_DIGITS = 6
UNGROUPED = "No group"


@dataclass(frozen=True, slots=True)
class WeightRow:
    """One security, or cash: weights of the pre-trade value; target and band None where there is
    none.

    absent   why no order can buy it, in a few words; it has then no weight, only a target
    """

    symbol: str
    name: str
    now: float
    after: float
    target: float | None
    band: tuple[float, float] | None
    traded: bool
    absent: str = ""

    @property
    def off(self) -> float | None:
        """Distance from target after the plan, signed."""
        return None if self.target is None else self.after - self.target

    @property
    def off_now(self) -> float | None:
        """Distance from target before the plan, signed."""
        return None if self.target is None else self.now - self.target

    def inside(self, weight: float) -> bool:
        """Within the band; without one, always."""
        return self.band is None or self.band[0] - IN_BAND <= weight <= self.band[1] + IN_BAND

    @property
    def digits(self) -> int:
        """Decimals of the distance in points: enough to tell a weight outside its band from the
        edge.
        """
        if self.band is None or self.off is None or self.target is None or self.inside(self.after):
            return 1
        edge = (self.band[0] if self.off < 0 else self.band[1]) - self.target
        return next(
            (
                digits
                for digits in range(1, MOST_DIGITS)
                if signed(self.off, digits) != signed(edge, digits)
            ),
            MOST_DIGITS,
        )

    @property
    def state(self) -> str:
        """What happens to the band: in, closed, out (and stays so), left (was in); empty without a
        band.
        """
        if self.band is None:
            return self.absent
        before, then = self.inside(self.now), self.inside(self.after)
        if then:
            return "in" if before else "closed"
        return "left" if before else "out"


@dataclass(frozen=True, slots=True)
class Group:
    """Rows under one label with their sums; `label` is empty where nothing is grouped."""

    label: str
    rows: tuple[WeightRow, ...]
    now: float
    after: float
    target: float | None


@dataclass(frozen=True, slots=True)
class Weights:
    """The exhibit.

    bars     scale of the weight bars, from 0
    strips   scale of the strips, distance from target; None without targets
    absent   targets that no order can buy
    rest     rows that are not drawn
    total    sums over everything, cash included
    """

    groups: tuple[Group, ...]
    absent: tuple[WeightRow, ...]
    cash: WeightRow
    rest: tuple[WeightRow, ...]
    rest_said: str
    total: Group
    bars: Scale
    strips: Scale | None
    heading: str
    said: str


def weights(plan: Plan) -> Weights:
    """The exhibit of a plan."""
    rows = _rows(plan)
    absent = [
        WeightRow(one.symbol, "", 0.0, 0.0, one.target, None, False, one.why)
        for one in plan.drift.absent
    ]
    labels = {holding.symbol: holding.group for holding in plan.holdings}
    cash = _cash(plan, rows)
    drawn, rest = _fold(rows)
    everything = [*rows, *absent, cash]
    top = max([*(max(row.now, row.after, row.target or 0.0) for row in everything), POINT])
    return Weights(
        groups=tuple(_grouped(drawn, rows, labels)),
        absent=tuple(absent[:ABSENT_ROWS]),
        cash=cash,
        rest=(*rest, *absent[ABSENT_ROWS:]),
        rest_said=_rest_said(rest, len(absent) - ABSENT_ROWS),
        total=_group("", everything, everything),
        bars=Scale(0.0, ceiling(top, nice_step(top, STEPS))),
        strips=_strips([row for row in everything if row.target is not None]),
        heading=_heading(plan, rows),
        said=_said(plan, rows),
    )


def _rows(plan: Plan) -> list[WeightRow]:
    after = {holding.symbol: holding.weight for holding in plan.holdings_after}
    traded = {step.symbol for step in plan.steps}
    return [
        WeightRow(
            h.symbol,
            h.name,
            h.weight,
            after.get(h.symbol, h.weight),
            h.target,
            h.band,
            h.symbol in traded,
        )
        for h in plan.holdings
    ]


def cash_weights(plan: Plan) -> tuple[float, float]:
    """All cash before and after, of the pre-trade value; before costs: a state sums to 1."""
    if not plan.value:
        return 0.0, 0.0
    rates = plan.cash_rates
    before = sum((amount * rates[currency] for currency, amount in plan.cash.items()), ZERO)
    after = sum((amount * rates[currency] for currency, amount in plan.cash_after.items()), ZERO)
    return float(before / plan.value), float((after + plan.costs.total) / plan.value)


def _cash(plan: Plan, rows: Iterable[WeightRow]) -> WeightRow:
    before, after = cash_weights(plan)
    targets = [row.target for row in rows if row.target is not None]
    target = (
        max(0.0, 1 - math.fsum([*targets, plan.drift.absent_target]))
        if plan.objective.mode == "targets"
        else None
    )
    return WeightRow("Cash", "", before, after, target, None, bool(plan.steps))


def _size(row: WeightRow) -> float:
    return max(row.now, row.after, row.target or 0.0)


def _fold(rows: Sequence[WeightRow]) -> tuple[list[WeightRow], list[WeightRow]]:
    """Rows to draw and rows to list, each largest first."""
    ranked = sorted(
        rows, key=lambda row: (not row.traded, row.state in {"in", ""}, -_size(row), row.symbol)
    )
    drawn, rest = ranked[:ROWS], ranked[ROWS:]
    return drawn, sorted(rest, key=lambda row: (-_size(row), row.symbol))


def _grouped(
    drawn: Sequence[WeightRow], rows: Sequence[WeightRow], labels: dict[str, str | None]
) -> Iterable[Group]:
    """Groups with their sums over all of their rows, drawn or not; a dimension with one member is
    not drawn.
    """
    by_label: dict[str, list[WeightRow]] = {}
    for row in rows:
        by_label.setdefault(labels[row.symbol] or UNGROUPED, []).append(row)
    if len(by_label) <= 1:
        if drawn:
            yield _group("", sorted(drawn, key=lambda row: (-_size(row), row.symbol)), rows)
        return
    shown = {row.symbol for row in drawn}
    for label in sorted(
        by_label, key=lambda label: (-math.fsum(_size(row) for row in by_label[label]), label)
    ):
        members = sorted(
            (row for row in by_label[label] if row.symbol in shown),
            key=lambda row: (-_size(row), row.symbol),
        )
        if members:
            yield _group(label, members, by_label[label])


def _group(label: str, shown: Sequence[WeightRow], members: Sequence[WeightRow]) -> Group:
    targets = [row.target for row in members if row.target is not None]
    return Group(
        label=label,
        rows=tuple(shown),
        now=math.fsum(row.now for row in members),
        after=math.fsum(row.after for row in members),
        target=math.fsum(targets) if targets else None,
    )


def _strips(rows: Sequence[WeightRow]) -> Scale | None:
    if not rows:
        return None
    farthest = max(max(abs(row.off or 0.0), abs(row.off_now or 0.0)) for row in rows)
    reach = max(LEAST_REACH, ceiling(farthest, POINT))
    return Scale(-reach, reach, STRIP_MARGIN)


def _rest_said(rest: Sequence[WeightRow], absent: int) -> str:
    """What is listed and not drawn; `absent` targets that cannot be bought beside the holdings."""
    targets = (
        f"{absent:,d} more target{'' if absent == 1 else 's'} that cannot be bought"
        if absent > 0
        else ""
    )
    return " and ".join(part for part in (_rest_held(rest), targets) if part)


def _rest_held(rest: Sequence[WeightRow]) -> str:
    if not rest:
        return ""
    out = sum(row.state in {"out", "left"} for row in rest)
    banded = any(row.band is not None for row in rest)
    where = (
        f", {out} of them outside their bands"
        if out
        else (" inside their bands" if banded else ", smaller and not traded")
    )
    return f"{len(rest):,d} more holding{'' if len(rest) == 1 else 's'}{where}"


def _heading(plan: Plan, rows: Sequence[WeightRow]) -> str:
    """What the exhibit shows, counted."""
    if not rows:
        return "Nothing is held"
    if plan.objective.mode == "none":
        largest = max(rows, key=lambda row: (row.after, row.symbol))
        verb = "is" if largest.now == max(row.now for row in rows) else "becomes"
        return (
            f"{largest.symbol} {verb} the largest holding, {FORMATS['pct'](largest.after)} of value"
        )
    closed = sum(row.state == "closed" for row in rows)
    breaches = closed + sum(row.state == "out" for row in rows)
    if not breaches:
        return (
            "All holdings are inside their bands"
            if len(rows) > 1
            else "The holding is inside its band"
        )
    if not closed:
        return (
            "One holding stays out of its band"
            if breaches == 1
            else f"{counted(breaches, 'holding')} stay out of their bands"
        )
    if closed == breaches:
        return (
            "The only breach closes"
            if breaches == 1
            else f"All {lower(counted(breaches, 'breach', 'breaches'))} close"
        )
    return (
        f"{counted(closed, 'of', 'of')} {lower(counted(breaches, 'breach', 'breaches'))} "
        f"close{'s' if closed == 1 else ''}"
    )


def _said(plan: Plan, rows: Sequence[WeightRow]) -> str:
    what = (
        f"{counted(len(rows), 'security', 'securities')} and cash, percent of value before trading."
    )
    if plan.drift.absent:
        what += f" {counted(len(plan.drift.absent), 'target')} cannot be bought."
    if plan.objective.mode == "none":
        return what + " No target weights were given."
    left = sum(row.state == "left" for row in rows)
    leaves = (
        f" {counted(left, 'holding')} leave{'s' if left == 1 else ''} the band." if left else ""
    )
    half = FORMATS["pp"](plan.rules.drift_band_weight)
    return (
        f"{what} A band is the target and {half} on either side; a breach is a weight outside "
        f"it.{leaves}"
    )
