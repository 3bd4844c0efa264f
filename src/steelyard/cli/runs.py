"""`steelyard runs`, `reconcile`: what was executed, and whether books and broker agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from steelyard.canonical import plain
from steelyard.cli.output import guarded, note, write, write_json
from steelyard.cli.trading import journal, was_any_run

if TYPE_CHECKING:
    from steelyard.execution.journal.journal import Journal
    from steelyard.execution.journal.rows import RunRow

AsJson = Annotated[bool, Option("--json", help="Print one JSON document.")]


def runs(
    run: Annotated[str | None, Argument(help="One run by its id.", metavar="RUN")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show the runs, the newest first, or one with its orders."""
    with guarded():
        if not was_any_run():
            write_json([]) if as_json else note("There was no run yet.")
            return
        from steelyard.execution.journal import rows

        with journal() as entry:
            chosen = rows.runs(entry) if run is None else [rows.run(entry, run)]
            documents = [document(entry, each) for each in chosen]
        if as_json:
            write_json(documents)
            return
        for each in documents:
            outcome = each["outcome"] or ""
            write(f"{each['run_id']}  {each['state']}  {outcome}  {each['reason']}\n")


def document(entry: Journal, run: RunRow) -> dict[str, Any]:
    """A run and its orders as JSON values."""
    from steelyard.execution.journal import rows

    fills: dict[str, list[Any]] = {}
    for fill in rows.fills(entry, run_id=run.run_id):
        fills.setdefault(fill.client_order_id, []).append(fill)
    orders = []
    for leg in rows.legs(entry, run.run_id):
        parts = fills.get(leg.client_order_id, [])
        filled = sum((part.quantity for part in parts), start=leg.quantity * 0)
        money = sum((part.price * part.quantity for part in parts), start=leg.quantity * 0)
        orders.append(
            {
                "client_order_id": leg.client_order_id,
                "symbol": leg.symbol,
                "side": leg.side.value,
                "quantity": plain(leg.quantity),
                "limit_price": plain(leg.limit_price),
                "filled_quantity": plain(filled),
                "average_price": plain(money / filled) if filled else None,
                "state": leg.state.value,
                "reason": leg.reason,
            }
        )
    return {
        "run_id": run.run_id,
        "plan_id": run.plan_id,
        "bucket": run.bucket,
        "account": run.account,
        "broker": run.broker,
        "mode": run.mode,
        "state": run.state.value,
        "outcome": None if run.outcome is None else run.outcome.value,
        "reason": run.reason,
        "created_at": run.created_at.isoformat(),
        "orders": orders,
    }
