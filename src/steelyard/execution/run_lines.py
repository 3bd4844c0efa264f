"""Runs as a list shows them: each with the number of its orders, and whether the books agreed."""

from __future__ import annotations

import json
from dataclasses import dataclass

from steelyard.execution.journal import rows
from steelyard.execution.journal.journal import Journal
from steelyard.execution.journal.rows import RunRow
from steelyard.execution.states import IN_DOUBT, LegState


@dataclass(frozen=True, slots=True)
class RunLine:
    """A run in a list.

    orders     that its plan lists; `filled` of them whole, `doubtful` not known
    agrees     did books and broker when they were compared last; None = never
    """

    run: RunRow
    orders: int
    filled: int
    doubtful: int
    agrees: bool | None


COUNTS = (
    "SELECT run_id, COUNT(DISTINCT step),"
    " COUNT(DISTINCT CASE WHEN state = 'FILLED' THEN step END),"
    " COUNT(DISTINCT CASE WHEN state IN (SELECT value FROM json_each(?)) THEN step END)"
    " FROM leg WHERE run_id IN (SELECT value FROM json_each(?)) GROUP BY run_id"
)
COMPARED = (
    "SELECT run_id, clean FROM reconciliation WHERE id IN (SELECT MAX(id) FROM reconciliation"
    " WHERE run_id IN (SELECT value FROM json_each(?)) GROUP BY run_id)"
)


def run_lines(journal: Journal, most: int) -> tuple[RunLine, ...]:
    """The newest runs, at most so many."""
    newest = rows.runs(journal)[:most]
    names = json.dumps([run.run_id for run in newest])
    doubtful = json.dumps(sorted(IN_DOUBT | {LegState.HELD}))
    counts = {row[0]: row[1:] for row in journal.rows(COUNTS, (doubtful, names))}
    clean = {name: bool(value) for name, value in journal.rows(COMPARED, (names,))}
    return tuple(_line(run, counts.get(run.run_id), clean.get(run.run_id)) for run in newest)


def _line(run: RunRow, counts: tuple[int, int, int] | None, agrees: bool | None) -> RunLine:
    orders, filled, doubtful = counts or (0, 0, 0)
    return RunLine(run, orders, filled, doubtful, agrees)
