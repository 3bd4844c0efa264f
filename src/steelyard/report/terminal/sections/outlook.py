"""What the plan was chosen by besides the score of today, in tables."""

from __future__ import annotations

from rich.text import Text

from steelyard.report.exhibits.frontier import Frontier
from steelyard.report.exhibits.outlook import Grid, ends_of, outlook
from steelyard.report.terminal.columns import Column, Row
from steelyard.report.terminal.drawn import FIELD_SAYS, STRIPS_SAY, fan, field
from steelyard.report.terminal.sections.view import View

SHOWN = 5
"""Lists that are shown without `explain`."""


def draw(view: View) -> None:
    """Print rule, figures and lists; nothing where the score of today alone decides."""
    exhibit = outlook(view.plan)
    if exhibit is None:
        return
    view.title(exhibit.heading)
    view.say(exhibit.rule)
    _charts(view, exhibit.frontier)
    for figures in exhibit.figures:
        view.emit([Text("")])
        _grid(view, figures)
    if exhibit.frontier is not None:
        view.emit([Text("")])
        _frontier(view, exhibit.frontier)
    if exhibit.fine:
        view.say(exhibit.fine, style="dim")
    view.emit([Text("")])
    lists = exhibit.lists.lines
    named = (line.own or line.named for line in lists)
    pairs = enumerate(zip(lists, named, strict=True))
    shown = [line for n, (line, always) in pairs if view.explain or always or n < SHOWN]
    _grid(view, Grid(exhibit.lists.caption, exhibit.lists.heads, tuple(shown)))
    if len(shown) < len(lists):
        view.say(f"and {len(lists) - len(shown)} more: steelyard plan --explain", style="dim")
    elif exhibit.more:
        view.say(exhibit.more, style="dim")
    view.say(exhibit.values, style="dim")


def _charts(view: View, front: Frontier | None) -> None:
    """The fan as strips, the frontier as a field."""
    shown = view.plan.outlook
    if shown is not None and shown.fan is not None:
        columns, rows = fan(ends_of(shown.fan), shown.fan)
        view.emit([Text("")])
        view.table(columns, rows)
        view.say(STRIPS_SAY, style="dim")
    if front is not None:
        view.emit([Text(""), *(Text(f"  {line}") for line in field(front))])
        view.say(f"{FIELD_SAYS} {front.beyond}".strip(), style="dim")


def _grid(view: View, grid: Grid) -> None:
    columns = [
        Column(head.text, "left" if n == 0 else "right", drop=head.drop)
        for n, head in enumerate(grid.heads)
    ]
    rows = [
        Row(line.cells, (line.note,) if line.note else (), "bold" if line.own else "")
        for line in grid.lines
    ]
    view.table(columns, rows)


def _frontier(view: View, exhibit: Frontier) -> None:
    columns = (
        Column("On the frontier"),
        Column("Orders", "right", drop=2),
        Column("Score", "right"),
        Column("Diversification", "right", drop=1),
        Column("Risk, %", "right"),
        Column(f"Cost, {view.plan.base_currency}", "right"),
    )
    rows = [
        Row(
            (row.name, f"{row.orders}", row.score, row.diversification, row.risk, row.cost),
            (row.note,) if row.note and view.explain else (),
            "bold" if row.own else "",
        )
        for row in exhibit.rows
    ]
    view.table(columns, rows)
    if exhibit.more:
        view.say(exhibit.more, style="dim")
