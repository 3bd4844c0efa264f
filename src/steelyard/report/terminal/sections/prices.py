"""Where the prices are from."""

from __future__ import annotations

from steelyard.report.exhibits.prices import prices
from steelyard.report.exhibits.words import price
from steelyard.report.terminal.columns import Column, Row
from steelyard.report.terminal.sections.view import View

COLUMNS = (
    Column("Symbol"),
    Column("Price", "right"),
    Column("Quoted in"),
    Column("Of"),
    Column("Source", drop=1),
)


def draw(view: View) -> None:
    """Print the file and day of most prices, and each that is of another, or in another unit."""
    exhibit = prices(view.plan)
    view.title("Prices")
    view.say(exhibit.said)
    if exhibit.rows:
        cells = [
            (r.symbol, f"{price(r.price)} {r.currency}", r.unit, r.on, r.source)
            for r in exhibit.rows
        ]
        view.table(COLUMNS, [Row(row) for row in cells])
