"""One call at a run: its steps, how far it came, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from steelyard.notices import Notice
from steelyard.planning.case import Case
from steelyard.planning.solve import LOCAL, Steps
from steelyard.runs.batch.key import changes, key_of, parts_of
from steelyard.runs.batch.steps import Stored
from steelyard.runs.batch.work import LEASE_SECONDS, PACE, Heartbeat, Progress, Work
from steelyard.store import batches
from steelyard.store.batches import Run
from steelyard.store.leases import Lease, new_holder
from steelyard.store.store import Store, Transaction
from steelyard.telemetry.events import PlannerBatchComplete, PlannerSequencesGenerated

EVENT_SECONDS = 5.0
"""Between two events of how far a run is."""
SHOWN = 12
"""Digits of a key in a sentence."""
API_BATCH, SCHEDULED_BATCH, USUAL_BATCH = 5, 50, 100
"""Sequences of a batch, by the documents: of a job that calls itself, of one by the clock, of
examples.
"""
LARGEST_BATCH = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How a run is worked at.

    batch_size   sequences that are stored at once, at least
    most         sequences that one call evaluates; None = all
    tell         told how far it is
    pace         see `work.Work`, as `lease_seconds`
    """

    batch_size: int = USUAL_BATCH
    most: int | None = None
    tell: Callable[[Progress], None] = lambda _: None
    pace: float = PACE
    lease_seconds: float = LEASE_SECONDS


class AlreadyFinal(Exception):
    """The run was finished before, and its plan is kept."""


@dataclass
class Call:
    """One process's work at the next plan of a bucket.

    again   how often sequences were met that were not those stored
    """

    store: Store
    bucket: str
    manner: Manner
    held: Lease | None = None
    again: int = 0
    holder: str = field(default_factory=new_holder)
    run: Run | None = None
    work: Work | None = None
    why_new: str = ""
    before: int = 0
    _beating: Heartbeat | None = None
    _told: float = 0.0

    def steps(self, case: Case, warnings: Sequence[Notice] = (), inner: Steps = LOCAL) -> Steps:
        """The steps of the run of a case; raises AlreadyFinal, StoreError."""
        parts = parts_of(case, warnings, self.again)
        key = key_of(self.bucket, parts)
        with self.store.writing() as transaction:
            newest = next(iter(batches.of_bucket(transaction.connection, self.bucket)), None)
            is_new = batches.find(transaction.connection, key) is None
            run = batches.begin(transaction, key, self.bucket, parts)
        if run.final and run.plan_id is not None:
            self.run = run
            raise AlreadyFinal
        if is_new and newest is not None:
            self.why_new = _why_new(newest, parts)
        self.run, self.before = run, run.evaluated
        manner = self.manner
        self.work = Work(
            self.store, run, self.holder, manner.batch_size, manner.most,
            tell=self._tell, begun=self._begun, pace=manner.pace,
            lease_seconds=manner.lease_seconds,
        )  # fmt: skip
        self._beating = Heartbeat(self.work, self.held).begin()
        return Stored(self.work, inner).steps()

    @property
    def final(self) -> bool:
        """Is a plan that was made now made of all sequences?"""
        return self.work is None or self.work.stored >= self.work.total

    def end(self) -> None:
        """Write what is done and leave the rest to others; raises StoreError."""
        if self._beating is not None:
            self._beating.end()
        if self.work is not None:
            self.work.release()

    def close(self, plan_id: str, errors: int) -> str:
        """Note the plan that was made; why the run is as it is."""
        because = self.because()
        if self.run is None or self.work is None:
            return because
        progress = self.work.progress
        with self.store.writing() as transaction:
            batches.changed(
                transaction, self.run.id, plan_id=plan_id, final=int(self.final), errors=errors,
                total=progress.total, evaluated=progress.evaluated, because=because,
            )  # fmt: skip
            if self.work.in_slices:
                transaction.tell(
                    PlannerBatchComplete(**self._values(progress, finished=self.final)), self.bucket
                )
        return because

    def because(self) -> str:
        """What is said of the run."""
        if self.work is None:
            return "the reference engine plans in one go"
        progress, said = self.work.progress, self.why_new
        if not self.work.in_slices:
            what = f"planned in one go: of {progress.total:,d} sequences none is slow"
        elif not self.final:
            what = f"the next call goes on: {progress.evaluated:,d} of {progress.total:,d} are done"
        elif self.before:
            what = f"went on from {self.before:,d} sequences that were stored"
        else:
            what = "done in slices that were stored as they were done"
        return f"{said}; {what}" if said else what

    def _begun(self, transaction: Transaction, progress: Progress) -> None:
        batches.changed(transaction, self._run.id, total=progress.total)
        if self._run.total != progress.total:
            event = PlannerSequencesGenerated(**self._values(progress, finished=False))
            transaction.tell(event, self.bucket)

    def _tell(self, progress: Progress) -> None:
        work = self.work
        self.manner.tell(progress)
        if work is None or work.clock() - self._told < EVENT_SECONDS:
            return
        if self._told:
            with self.store.writing() as transaction:
                event = PlannerBatchComplete(**self._values(progress, finished=False))
                transaction.tell(event, self.bucket)
        self._told = work.clock()

    @property
    def _run(self) -> Run:
        assert self.run is not None  # noqa: S101 - for the type: `steps` sets it
        return self.run

    def _values(self, progress: Progress, *, finished: bool) -> dict[str, Any]:
        share = progress.evaluated / progress.total if progress.total else 1.0
        return {
            "has_sequences": progress.total > 0,
            "total_sequences": progress.total,
            "evaluated_count": progress.evaluated,
            "is_planning": not finished,
            "is_finished": finished,
            "portfolio_hash": self._run.parts["holdings"],
            "progress_percentage": round(100 * share, 1),
            "run_key": self._run.run_key,
        }


def _why_new(before: Run, parts: Mapping[str, str]) -> str:
    """Why a run is not the bucket's newest one."""
    what = changes(before.parts, parts)
    of = "" if before.total is None else f" ({before.evaluated:,d} of {before.total:,d})"
    state = "" if before.final else f", which stays as it is{of}"
    return f"a new run: {what} changed since the run {before.run_key[:SHOWN]}{state}"
