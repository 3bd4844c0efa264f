"""The runs that there were, one below the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console

from steelyard.execution.interrupted import Interruption
from steelyard.execution.journal.rows import RunRow
from steelyard.execution.states import Outcome
from steelyard.report.exhibits.run import OUTCOMES, next_step, waiting
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


def listed(runs: Sequence[RunRow], broken: Mapping[str, Interruption], console: Console) -> None:
    """A line each; under one that is not over, or did not end well, why, and how to go on.

    runs     newest first: what is left of an older run of a bucket is the newer one's
    broken   those that no process carries on, by id
    """
    newest = {run.bucket: run.run_id for run in reversed(runs)}
    table(
        console,
        COLUMNS,
        [
            _row(run, broken.get(run.run_id), newest=newest[run.bucket] == run.run_id)
            for run in runs
        ],
    )


def _row(run: RunRow, broken: Interruption | None, *, newest: bool) -> Row:
    when = run.created_at.isoformat()[:16].replace("T", " ")
    became = OUTCOMES[run.outcome] if run.outcome else waiting(run.state, run.broker, broken)
    why = "" if run.outcome is Outcome.DONE else sentence(run.reason)
    cells = (run.run_id, when, run.account, run.broker, run.mode, became)
    after = next_step(run, broken) if newest or run.outcome is None else ""
    return Row(cells, tuple(filter(None, (why, after))))
