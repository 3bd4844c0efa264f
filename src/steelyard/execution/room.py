"""What execution has at hand before there is a run: journal, broker, settings, the machine."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from steelyard.brokers.broker import Broker, Mode
from steelyard.execution import halt
from steelyard.execution.arming import Arm
from steelyard.execution.desk import Desk, Standing
from steelyard.execution.evidence import failures
from steelyard.execution.journal import rows
from steelyard.execution.journal.journal import Journal, Lease
from steelyard.execution.journal.rows import RunRow
from steelyard.execution.rails.facts import PaperHistory
from steelyard.execution.request import Request, request_of
from steelyard.execution.settings import Limits, PaperHistoryNeeds
from steelyard.execution.working import Working
from steelyard.telemetry.events import HaltChanged

RESTRICTED = "restricted.txt"
RESTRICTED_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What every run of a process shares.

    home       folder of the journal, the kill switch and the restricted list
    account    where the broker trades
    engine     settings of the engine, frozen into each run
    show       told after every change of a run, to draw it
    """

    home: Path
    journal: Journal
    broker: Broker
    account: str
    mode: Mode = "paper"
    limits: Limits = field(default_factory=Limits)
    working: Working = field(default_factory=Working)
    needs: PaperHistoryNeeds = field(default_factory=PaperHistoryNeeds)
    pinned_account: str | None = None
    host: Mode | None = None
    key: Mode | None = None
    engine: Mapping[str, Any] = field(default_factory=dict)
    show: Callable[[Desk], None] = field(default=lambda _: None)

    def desk(self, lease: Lease, run_id: str, request: Request, arm: Arm | None = None) -> Desk:
        """The desk of a run."""
        return Desk(
            journal=self.journal,
            lease=lease,
            broker=self.broker,
            approved=request.approved,
            request=request,
            run_id=run_id,
            limits=self.limits,
            working=self.working,
            standing=self._standing(rows.run(self.journal, run_id), arm),
            engaged=lambda: halt.look(self.home),
            failed=self._failed,
            show=self.show,
        )

    def again(self, lease: Lease, run: RunRow, arm: Arm | None = None) -> Desk:
        """The desk of a run that was begun before, from what the journal has of it."""
        return self.desk(lease, run.run_id, request_in(self.journal, run.run_id), arm)

    def _failed(self) -> None:
        """Engage the kill switch where too many runs failed, and tell it."""
        now, before = self.journal.now().utc, halt.look(self.home)
        count = failures(self.journal, now)
        switch = halt.engage_after(self.home, count, self.limits.max_failures, now)
        if switch.engaged and not before.engaged:
            with self.journal.writing() as change:
                change.tell(HaltChanged(True, switch.why, switch.author), "", "")

    def _standing(self, run: RunRow, arm: Arm | None) -> Standing:
        return Standing(
            needs=self.needs,
            history=paper_history(self.journal),
            host=self.host,
            key=self.key,
            pinned_account=self.pinned_account,
            arm=None if arm is None else arm.facts,
            builds={"this process": build(), "the run": run.build},
            restricted=restricted(self.home),
            free_disk_bytes=free_bytes(self.home),
        )


def request_in(journal: Journal, run_id: str) -> Request:
    """What a run was begun with."""
    return request_of(journal.row("SELECT body FROM request WHERE run_id = ?", (run_id,))[0])


@cache
def build() -> str:
    """Which code moves money: a hash of every file of it."""
    package = Path(__file__).parent.parent
    files = [package / "cycle.py", package / "ledger.py"]
    files += sorted(
        path for folder in ("execution", "brokers") for path in (package / folder).rglob("*.py")
    )
    digest = hashlib.sha256()
    for path in files:
        if path.exists():
            digest.update(path.relative_to(package).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def restricted(home: Path) -> frozenset[str] | None:
    """Symbols that nobody may trade, a line each; none without the file, None if unreadable."""
    path = home / RESTRICTED
    try:
        if not path.exists() and not path.is_symlink():
            return frozenset()
        if not path.is_file() or path.stat().st_size > RESTRICTED_BYTES:
            return None
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return None
    names = (line.split("#")[0].strip().upper() for line in lines)
    return frozenset(name for name in names if name)


def paper_history(journal: Journal) -> PaperHistory:
    """Runs on paper that ended well: how many, on how many days, and what nobody explained."""
    good = [
        run for run in rows.runs(journal)
        if run.mode == "paper" and run.outcome in {"done", "done_with_skips"}
    ]  # fmt: skip
    open_freezes = journal.row("SELECT COUNT(*) FROM freeze WHERE lifted_utc IS NULL")[0]
    days = {run.created_at.date() for run in good}
    return PaperHistory(runs=len(good), days=len(days), unexplained=open_freezes)


def free_bytes(home: Path) -> int | None:
    """Free space beside the journal; None where it cannot be told."""
    try:
        return shutil.disk_usage(home).free
    except OSError:
        return None
