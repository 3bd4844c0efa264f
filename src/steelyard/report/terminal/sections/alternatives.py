"""What else was weighed, by the same score."""

from __future__ import annotations

from rich.text import Text

from steelyard.report.exhibits.alternatives import weighed
from steelyard.report.exhibits.proposers import credited
from steelyard.report.exhibits.words import on_scale
from steelyard.report.terminal.columns import Column, Row
from steelyard.report.terminal.sections.view import View
from steelyard.sentences import money, percent, signed


def draw(view: View) -> None:
    """Print every plan, best first, and how it differs; with `explain` all orders and modules."""
    plan = view.plan
    if not plan.alternatives:
        return
    view.title("What else was weighed")
    columns = (
        Column("Plan"),
        Column("Score", "right"),
        Column("Net", "right"),
        Column(f"Cost, {plan.base_currency}", "right"),
        Column("Turnover, %", "right", drop=2),
        Column("Drift, pp", "right", drop=1),
    )
    rows = []
    for other in weighed(plan).rows:
        drift = "none" if other.drift is None else percent(other.drift)
        numbers = (on_scale(other.score), signed(other.net, 2), money(other.cost))
        trades = (other.orders if view.explain else "") or other.note
        cells = (other.name, *numbers, percent(other.turnover), drift)
        style = "bold" if other.kind == "plan" else ""
        rows.append(Row(cells, (trades,) if trades else (), style))
    view.table(columns, rows)
    sources = credited(plan) if view.explain else []
    if sources:
        view.emit([Text("")])
        heads = (Column("Orders of"), Column("Come from"))
        view.table(heads, [Row((credit.plans, credit.by)) for credit in sources])
