"""Stopping everything from anywhere: first the switch, then its event.

The switch is a file that every process that trades looks at before each order. So it works with a
runner and without one, and does not wait for a disk that is full.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from steelyard.errors import StoreError
from steelyard.execution.halt import Switch, engage
from steelyard.execution.journal import rows
from steelyard.execution.journal.journal import Journal
from steelyard.execution.journal.opening import open_journal
from steelyard.execution.states import AT_BROKER, IN_DOUBT, NOT_BEGUN, RUN_OVER, LegState
from steelyard.telemetry.events import HaltChanged

OUT = AT_BROKER | IN_DOUBT | {LegState.HELD}
RELEASE = "steelyard halt --lift --reason TEXT"


@dataclass(frozen=True, slots=True)
class Halted:
    """What halting came to.

    out         (run, orders that are at its broker, or may be): they stay there, and may fill
    untold      why the journal has no note of it; "" = it has
    """

    switch: Switch
    out: tuple[tuple[str, int], ...]
    untold: str = ""


def halt(home: Path, reason: str, author: str, at: datetime) -> Halted:
    """Engage the kill switch; raises StoreError where nothing could be written."""
    switch = engage(home, reason, author, at)
    try:
        with closing(open_journal(home)) as journal:
            with journal.writing() as change:
                change.tell(HaltChanged(True, reason, author), "", "")
            return Halted(switch, _out(journal))
    except StoreError as error:
        return Halted(switch, (), str(error))


def _out(journal: Journal) -> tuple[tuple[str, int], ...]:
    counts = []
    for run in rows.runs(journal):
        if run.state in RUN_OVER | NOT_BEGUN:
            continue
        legs = rows.legs(journal, run.run_id)
        counts.append((run.run_id, sum(leg.state in OUT for leg in legs)))
    return tuple(each for each in counts if each[1])
