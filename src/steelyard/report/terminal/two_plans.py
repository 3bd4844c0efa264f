"""The difference of two plans: what is other, trade by trade, in money and points, and why."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from steelyard.plans.diff import PlanDiff
from steelyard.report.exhibits.two_plans import Inputs, Line, Order, TwoPlans, two_plans
from steelyard.report.terminal.columns import Column, Row, emit, fitting, grid, sentence
from steelyard.report.terminal.sections.view import SIDES, STYLES, short

ORDERS = (
    Column("In"),
    Column("Side"),
    Column("Symbol"),
    Column("Name", drop=3),
    Column("A", "right"),
    Column("B", "right"),
    Column("Change", "right", drop=1),
    Column("Amount", "right", drop=2),
)


def draw(diff: PlanDiff, console: Console) -> None:
    """Print a difference; of the same plan only that it is the same."""
    exhibit = two_plans(diff)
    _say(console, exhibit.heading, style="bold")
    for head in exhibit.heads[:1] if diff.same else exhibit.heads:
        _say(console, f"{head.letter}  {head.what}")
        _say(console, head.verdict, indent=3)
    emit(console, [Text("")])
    for reason in exhibit.reasons:
        _say(console, reason)
    if not diff.same:
        _differences(exhibit, console)


def _differences(exhibit: TwoPlans, console: Console) -> None:
    _title(console, f"Trades: {exhibit.trades}")
    if exhibit.orders:
        _table(console, ORDERS, [_order(order) for order in exhibit.orders])
    if exhibit.more:
        _say(console, exhibit.more, indent=2)
    for heading, lines in ((f"Money, {exhibit.currency}", exhibit.money), ("Score", exhibit.score)):
        _title(console, heading)
        _table(console, _heads("A", "B"), [_line(line) for line in lines])
    _title(console, "What went in and is not the same")
    if exhibit.nothing_moved:
        _say(console, exhibit.nothing_moved, indent=2)
    for inputs in exhibit.inputs:
        _inputs(console, inputs)


def _inputs(console: Console, inputs: Inputs) -> None:
    _table(console, _heads("A", "B", inputs.heading), [_line(line) for line in inputs.lines])
    if inputs.more:
        _say(console, f"and {inputs.more:,d} more: see --json", indent=2)


def _order(order: Order) -> Row:
    cells = (order.of, SIDES[order.side], order.symbol, short(order.name))
    figures = (order.a, order.b, order.change, order.amount)
    reason = tuple(filter(None, [order.reason]))
    return Row((*cells, *figures), under=reason, style=STYLES[order.side])


def _heads(a: str, b: str, first: str = "") -> tuple[Column, ...]:
    figures = (Column(head, "right") for head in (a, b))
    return (Column(first), *figures, Column("Change", "right", drop=1))


def _line(line: Line) -> Row:
    label = f"  {line.label}" if line.part else line.label
    return Row((label, line.a, line.b, line.change))


def _table(console: Console, columns: tuple[Column, ...], rows: list[Row]) -> None:
    fit, cut = fitting(columns, rows, console.width)
    emit(console, grid(fit, cut, console.width))


def _title(console: Console, text: str) -> None:
    emit(console, [Text("")])
    _say(console, text, style="bold")


def _say(console: Console, text: str, *, indent: int = 0, style: str = "") -> None:
    emit(console, sentence(text, console.width, indent=indent, style=style))
