"""What else was weighed, by the same score."""

from __future__ import annotations

from rich.text import Text

from steelyard.report.exhibits.alternatives import BESIDE, weighed
from steelyard.report.exhibits.alternatives import Row as Weighed
from steelyard.report.exhibits.proposers import credited
from steelyard.report.exhibits.words import on_scale
from steelyard.report.exhibits.worth import gained, near, signed_amount
from steelyard.report.terminal.columns import Column, Row
from steelyard.report.terminal.sections.view import View
from steelyard.sentences import money, percent


def draw(view: View) -> None:
    """Print every plan, best first, and how it differs; with `explain` all orders and modules."""
    plan = view.plan
    if not plan.alternatives:
        return
    view.title("What else was weighed")
    base = plan.base_currency
    columns = (
        Column("Plan"),
        Column("Drift, pp", "right"),
        Column(f"Cost, {base}", "right"),
        Column("Turnover, %", "right", drop=3),
        Column(f"{base} a year", "right", drop=1),
        Column("Net, points", "right"),
        Column("Points", "right", drop=2),
        Column("Score", "right", drop=4),
    )
    view.table(columns, [_row(other, explain=view.explain) for other in weighed(plan).rows])
    view.say(BESIDE, style="dim")
    sources = credited(plan) if view.explain else []
    if sources:
        view.emit([Text("")])
        heads = (Column("Orders of"), Column("Come from"))
        view.table(heads, [Row((credit.plans, credit.by)) for credit in sources])


def _row(other: Weighed, *, explain: bool) -> Row:
    own = other.kind == "plan"
    cells = (
        other.name,
        "none" if other.drift is None else percent(other.drift),
        money(other.cost),
        percent(other.turnover),
        "" if own or other.a_year is None else signed_amount(other.a_year),
        gained(other.net),
        "" if own else near(other.beside),
        on_scale(other.score),
    )
    trades = (other.orders if explain else "") or other.note
    return Row(cells, (trades,) if trades else (), "bold" if own else "")
