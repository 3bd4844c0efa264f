"""The accounts of a fleet, a line each, worst first; under one that needs a look, why."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from steelyard.report.exhibits.words import named
from steelyard.report.terminal.columns import Column, Row, emit, sentence, table
from steelyard.runs.fleet.results import Total, Totals, standing, totals_of, worst_first
from steelyard.sentences import SPACE, money, percent, signed
from steelyard.store.fleets import AccountRow

COLUMNS = (
    Column("Account"),
    Column("To do"),
    Column("Orders", "right"),
    Column("Drift, %", "right"),
    Column("after", "right", drop=3),
    Column("Gain, points", "right", drop=2),
    Column("Turnover, %", "right", drop=4),
    Column("Costs", "right", drop=5),
    Column("Value", "right", drop=1),
    Column("", drop=1),
)
WORDS = {
    "failed": "FAILED",
    "problem": "look at",
    "shortfall": "raise cash",
    "band": "outside band",
    "new money": "invest",
    "trade": "trade",
    "hold": "hold",
}
COUNTED = {
    "failed": "failed",
    "problem": "with a problem",
    "shortfall": "short of cash",
    "band": "outside a band",
    "new money": "with new money",
    "trade": "to trade",
    "hold": "hold",
}
STYLES = {"failed": "bold red", "problem": "yellow", "shortfall": "yellow", "hold": "dim"}
LOOKED_AT = ("failed", "problem", "shortfall")
LONGEST = 400
"""Characters of what stands under an account: the whole is in its page and in --summary."""
MOST_DAYS = 3


def draw(rows: Sequence[AccountRow], console: Console) -> None:
    """How the accounts stand in a sentence, a line each, the totals."""
    totals = totals_of(rows)
    emit(console, sentence(_head(rows, totals), console.width))
    console.print()
    table(console, COLUMNS, [_row(row) for row in worst_first(rows)])
    if totals.money:
        console.print()
    for total in totals.money:
        emit(console, sentence(_total(total), console.width))


def _head(rows: Sequence[AccountRow], totals: Totals) -> str:
    """`300 accounts as of 2026-03-10: 2 failed, 41 to trade (96 orders), 257 hold.`"""
    days = sorted({f"{row.as_of}" for row in rows if row.as_of is not None})
    of_day = f" as of {named(days, MOST_DAYS)}" if days else ""
    count = "1 account" if totals.accounts == 1 else f"{totals.accounts:,} accounts"
    stand = ", ".join(f"{number:,} {COUNTED[word]}" for word, number in totals.standings.items())
    orders = "1 order" if totals.orders == 1 else f"{totals.orders:,} orders"
    return f"{count}{of_day}: {stand}; {orders} in all."


def _total(total: Total) -> str:
    share = float(total.traded / total.value) if total.value else 0.0
    accounts = "1 account" if total.accounts == 1 else f"{total.accounts:,} accounts"
    return (
        f"{total.currency} {money(total.value, 0)} in {accounts}: {total.currency} "
        f"{money(total.traded, 0)} to be traded ({percent(share)}{SPACE}%), costs {total.currency} "
        f"{money(total.cost, 0)}."
    )


def _row(row: AccountRow) -> Row:
    word = standing(row)
    text = " ".join((row.error or row.note).split())
    cut = text if len(text) <= LONGEST else f"{text[:LONGEST]} …"
    under = (cut,) if word in LOOKED_AT else ()
    return Row(_cells(row, WORDS[word]), under=under, style=STYLES.get(word, ""))


def _cells(row: AccountRow, word: str) -> tuple[str, ...]:
    if row.error is not None:
        return (row.account, word, *[""] * (len(COLUMNS) - 2))
    acts = row.verdict == "act"
    return (
        row.account,
        word,
        f"{row.orders}" if row.orders else "",
        "" if row.drift_before is None else percent(row.drift_before),
        percent(row.drift_after) if acts and row.drift_after is not None else "",
        signed(row.improvement, 2) if acts and row.improvement is not None else "",
        percent(row.turnover or 0.0) if acts else "",
        money(row.cost, 0) if acts and row.cost is not None else "",
        "" if row.value is None else money(row.value, 0),
        row.base_currency or "",
    )
