"""The runs that there were, one below the other."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from steelyard.execution.journal.rows import RunRow
from steelyard.execution.states import RUN_OVER, Outcome
from steelyard.report.exhibits.run import OUTCOMES, waiting
from steelyard.report.exhibits.words import sentence
from steelyard.report.terminal.columns import Column, Row, table

COLUMNS = (
    Column("Run"),
    Column("Began, UTC"),
    Column("Account"),
    Column("Broker", drop=2),
    Column("Mode", drop=3),
    Column("Became"),
)


def listed(runs: Sequence[RunRow], console: Console) -> None:
    """A line each; under one that is not over, or did not end well, why, and how to go on."""
    table(console, COLUMNS, [_row(run) for run in runs])


def _row(run: RunRow) -> Row:
    when = run.created_at.isoformat()[:16].replace("T", " ")
    became = OUTCOMES[run.outcome] if run.outcome else waiting(run.state, run.broker)
    why = "" if run.outcome is Outcome.DONE else sentence(run.reason)
    cells = (run.run_id, when, run.account, run.broker, run.mode, became)
    return Row(cells, tuple(filter(None, (why, _next(run)))))


def _next(run: RunRow) -> str:
    if run.state in RUN_OVER:
        return ""
    more = f"runs fills {run.run_id} FILE" if run.broker == "file" else "resume"
    return f"Go on with: steelyard {more}"
