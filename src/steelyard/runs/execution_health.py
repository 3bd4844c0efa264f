"""Execution as a person asks of it: the kill switch, and each account with its last run."""

from __future__ import annotations

import shlex
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from steelyard.execution import halt
from steelyard.execution.interrupted import STANDS, Interruption, interruptions
from steelyard.execution.journal import rows
from steelyard.execution.journal.journal import Journal
from steelyard.execution.journal.opening import is_there, open_journal
from steelyard.execution.journal.rows import RunRow
from steelyard.execution.reconcile import stored
from steelyard.execution.states import RUN_OVER


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountHealth:
    """An account that was traded.

    run          the newest
    frozen       why it may not be traded; "" = it may
    compared_at  when books and broker were compared last, and did they agree?
    broken       no process carries the run on; None = one does, or none has to
    alerts       events of that kind in the journal, of all its runs
    """

    account: str
    run: RunRow
    frozen: str
    compared_at: datetime | None
    agreed: bool
    broken: Interruption | None
    alerts: int

    @property
    def error(self) -> str:
        """What is out of order; "" = nothing."""
        if self.frozen:
            return (
                f"The account {self.account} is frozen: {self.frozen}. Look, then: steelyard "
                f"reconcile --account {shlex.quote(self.account)} --acknowledge --reason TEXT"
            )
        if self.run.state in STANDS:
            return (
                f"The run {self.run.run_id} in the account {self.account} is {self.run.state}: "
                f"{self.run.reason}. Then: steelyard resume"
            )
        if self.broken is not None:
            return (
                f"The run {self.run.run_id} in the account {self.account} is interrupted since "
                f"{self.broken.since:%Y-%m-%d %H:%M:%S} UTC: no process carries it on. Then: "
                "steelyard resume"
            )
        return ""

    @property
    def text(self) -> str:
        """A line for people."""
        run = self.run
        standing = "interrupted" if self.broken is not None else "not over"
        became = run.outcome or f"{run.state}, and {standing}"
        if self.compared_at is None:
            compared = "never compared with the broker"
        else:
            when = f"{self.compared_at:%Y-%m-%d %H:%M} UTC"
            compared = f"books and broker {'agreed' if self.agreed else 'differed'} at {when}"
        count = f"{self.alerts} alert{'' if self.alerts == 1 else 's'}"
        return f"Account {self.account}: run {run.run_id} {became}; {compared}; {count}."

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "account": self.account,
            "run_id": self.run.run_id,
            "state": self.run.state.value,
            "interrupted_since": None if self.broken is None else self.broken.since.isoformat(),
            "live": self.run.state not in RUN_OVER,
            "outcome": None if self.run.outcome is None else self.run.outcome.value,
            "frozen": self.frozen or None,
            "compared_at": None if self.compared_at is None else self.compared_at.isoformat(),
            "agreed": self.agreed,
            "alerts": self.alerts,
        }


def of_accounts(home: Path) -> list[AccountHealth]:
    """Every account that was traded, by name; nothing is made. Raises JournalFailed."""
    if not is_there(home):
        return []
    with closing(open_journal(home)) as journal:
        newest = {run.account: run for run in reversed(rows.runs(journal))}
        broken = interruptions(journal, home, newest.values())
        return [
            _account(journal, newest[name], broken.get(newest[name].run_id))
            for name in sorted(newest)
        ]


def of_switch(home: Path) -> str:
    """Why no order is sent at all; "" where the kill switch is off."""
    switch = halt.look(home)
    if not switch.engaged:
        return ""
    by = f", by {switch.author}" if switch.author else ""
    since = f", since {switch.since[:16].replace('T', ' ')}" if switch.since else ""
    return (
        f"The kill switch is engaged: {switch.why}{by}{since}. No order is sent. Then: steelyard "
        "halt --lift --reason TEXT"
    )


def _account(journal: Journal, run: RunRow, broken: Interruption | None) -> AccountHealth:
    account = run.account
    freeze = stored.frozen(journal, account)
    newest = next(iter(stored.comparisons(journal, account, most=1)), None)
    (alerts,) = journal.row(
        "SELECT COUNT(*) FROM event JOIN run ON run.run_id = event.run_id "
        "WHERE event.kind = 'AlertRaised' AND run.account = ?",
        (account,),
    )
    return AccountHealth(
        account=account,
        run=run,
        frozen="" if freeze is None else freeze.reason,
        compared_at=None if newest is None else newest.at,
        agreed=newest is not None and newest.clean,
        broken=broken,
        alerts=alerts,
    )
