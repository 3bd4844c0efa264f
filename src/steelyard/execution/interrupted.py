"""Runs that are not over and that no process carries on: it was killed, or its machine was.

In: runs, and a journal that is only looked at. Out: an `Interruption` for each of them. The lock of
an account ends with the process that trades it, so it tells at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from steelyard.execution.journal.journal import Journal
from steelyard.execution.journal.opening import is_leased
from steelyard.execution.journal.rows import RunRow
from steelyard.execution.states import AT_BROKER, IN_DOUBT, RUN_OVER, LegState, RunState

STANDS = frozenset({RunState.HALTED, RunState.NEEDS_HUMAN})
"""A run that waits for a person, and needs no process until then."""
BY_HAND = "file"
"""A broker whose fills somebody brings: between them no process is there."""


@dataclass(frozen=True, slots=True)
class Interruption:
    """since: the last thing that the run wrote; at_broker: orders that may be there."""

    since: datetime
    at_broker: int


def interruptions(journal: Journal, home: Path, runs: Iterable[RunRow]) -> dict[str, Interruption]:
    """Those of the runs that are interrupted, by id."""
    broken: dict[str, Interruption] = {}
    for run in runs:
        if run.state in RUN_OVER | STANDS or run.broker == BY_HAND:
            continue
        if not is_leased(home, run.account) and not _is_over(journal, run):
            broken[run.run_id] = Interruption(_last(journal, run), _at_broker(journal, run))
    return broken


def _is_over(journal: Journal, run: RunRow) -> bool:
    """It may have ended, and let go of its lock, after it was read."""
    state = RunState(journal.row("SELECT state FROM run WHERE run_id = ?", (run.run_id,))[0])
    return state in RUN_OVER | STANDS


def _last(journal: Journal, run: RunRow) -> datetime:
    query = "SELECT ts_utc FROM event WHERE run_id = ? ORDER BY seq DESC LIMIT 1"
    row = journal.row(query, (run.run_id,))
    return run.created_at if row is None else datetime.fromisoformat(row[0])


def _at_broker(journal: Journal, run: RunRow) -> int:
    states = sorted(AT_BROKER | IN_DOUBT | {LegState.HELD})
    marks = ",".join("?" * len(states))
    query = f"SELECT COUNT(*) FROM leg WHERE run_id = ? AND state IN ({marks})"  # noqa: S608
    return int(journal.row(query, (run.run_id, *states))[0])
