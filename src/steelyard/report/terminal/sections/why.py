"""The whole story of one symbol."""

from __future__ import annotations

from dataclasses import replace

from rich.text import Text

from steelyard.plans.account import HoldingShown
from steelyard.plans.orders import CandidateShown, Step
from steelyard.plans.plan import Plan
from steelyard.report.exhibits.classes import why_member
from steelyard.report.exhibits.notes import cap_gave_way
from steelyard.report.exhibits.notes import notes as all_notes
from steelyard.report.exhibits.proposers import EXACT
from steelyard.report.exhibits.trades import worth_of
from steelyard.report.exhibits.words import price
from steelyard.report.terminal.columns import Column, Row
from steelyard.report.terminal.sections import candidates, not_traded, notes, trades
from steelyard.report.terminal.sections.view import HASH_SHOWN, SIDES, View, day, in_base
from steelyard.sentences import percent, quantity


def draw(view: View, symbol: str) -> None:
    """Print holding, order, and every candidate of a symbol: in the table, or dropped and why."""
    plan = view.plan
    holding = next((h for h in plan.holdings if h.symbol == symbol), None)
    step = plan.step(symbol)
    _head(view, symbol, holding, step)
    if step is not None:
        _order(view, step)
    _in_table(view, symbol)
    _dropped(view, symbol)
    notes.tell(view, all_notes(_about(plan, symbol)), "Data")


def _about(plan: Plan, symbol: str) -> Plan:
    """The plan with only what notes say of one symbol."""
    own = {
        part: tuple(entry for entry in getattr(plan, part) if entry.symbol == symbol)
        for part in ("problems", "warnings", "data_coverage", "steps")
    }
    return plan.model_copy(update={**own, "excluded": ()})


def _head(view: View, symbol: str, holding: HoldingShown | None, step: Step | None) -> None:
    plan = view.plan
    name = f" {holding.name}" if holding and holding.name and holding.name != symbol else ""
    where = f"{plan.bucket} · as of {day(plan.as_of)} · plan {plan.plan_id[:HASH_SHOWN]}"
    view.say(f"{symbol}{name} · {where}", indent=0)
    position = next((p for p in plan.kept_out if p.symbol == symbol), None)
    stays = holding is not None and holding.quantity
    verdict = "Kept as it is." if stays or position is not None else "Not held, not bought."
    if step is not None:
        verdict = f"{step.side.capitalize()} {quantity(step.quantity)}."
    view.emit([Text("")])
    view.say(verdict, indent=0, style="bold")
    if holding is not None:
        view.say(_owned(holding), indent=0)
        if in_class := why_member(plan, holding):
            view.say(in_class, indent=0)
        if (cap := cap_gave_way(plan, holding)) is not None:
            gave_way = f"The cap of {percent(cap)} % on a single name gave way to its target."
            view.say(gave_way, indent=0)
    if position is not None:
        worth = f"{in_base(plan, position.value)}, {percent(position.weight)} % of value"
        view.say(f"{quantity(position.quantity)} held, worth {worth}, not traded.", indent=0)
    for target in plan.drift.absent:
        if target.symbol == symbol:
            view.say(f"Target {percent(target.target)} % of value; {target.why}.", indent=0)


def _owned(holding: HoldingShown) -> str:
    quoted = f"{price(holding.price)} {holding.currency}"
    target = "no target" if holding.target is None else f"target {percent(holding.target)} %"
    if holding.band is not None:
        target += f", band {percent(holding.band[0])} to {percent(holding.band[1])} %"
    weight = f"{percent(holding.weight)} % of value"
    return f"{quantity(holding.quantity)} held, {quoted}, {weight}, {target}."


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
