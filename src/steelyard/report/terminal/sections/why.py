"""The whole story of one symbol."""

from __future__ import annotations

from dataclasses import replace

from rich.text import Text

from steelyard.plans.orders import CandidateShown, Step
from steelyard.report.exhibits import why
from steelyard.report.exhibits.gates import holding_of
from steelyard.report.exhibits.proposers import EXACT
from steelyard.report.exhibits.trades import worth_of
from steelyard.report.terminal.columns import Column, Row
from steelyard.report.terminal.sections import candidates, not_traded, notes, trades
from steelyard.report.terminal.sections.view import HASH_SHOWN, SIDES, View, day


def draw(view: View, symbol: str) -> None:
    """Print holding, order, and every candidate of a symbol: in the table, or dropped and why."""
    plan, step = view.plan, view.plan.step(symbol)
    _head(view, symbol)
    if step is not None:
        _order(view, step)
    _in_table(view, symbol)
    _dropped(view, symbol)
    notes.tell(view, why.notes(plan, symbol), "Data")


def _head(view: View, symbol: str) -> None:
    plan, holding = view.plan, holding_of(view.plan, symbol)
    name = f" {holding.name}" if holding and holding.name and holding.name != symbol else ""
    where = f"{plan.bucket} · as of {day(plan.as_of)} · plan {plan.plan_id[:HASH_SHOWN]}"
    view.say(f"{symbol}{name} · {where}", indent=0)
    view.emit([Text("")])
    view.say(why.verdict(plan, symbol), indent=0, style="bold")
    for text in why.facts(plan, symbol):
        view.say(text, indent=0)


def _order(view: View, step: Step) -> None:
    view.title(f"Order {step.n} of {len(view.plan.steps)}")
    row = trades.row(view, step)
    worth, amount = worth_of(view.plan), f"Amount, {view.plan.base_currency}"
    heads = ("Quantity", "Price", amount, "Cost", "Weight, %", worth)
    columns = (Column("#", "right"), Column("Side"), *(Column(head, "right") for head in heads))
    view.table(columns, [Row((*row.cells[:2], *row.cells[4:]), row.under, row.style)])


def _in_table(view: View, symbol: str) -> None:
    rows = [c for c in view.plan.candidates if c.symbol == symbol]
    if not rows:
        searched = view.plan.step(symbol) and view.plan.certificate.scope != EXACT
        alone = "; the search alone has the order" if searched else ""
        view.title(f"No candidate reached the table{alone}")
        return
    chosen = {step.candidate for step in view.plan.steps}
    view.title("In the candidate table")
    columns = (Column("Id"), Column("Side"), *candidates.figure_heads(view.plan), Column(""))
    view.table(columns, [_candidate(c, chosen=c.id in chosen) for c in rows])


def _candidate(row: CandidateShown, *, chosen: bool) -> Row:
    cells = (row.id, SIDES[row.side], *candidates.figures(row), "in the plan" if chosen else "")
    by = f"Proposed by {', '.join(row.sources)}."
    return Row(cells, under=(by,), style="bold" if chosen else "")


def _dropped(view: View, symbol: str) -> None:
    entries = [entry for entry in view.plan.not_traded if entry.symbol == symbol]
    if not entries:
        return
    view.title("Dropped, by stage and rule")
    rows = map(not_traded.row, not_traded.in_order(entries))
    view.table(not_traded.HEADS[1:], [replace(row, cells=row.cells[1:]) for row in rows])
