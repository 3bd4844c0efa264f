"""The orders of a worksheet as CSV, sells first: plain decimals, and no cell is a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from decimal import Decimal

from steelyard.brokers.by_file.export import safe
from steelyard.canonical import plain
from steelyard.planning.costs import with_fx
from steelyard.planning.document.orders import carried_out, costs_of, priced_of
from steelyard.planning.solve import step_order
from steelyard.runs.worksheet.figures import figures, orders_of
from steelyard.runs.worksheet.records import Edits, Row
from steelyard.runs.worksheet.sheet import Sheet
from steelyard.sentences import cased

HEADER = ("symbol", "side", "quantity", "price", "currency", "notional", "cost", "note")
CENTS = 2


def csv_of(sheet: Sheet, edits: Edits) -> str:
    """One line an order; `notional` is of the order's currency, `cost` of base, conversion in it.

    Both are rounded to cents.

    A note says what was changed, and each limit that the order breaks; where a limit is broken by
    all of them together, the last line says so, without an order.
    """
    result = figures(sheet, edits, worths=False)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    rows = {row.symbol: row for row in result.rows}
    m = sheet.solution(orders_of(sheet, edits))
    order = step_order(m.orders, m.choice.plan.row)
    for j, margin in zip(order, carried_out(m, order).margins, strict=True):
        p = priced_of(m, j)
        cost = with_fx(costs_of(m, j), margin).total
        quantity = m.orders.quantity[j]
        note = "; ".join(_notes(rows[p.security.symbol]))
        numbers = (quantity, p.price)
        writer.writerow(
            (
                safe(p.security.symbol),
                m.orders.side(j).value,
                *map(plain, numbers),
                safe(p.security.currency),
                plain(round(quantity * p.unit_price, CENTS)),
                plain(round(cost, CENTS)),
                safe(note),
            )
        )
    together = [cased(limit.why.text) for limit in result.broken if limit.symbol is None]
    if together:
        note = f"May not be traded: {' '.join(together)}"
        writer.writerow((*("",) * (len(HEADER) - 1), safe(note)))
    return text.getvalue()


def _notes(row: Row) -> Iterator[str]:
    """What a reader of the file must know of an order."""
    if row.changed:
        yield f"calculated: {_order(row.calculated)}"
    if row.locked:
        yield "locked"
    yield from (f"may not be traded: {limit.why.text}" for limit in row.broken)


def _order(quantity: Decimal) -> str:
    if not quantity:
        return "no order"
    return f"{'buy' if quantity > 0 else 'sell'} {plain(abs(quantity))}"
