"""Cash by currency and day, traded and settled."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from steelyard.plans.account import CashRung
from steelyard.report.terminal.columns import Column, Row
from steelyard.report.terminal.sections.view import View, day
from steelyard.sentences import money


def draw(view: View) -> None:
    """Print traded and settled cash of each day; the lowest point of each currency is marked."""
    plan = view.plan
    view.title("Cash by day")
    columns = (
        Column("Currency"),
        Column("Date"),
        Column("Traded", "right"),
        Column("Settled", "right"),
        Column(""),
    )
    rows = [
        row
        for _, rungs in groupby(
            sorted(plan.cash_ladder, key=lambda rung: (rung.currency, rung.date)),
            key=lambda rung: rung.currency,
        )
        for row in _ladder(list(rungs))
    ]
    view.table(columns, rows)


def _ladder(rungs: list[CashRung]) -> Iterator[Row]:
    lowest = min(rung.balance for rung in rungs)
    marked = False
    for on, group in groupby(rungs, key=lambda rung: rung.date):
        those = list(group)
        balances = {rung.kind: rung.balance for rung in those}
        notes = ["lowest"] if not marked and lowest in balances.values() and len(rungs) > 1 else []
        marked = marked or bool(notes)
        notes += ["estimated"] if any(rung.estimated for rung in those) else []
        traded, settled = (
            money(balances[kind]) if kind in balances else "" for kind in ("traded", "settled")
        )
        yield Row((those[0].currency, day(on), traded, settled, ", ".join(notes)))
