"""What `steelyard import` shows: holdings, cash, what was passed over, decided and rejected."""

from __future__ import annotations

from dataclasses import replace

from rich.console import Console

from steelyard.importers.options import is_isin
from steelyard.importers.preview import Preview, Total, remarks, summary, totals, value_of
from steelyard.importers.statement import Balance, Position, Statement
from steelyard.report.terminal.columns import Column, Row, emit, sentence, table
from steelyard.sentences import money, quantity

FUTURE, NOT_COUNTED = "FUTURE", "not counted"
"""A future counts 0 where its row states no value: its notional is not what it is worth."""
SHOWN = 20
"""Lines of a kind that are told one by one; --json tells all."""
NAME = "Name"
HOLDINGS = (
    Column("Symbol"),
    Column(NAME, drop=7),
    Column("Quantity", "right"),
    Column("Price", "right", drop=1),
    Column("Currency", drop=2),
    Column("Cost each", "right", drop=5),
    Column("Acquired", drop=6),
    Column("Account", drop=4),
    Column("Value", "right", drop=3),
)
CASH = (
    Column("Cash"),
    Column("Amount", "right"),
    Column("Settles", drop=1),
    Column("Account", drop=2),
    Column("In the file", drop=3),
)
TOTALS = (
    Column("Total"),
    Column("Holdings", "right"),
    Column("Cash", "right"),
    Column("Together", "right", drop=1),
    Column("Without a price", "right", drop=2),
)


def draw(preview: Preview, console: Console) -> None:
    """All that a file says."""

    def say(text: str, indent: int = 0) -> None:
        emit(console, sentence(text, console.width, indent=indent))

    statement = preview.statement
    say(summary(preview))
    for columns, rows in (
        (_columns(statement), [_holding(row) for row in statement.positions]),
        (CASH, [_cash(row) for row in statement.balances]),
        (TOTALS, [_total(row) for row in totals(preview.accounts)]),
    ):
        if rows:
            console.print()
            table(console, columns, rows)
    for head, texts in remarks(statement):
        if texts:
            console.print()
            say(f"{head}:")
        for text in texts[:SHOWN]:
            say(text, 2)
        if len(texts) > SHOWN:
            say(f"and {len(texts) - SHOWN:,d} more; --json tells all", 2)


def _columns(statement: Statement) -> list[Column]:
    """Those of holdings; the names stay where an ISIN is all that there is beside them."""
    names_stay = any(is_isin(row.symbol) for row in statement.positions)
    return [
        replace(column, drop=0) if names_stay and column.head == NAME else column
        for column in HOLDINGS
    ]


def _holding(row: Position) -> Row:
    value = value_of(row)
    return Row(
        (
            row.symbol,
            row.name,
            quantity(row.quantity),
            "" if row.price is None else quantity(row.price),
            row.currency if not row.unit else f"{row.currency}, from {row.unit}",
            "" if row.average_cost is None else quantity(row.average_cost),
            row.acquired.isoformat() if row.acquired else "",
            row.account,
            (NOT_COUNTED if row.product_type == FUTURE else "") if value is None else money(value),
        )
    )


def _cash(row: Balance) -> Row:
    settles = row.settles.isoformat() if row.settles else ""
    currency = row.currency or "no currency"
    return Row((currency, money(row.amount), settles, row.account, row.label))


def _total(row: Total) -> Row:
    figures = (money(row.holdings), money(row.cash), money(row.holdings + row.cash))
    return Row((row.currency or "no currency", *figures, str(row.without_price or "")))
