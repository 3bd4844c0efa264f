"""The newest run of each bucket, and what of it or of its account wants a person at once."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from steelyard.execution.interrupted import Interruption, interruptions
from steelyard.execution.journal import opening, rows
from steelyard.execution.journal.journal import Journal
from steelyard.execution.journal.rows import RunRow
from steelyard.execution.reconcile import stored


@dataclass(frozen=True, slots=True)
class LastRun:
    """A bucket's newest run.

    broken   no process carries it on; None = one does, or none has to
    frozen   why its account may not be traded; "" = it may
    differs  did books and broker differ when the account was compared last?
    """

    run: RunRow
    broken: Interruption | None
    frozen: str
    differs: bool


def last_runs(home: Path) -> Mapping[str, LastRun]:
    """By bucket; raises JournalFailed."""
    if not opening.is_there(home):
        return {}
    with closing(opening.open_to_look(home)) as journal:
        newest = {run.bucket: run for run in reversed(rows.runs(journal))}
        broken = interruptions(journal, home, newest.values())
        return {
            bucket: _last(journal, run, broken.get(run.run_id)) for bucket, run in newest.items()
        }


def _last(journal: Journal, run: RunRow, broken: Interruption | None) -> LastRun:
    freeze = stored.frozen(journal, run.account)
    compared = stored.comparisons(journal, run.account, most=1)
    return LastRun(
        run=run,
        broken=broken,
        frozen="" if freeze is None else freeze.reason,
        differs=bool(compared) and not compared[0].clean,
    )
