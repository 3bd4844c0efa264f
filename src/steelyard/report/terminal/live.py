"""The orders of a run while it goes on: a table to draw again after every change."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group

from steelyard.execution.order_rows import OrderRow
from steelyard.execution.states import LEG_OVER, LegState
from steelyard.orders import Side
from steelyard.report.exhibits.run import average, state_of
from steelyard.report.exhibits.words import price
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


def live(rows: Sequence[OrderRow], width: int) -> Group:
    """The newest order of each step, a notice under each that sells all that is held.

    What is over and filled is dim; a reason stands under the order that it is of.
    """
    newest = {row.step: row for row in rows}
    cells = [_row(row) for row in newest.values()]
    fit, cut = fitting(COLUMNS, cells, width)
    return Group(*grid(fit, cut, width), *sentence(_count(rows), width, indent=2))


def _row(row: OrderRow) -> Row:
    market = ""
    if row.side is Side.BUY and row.bid is not None and row.ask is not None:
        market = f"{price(row.bid)} / {price(row.ask)}"
    notes = []
    if row.liquidation:
        notes.append(f"Liquidating {row.symbol}: {row.liquidation}")
    if row.reason:
        notes.append(row.reason)
    return Row(
        (
            SIDES[row.side],
            row.symbol,
            quantity(row.quantity),
            price(row.limit_price) if row.sent else "",
            market,
            quantity(row.filled) if row.filled else "",
            average(row.average_price),
            state_of(row.state),
        ),
        under=tuple(notes),
        style=DONE if row.state in LEG_OVER else STYLES[row.side],
    )


def _count(rows: Sequence[OrderRow]) -> str:
    newest = {row.step: row for row in rows}.values()
    filled = sum(row.state is LegState.FILLED for row in newest)
    return f"{filled} of {len(newest)} filled"
