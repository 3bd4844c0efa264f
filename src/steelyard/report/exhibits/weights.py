"""Weights before and after, against target and band: rows, their sums, and what they amount to."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from steelyard.plans.plan import Plan
from steelyard.report.exhibits.fold import MOST
from steelyard.report.exhibits.scale import Scale, ceiling, nice_step
from steelyard.report.exhibits.words import counted, lower
from steelyard.sentences import FORMATS, signed

ROWS = 60
"""Rows that a page draws: the traded, the ones out of their band, then the largest."""
ABSENT_ROWS = 10
"""Targets that cannot be bought that are drawn, the largest."""
LEAST_REACH = 0.02
"""Half width of the strips at least, of value."""
POINT = 0.01
SMALL = 0.01
"""Where every weight is under this, weights have two decimals."""
STEPS = 7
STRIP_MARGIN = 3.0
"""Percent of a strip's width kept free on either side for a dot at the edge."""
IN_BAND = 1e-12
MOST_DIGITS = 6
UNGROUPED = "No group"
NOT_TRADED = "not traded"


@dataclass(frozen=True, slots=True)
class WeightRow:
    """One security, or cash, of the pre-trade value; target and band None where there is none.

    absent   why no order can buy it, in a few words; it has then no weight, only a target
    fixed    why no order moves its weight, in a few words
    """

    symbol: str
    name: str
    now: float
    after: float
    target: float | None
    band: tuple[float, float] | None
    traded: bool
    absent: str = ""
    fixed: str = ""

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
        """Decimals of the distance: a weight outside its band must not read as its edge."""
        if self.band is None or self.off is None or self.target is None or self.inside(self.after):
            return 1
        edge = (self.band[0] if self.off < 0 else self.band[1]) - self.target
        digits = range(1, MOST_DIGITS)
        return next((n for n in digits if signed(self.off, n) != signed(edge, n)), MOST_DIGITS)

    @property
    def state(self) -> str:
        """The band after: in, closed (was out), out (as before), left (was in); empty without."""
        if self.band is None:
            return self.absent or self.fixed
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

    rows     drawn: the traded first, then those out of their band, then the largest
    groups   the same rows by group, for a page
    absent   targets that no order can buy
    kept_out positions that are valued and not traded
    rest     rows that are not drawn
    total    sums over everything, cash included
    top      the largest weight or target
    bars     scale of the weight bars, from 0
    strips   scale of the strips, distance from target; None without targets
    """

    rows: tuple[WeightRow, ...]
    groups: tuple[Group, ...]
    absent: tuple[WeightRow, ...]
    kept_out: tuple[WeightRow, ...]
    cash: WeightRow
    rest: tuple[WeightRow, ...]
    rest_said: str
    total: Group
    top: float
    bars: Scale
    strips: Scale | None
    heading: str
    said: str

    @property
    def digits(self) -> int:
        """Decimals of a percentage: of hundreds of small weights one would read 0.0."""
        return 1 if max(map(_size, self.rows), default=1.0) >= SMALL else 2


def weights(plan: Plan, most: int | None = ROWS, most_absent: int | None = ABSENT_ROWS) -> Weights:
    """The exhibit of a plan; at most so many rows are drawn, all of them for None."""
    rows = _rows(plan)
    kept_out = _kept_out(plan)
    shorts = {row.symbol for row in kept_out if row.target}
    absent = [
        WeightRow(target.symbol, "", 0.0, 0.0, target.target, None, False, target.why)
        for target in plan.drift.absent
        if target.symbol not in shorts
    ]
    labels = {holding.symbol: holding.group for holding in plan.holdings}
    cash = _cash(plan, rows)
    drawn, rest = _fold(rows, most)
    drawn_absent, drawn_kept_out = absent[:most_absent], kept_out[:most_absent]
    everything = [*rows, *absent, *kept_out, cash]
    targeted = [row for row in everything if row.target is not None]
    top = max([*map(_size, everything), POINT])
    return Weights(
        rows=tuple(drawn),
        groups=tuple(_grouped(drawn, rows, labels)),
        absent=tuple(drawn_absent),
        kept_out=tuple(drawn_kept_out),
        cash=cash,
        rest=(*rest, *absent[len(drawn_absent) :], *kept_out[len(drawn_kept_out) :]),
        rest_said=_rest_said(
            rest, len(absent) - len(drawn_absent), len(kept_out) - len(drawn_kept_out)
        ),
        total=_group("", everything, everything),
        top=top,
        bars=bars_of(everything),
        strips=strips_of(targeted) if targeted else None,
        heading=_heading(plan, rows),
        said=_said(plan, rows),
    )


def _rows(plan: Plan) -> list[WeightRow]:
    after = {holding.symbol: holding.weight for holding in plan.holdings_after}
    traded = {step.symbol for step in plan.steps}
    return [
        WeightRow(h.symbol, h.name, h.weight, after[h.symbol], h.target, h.band, h.symbol in traded)
        for h in plan.holdings
    ]


def _kept_out(plan: Plan) -> list[WeightRow]:
    """What is valued and not traded, the largest first: its target is 0, but for a short that has
    one; the distance is then what drift counts of both.
    """
    targeted = plan.objective.mode == "targets"
    asked = {target.symbol: target for target in plan.drift.absent}
    rows = []
    for p in plan.kept_out:
        own = asked.get(p.symbol) if p.weight <= 0 else None
        target = (own.target if own else 0.0) if targeted else None
        why = f"{own.why}, {NOT_TRADED}" if own else NOT_TRADED
        rows.append(WeightRow(p.symbol, p.name, p.weight, p.weight, target, None, False, "", why))
    return sorted(rows, key=lambda row: (-abs(row.now), row.symbol))


def cash_weights(plan: Plan) -> tuple[float, float]:
    """All cash before and after, settled or not, of the pre-trade value; before costs: a state
    sums to 1.
    """
    if not plan.base_of_weights:
        return 0.0, 0.0
    before, after = plan.in_base(plan.balances), plan.in_base(plan.cash_after)
    return float(before / plan.base_of_weights), float(
        (after + plan.costs.total) / plan.base_of_weights
    )


def _cash(plan: Plan, rows: Iterable[WeightRow]) -> WeightRow:
    before, after = cash_weights(plan)
    targets = [row.target for row in rows if row.target is not None]
    rest = max(0.0, 1 - math.fsum([*targets, plan.drift.absent_target]))
    target = rest if plan.objective.mode == "targets" else None
    return WeightRow("Cash", "", before, after, target, None, bool(plan.steps))


def _size(row: WeightRow) -> float:
    return max(row.now, row.after, row.target or 0.0)


def _by_size(rows: Iterable[WeightRow]) -> list[WeightRow]:
    return sorted(rows, key=lambda row: (-_size(row), row.symbol))


def _fold(rows: Sequence[WeightRow], most: int | None) -> tuple[list[WeightRow], list[WeightRow]]:
    """Rows to draw, those that tell most first, and rows to list, the largest first."""
    ranked = sorted(_by_size(rows), key=lambda row: (not row.traded, row.state in {"in", ""}))
    drawn = ranked[:most]
    return drawn, _by_size(ranked[len(drawn) :])


def _grouped(
    drawn: Sequence[WeightRow], rows: Sequence[WeightRow], labels: dict[str, str | None]
) -> Iterable[Group]:
    """Groups with sums over all of their rows, drawn or not; a single one has no name."""
    by_label: dict[str, list[WeightRow]] = {}
    for row in rows:
        by_label.setdefault(labels[row.symbol] or UNGROUPED, []).append(row)
    if len(by_label) <= 1:
        by_label = {"": list(rows)}
    shown = {row.symbol for row in drawn}
    sizes = {label: math.fsum(map(_size, members)) for label, members in by_label.items()}
    for label in sorted(sizes, key=lambda label: (-sizes[label], label)):
        members = by_label[label]
        if drawn_members := _by_size(row for row in members if row.symbol in shown):
            yield _group(label, drawn_members, members)


def _group(label: str, shown: Sequence[WeightRow], members: Sequence[WeightRow]) -> Group:
    targets = [row.target for row in members if row.target is not None]
    return Group(
        label=label,
        rows=tuple(shown),
        now=math.fsum(row.now for row in members),
        after=math.fsum(row.after for row in members),
        target=math.fsum(targets) if targets else None,
    )


def bars_of(rows: Sequence[WeightRow]) -> Scale:
    """Scale of weight bars, from 0."""
    top = max([*map(_size, rows), POINT])
    return Scale(0.0, ceiling(top, nice_step(top, STEPS)))


def strips_of(rows: Sequence[WeightRow]) -> Scale:
    """Scale of distances from target."""
    farthest = max(max(abs(row.off or 0.0), abs(row.off_now or 0.0)) for row in rows)
    reach = max(LEAST_REACH, ceiling(farthest, POINT))
    return Scale(-reach, reach, STRIP_MARGIN)


def _rest_said(rest: Sequence[WeightRow], absent: int, kept_out: int) -> str:
    """What is listed and not drawn: beside the holdings, so many targets that cannot be bought and
    positions that are not traded.
    """
    plural = "" if absent == 1 else "s"
    targets = f"{absent:,d} more target{plural} that cannot be bought" if absent > 0 else ""
    plural = "" if kept_out == 1 else "s"
    positions = f"{kept_out:,d} more position{plural} {NOT_TRADED}" if kept_out > 0 else ""
    return " and ".join(part for part in (_rest_held(rest), targets, positions) if part)


def _rest_held(rest: Sequence[WeightRow]) -> str:
    if not rest:
        return ""
    out = sum(row.state in {"out", "left"} for row in rest)
    banded = any(row.band is not None for row in rest)
    where = " inside their bands" if banded else ", smaller and not traded"
    where = f", {out:,d} of them outside their bands" if out else where
    now, after = (
        math.fsum(weights) for weights in ((r.now for r in rest), (r.after for r in rest))
    )
    sums = f" with {FORMATS['pct'](now)} of value, {FORMATS['pct'](after)} after"
    what = f"{len(rest):,d} more holding{'' if len(rest) == 1 else 's'}"
    return f"{what}{sums if len(rest) > MOST else ''}{where}"


def _heading(plan: Plan, rows: Sequence[WeightRow]) -> str:
    """What the exhibit shows, counted."""
    if not rows:
        return "Nothing is held"
    if plan.objective.mode == "none":
        largest = max(rows, key=lambda row: (row.after, row.symbol))
        verb = "is" if largest.now == max(row.now for row in rows) else "becomes"
        share = FORMATS["pct"](largest.after)
        return f"{largest.symbol} {verb} the largest holding, {share} of value"
    closed = sum(row.state == "closed" for row in rows)
    breaches = closed + sum(row.state == "out" for row in rows)
    if not breaches:
        inside = "All holdings are inside their bands"
        return inside if len(rows) > 1 else "The holding is inside its band"
    if not closed:
        stay = "stays out of its band" if breaches == 1 else "stay out of their bands"
        return f"{counted(breaches, 'holding')} {stay}"
    many = lower(counted(breaches, "breach", "breaches"))
    if closed == breaches:
        return "The only breach closes" if breaches == 1 else f"All {many} close"
    return f"{counted(closed, 'of', 'of')} {many} close{'s' if closed == 1 else ''}"


def _said(plan: Plan, rows: Sequence[WeightRow]) -> str:
    securities = counted(len(rows), "security", "securities")
    what = f"{securities} and cash, percent of value before trading."
    if plan.drift.absent:
        what += f" {counted(len(plan.drift.absent), 'target')} cannot be bought."
    if plan.kept_out:
        what += f" {counted(len(plan.kept_out), 'position')} {NOT_TRADED}."
    if plan.objective.mode == "none":
        return what + " No target weights were given."
    half = FORMATS["pp"](plan.rules.drift_band_weight)
    what += f" A band is the target and {half} on either side; a breach is a weight outside it."
    leaving = sum(row.state == "left" for row in rows)
    plural = "s" if leaving == 1 else ""
    return what + (f" {counted(leaving, 'holding')} leave{plural} the band." if leaving else "")
