"""Weight of each holding now and after, with its target."""

from __future__ import annotations

from steelyard.plans.plan import Plan
from steelyard.report.terminal.columns import Column, Row
from steelyard.report.terminal.sections.view import BAR, View, bar, short
from steelyard.sentences import percent, signed

WEIGHTS_SHOWN = 20
"""Rows without `explain`."""

ABSENT_SHOWN = 10
"""Targets that cannot be bought, without `explain`."""

WeightRow = tuple[str, float, float, float | None]
"""Symbol, weight now, after, and target."""

NONE = "–"
"""Where a security without a price would have its weight."""


def draw(view: View) -> None:
    """Print the weights; all with `explain`, else what is traded and the largest."""
    plan = view.plan
    rows = _weight_rows(plan)
    shown = (
        rows
        if view.explain or len(rows) <= WEIGHTS_SHOWN
        else [*rows[: WEIGHTS_SHOWN - 1], rows[-1]]
    )
    targeted = plan.objective.mode == "targets"
    view.title("Weights, % of value before trading")
    columns = [
        Column("Symbol"),
        Column("Name", drop=2),
        Column("Now", "right"),
        Column("After", "right"),
    ]
    if targeted:
        columns += [Column("Target", "right"), Column("Off target, pp", "right")]
    columns += [Column(" ", drop=1)]
    absent = plan.drift.absent
    weights = [
        *(weight for _, *row in rows for weight in row if weight is not None),
        *(one.target for one in absent),
    ]
    top = max(weights, default=0.0)
    names = {holding.symbol: holding.name for holding in plan.holdings}
    bars = "█ held, ░ sold, ▒ bought" + (", ┃ target" if targeted else "") + "."
    drawn = [_weight(row, short(names.get(row[0], "")), top, targeted=targeted) for row in shown]
    lacking = absent if view.explain else absent[:ABSENT_SHOWN]
    above_cash = len(drawn) - bool(plan.value)
    drawn[above_cash:above_cash] = [
        Row(
            (
                one.symbol,
                "",
                NONE,
                NONE,
                percent(one.target),
                f"{signed(-one.target)}, {one.why}",
                _bar(0.0, 0.0, one.target, top),
            )
        )
        for one in lacking
    ]
    view.table(columns, drawn, (" ", bars))
    if len(absent) > len(lacking):
        view.say(
            f"and {len(absent) - len(lacking)} more targets that cannot be bought: steelyard plan "
            "--explain",
            style="dim",
        )
    if len(rows) > len(shown):
        view.say(f"and {len(rows) - len(shown)} more: steelyard plan --explain", style="dim")
    view.say("Cash after is before costs.", style="dim")


def _weight_rows(plan: Plan) -> list[WeightRow]:
    """Traded first, then by distance from target or size; cash last."""
    after = {holding.symbol: holding.weight for holding in plan.holdings_after}
    traded = {step.symbol for step in plan.steps}
    rows = [
        (h.symbol, h.weight or 0.0, after.get(h.symbol, h.weight or 0.0), h.target)
        for h in plan.holdings
    ]
    rows = [row for row in rows if any(value for value in row[1:])]
    rows.sort(key=lambda row: (row[0] not in traded, -max(row[1], row[2], row[3] or 0.0), row[0]))
    now, then = 1 - sum(row[1] for row in rows), 1 - sum(row[2] for row in rows)
    targets = [row[3] for row in rows if row[3] is not None]
    cash = (
        max(0.0, 1 - sum(targets) - plan.drift.absent_target)
        if plan.objective.mode == "targets"
        else None
    )
    return [*rows, ("cash", now, then, cash)] if plan.value else rows


def _weight(row: WeightRow, name: str, top: float, *, targeted: bool) -> Row:
    symbol, now, after, target = row
    cells = [symbol, name, percent(now), percent(after)]
    if targeted:
        aim = target or 0.0
        cells += [percent(aim), f"{signed(now - aim)} → {signed(after - aim)}"]
    return Row((*cells, _bar(now, after, target, top)))


def _bar(now: float, after: float, target: float | None, top: float) -> str:
    held, most, mark = (
        bar(value, top) for value in (min(now, after), max(now, after), target or 0.0)
    )
    cells = list(
        "█" * held + ("░" if after < now else "▒") * (most - held) + " " * (BAR + 1 - most)
    )
    if target is not None:
        cells[mark] = "┃"
    return "".join(cells)
