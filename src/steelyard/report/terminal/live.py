"""The orders of a run while it goes on: a table to draw again after every change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from rich.console import Group

from steelyard.execution.order_rows import OrderRow
from steelyard.execution.states import LEG_OVER, LegState
from steelyard.money import ZERO
from steelyard.orders import Side
from steelyard.report.exhibits.run import average, state_of
from steelyard.report.exhibits.words import price
from steelyard.report.exhibits.words import sentence as sentence_of
from steelyard.report.terminal.columns import Column, Row, fitting, grid, sentence
from steelyard.report.terminal.sections.view import SIDES, STYLES
from steelyard.sentences import quantity

COLUMNS = (
    Column("Side"),
    Column("Symbol"),
    Column("Quantity", "right"),
    Column("Limit", "right"),
    Column("Bid / ask", "right", drop=2),
    Column("Filled", "right"),
    Column("At", "right", drop=3),
    Column("State"),
)
DONE = "dim"


def live(rows: Sequence[OrderRow], width: int, height: int) -> Group:
    """A line for each step, a notice under it where all that is held is sold.

    Quantity and filled are of all orders of the step, limit and market of the newest. What is over
    is dim; a reason stands under the order that it is of. Where the window is too low for all of it
    the reasons of what is over go first, then its lines, then all reasons.
    """
    steps: dict[int, list[OrderRow]] = {}
    for row in rows:
        steps.setdefault(row.step, []).append(row)
    cells = [_row(steps[step]) for step in sorted(steps)]
    under_way = [row for row in cells if row.style != DONE]
    brief = [row if row.style != DONE else replace(row, under=()) for row in cells]
    short = [replace(row, under=()) for row in under_way]
    for choice in (cells, brief, under_way, short):
        fit, cut = fitting(COLUMNS, choice, width)
        lines = [*grid(fit, cut, width), *sentence(_count(steps), width, indent=2)]
        if len(lines) <= height:
            break
    return Group(*lines)


def _row(orders: Sequence[OrderRow]) -> Row:
    newest = orders[-1]
    filled = sum((row.filled for row in orders), ZERO)
    market = ""
    if newest.side is Side.BUY and newest.bid is not None and newest.ask is not None:
        market = f"{price(newest.bid)} / {price(newest.ask)}"
    notes = []
    if newest.liquidation:
        notes.append(sentence_of(f"Liquidating {newest.symbol}: {newest.liquidation}"))
    if newest.reason:
        notes.append(sentence_of(newest.reason))
    cells = (
        SIDES[newest.side],
        newest.symbol,
        quantity(orders[0].quantity),
        price(newest.limit_price) if newest.sent else "",
        market,
        quantity(filled) if filled else "",
        average(_mean(orders)),
        state_of(newest.state),
    )
    return Row(cells, tuple(notes), DONE if newest.state in LEG_OVER else STYLES[newest.side])


def _mean(orders: Sequence[OrderRow]) -> Decimal | None:
    """Price per share over all orders of a step; None for nothing filled."""
    parts = [(row.filled, row.average_price) for row in orders if row.average_price is not None]
    total = sum((filled for filled, _ in parts), ZERO)
    return sum((filled * mean for filled, mean in parts), ZERO) / total if total else None


def _count(steps: Mapping[int, Sequence[OrderRow]]) -> str:
    filled = sum(orders[-1].state is LegState.FILLED for orders in steps.values())
    return f"{filled} of {len(steps)} filled"
