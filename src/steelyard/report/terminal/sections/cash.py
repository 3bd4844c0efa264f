"""Cash by currency and day, traded and settled."""

from __future__ import annotations

from steelyard.report.exhibits.ladder import Day, cash
from steelyard.report.terminal.columns import Column, Row
from steelyard.report.terminal.sections.view import View
from steelyard.sentences import money

COLUMNS = (
    Column("Currency"),
    Column("Date"),
    Column("Traded", "right"),
    Column("Settled", "right"),
    Column(""),
)


def draw(view: View) -> None:
    """Print traded and settled cash of each day; the lowest point of each currency is marked."""
    view.title("Cash by day")
    ladders = cash(view.plan).ladders
    view.table(COLUMNS, [_row(ladder.currency, day) for ladder in ladders for day in ladder.days])


def _row(currency: str, day: Day) -> Row:
    marks = ((day.lowest, "lowest"), (day.estimated, "estimated"))
    notes = ", ".join(mark for is_so, mark in marks if is_so)
    return Row((currency, day.on, money(day.traded), money(day.settled), notes))
