"""Weight of each holding now and after, with its target."""

from __future__ import annotations

from steelyard.report.exhibits.weights import ABSENT_ROWS, WeightRow, weights
from steelyard.report.terminal.columns import Column, Row
from steelyard.report.terminal.sections.view import BAR, View, bar, short
from steelyard.sentences import percent, signed

ROWS = 19
"""Rows without `explain`, cash not counted."""
NONE = "–"
"""Where a security without a price would have its weight."""


def draw(view: View) -> None:
    """Print the weights; all with `explain`, else what is traded, out of its band, or largest."""
    exhibit = weights(view.plan, *((None, None) if view.explain else (ROWS, ABSENT_ROWS)))
    targeted = exhibit.strips is not None
    view.title("Weights, % of value before trading")
    columns = [Column("Symbol"), Column("Name", drop=2)]
    columns += [Column("Now", "right"), Column("After", "right")]
    if targeted:
        columns += [Column("Target", "right"), Column("Off target, pp", "right")]
    columns += [Column(" ", drop=1)]
    bars = "█ held, ░ sold, ▒ bought" + (", ┃ target" if targeted else "") + "."
    rows = (*exhibit.rows, *exhibit.absent, *exhibit.kept_out, exhibit.cash)
    view.table(columns, [weight_row(row, exhibit.top, exhibit.digits) for row in rows], (" ", bars))
    if exhibit.rest:
        view.say(f"and {exhibit.rest_said}: steelyard plan --explain", style="dim")
    view.say("Cash after is before costs.", style="dim")


def weight_row(row: WeightRow, top: float, digits: int) -> Row:
    """Symbol, name, now, after, where there is a target it and the distance from it, and a bar."""
    now, after = (
        (NONE, NONE) if row.absent else (percent(row.now, digits), percent(row.after, digits))
    )
    cells = [row.symbol, short(row.name), now, after]
    if row.target is not None and row.off is not None and row.off_now is not None:
        change = f"{signed(row.off_now, digits)} → {signed(row.off, digits)}"
        why = row.absent or row.fixed
        off = f"{signed(row.off, digits)}, {why}" if why else change
        cells += [percent(row.target, digits), off]
    return Row((*cells, _bar(row, top)))


def _bar(row: WeightRow, top: float) -> str:
    least, most = bar(min(row.now, row.after), top), bar(max(row.now, row.after), top)
    moved = "░" if row.after < row.now else "▒"
    cells = list("█" * least + moved * (most - least) + " " * (BAR + 1 - most))
    if row.target is not None:
        cells[bar(row.target, top)] = "┃"
    return "".join(cells)
