"""Weight of each class now and after, with its target and band."""

from __future__ import annotations

from steelyard.report.exhibits.classes import classes
from steelyard.report.exhibits.weights import WeightRow
from steelyard.report.terminal.columns import Column, Row
from steelyard.report.terminal.sections.view import View
from steelyard.report.terminal.sections.weights import weight_row
from steelyard.sentences import percent


def draw(view: View) -> None:
    """Print the classes, where any has a target."""
    exhibit = classes(view.plan)
    if exhibit is None:
        return
    view.title(exhibit.heading)
    columns = [Column("Class"), Column("Members", drop=3), Column("Now", "right")]
    columns += [Column("After", "right"), Column("Target", "right")]
    columns += [Column("Off target, pp", "right"), Column("Band", "right", drop=1)]
    columns += [Column("", drop=2)]
    view.table(columns, [_row(row, exhibit.bars.high) for row in exhibit.rows])
    view.say(exhibit.said, style="dim")


def _row(row: WeightRow, top: float) -> Row:
    *cells, drawn = weight_row(row, top, row.digits).cells
    band = "" if row.band is None else " to ".join(percent(edge) for edge in row.band)
    return Row((*cells, band if row.inside(row.after) else f"{band}, {row.state}", drawn))
