"""Runs as plain JSON values, newest first, each with its orders."""

from __future__ import annotations

from typing import Any

from steelyard.canonical import plain
from steelyard.execution.journal import rows
from steelyard.execution.journal.journal import Journal
from steelyard.execution.journal.rows import RunRow
from steelyard.execution.order_rows import OrderRow, order_rows

PRICE_DIGITS = 6
"""Of an average price, which may have no end."""


def listing(journal: Journal, account: str | None = None) -> list[dict[str, Any]]:
    """Every run."""
    return [run_document(journal, run) for run in rows.runs(journal, account)]


def run_document(journal: Journal, run: RunRow) -> dict[str, Any]:
    """One run with its orders: those that were sent, and steps of which none was."""
    legs, fills = rows.legs(journal, run.run_id), rows.fills(journal, run_id=run.run_id)
    return {
        "run_id": run.run_id,
        "plan_id": run.plan_id,
        "bucket": run.bucket,
        "account": run.account,
        "mode": run.mode,
        "state": run.state.value,
        "outcome": None if run.outcome is None else run.outcome.value,
        "reason": run.reason,
        "created_at": run.created_at.isoformat(),
        "ended_at": None if run.ended_at is None else run.ended_at.isoformat(),
        "orders": [_order(row) for row in order_rows(legs, fills, ())],
    }


def _order(row: OrderRow) -> dict[str, Any]:
    price = None if row.average_price is None else plain(round(row.average_price, PRICE_DIGITS))
    return {
        "client_order_id": row.client_order_id,
        "symbol": row.symbol,
        "side": row.side.value,
        "quantity": plain(row.quantity),
        "filled_quantity": plain(row.filled),
        "average_price": price,
        "state": row.state.value,
        "reason": row.reason,
        "limit_price": plain(row.limit_price),
        "step": row.step,
        "attempt": row.attempt,
        "sent": row.sent,
    }
