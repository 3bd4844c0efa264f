"""One call at a run: its steps, how far it came, and what is said of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from steelyard.planning.case import Case
from steelyard.planning.solve import LOCAL, Steps
from steelyard.runs.batch.key import Inputs, changes, key_of, parts_of
from steelyard.runs.batch.nodes import STRETCH_SECONDS
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
IN_ONE_GO = "planned in one go: nothing of it is slow enough to be stored"


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How a run is worked at.

    batch_size   sequences that are stored at once, at least
    most         sequences that one call evaluates; None = all
    tell         told how far it is
    pace         see `work.Work`, as `lease_seconds`
    stretch      seconds between two stretches of a search that are stored
    """

    batch_size: int = USUAL_BATCH
    most: int | None = None
    tell: Callable[[Progress], None] = lambda _: None
    pace: float = PACE
    stretch: float = STRETCH_SECONDS
    lease_seconds: float = LEASE_SECONDS


class AlreadyFinal(Exception):
    """The run was finished before, and its plan is kept."""


@dataclass
class Call:
    """One process's work at the next plan of a bucket.

    opened   the database; asked when something slow is met, or at once by `steps_now`
    again    how often sequences were met that were not those stored
    """

    opened: Callable[[], Store]
    bucket: str
    manner: Manner
    held: Lease | None = None
    again: int = 0
    holder: str = field(default_factory=new_holder)
    run: Run | None = None
    stored: Stored | None = None
    why_new: str = ""
    before: int = 0
    _beating: Heartbeat | None = None
    _told: float = 0.0

    def steps(self, case: Case, inputs: Inputs | None = None, inner: Steps = LOCAL) -> Steps:
        """The steps of a case's plan; nothing is looked up before it is known to be slow."""

        def begin() -> Work:
            return self._work(self._found(case, inputs))

        self.stored = Stored(begin, self.manner.batch_size, inner, self.manner.stretch)
        return self.stored.steps()

    def steps_now(self, case: Case, inputs: Inputs | None = None, inner: Steps = LOCAL) -> Steps:
        """The same with its run, also of a quick plan; raises AlreadyFinal, StoreError."""
        run = self._found(case, inputs)
        if run.final and run.plan_id is not None:
            raise AlreadyFinal
        steps = self.steps(case, inputs, inner)
        if self.stored is not None:
            self.stored.work = self._work(run)
        return steps

    @property
    def progress(self) -> Progress:
        """Sequences that are evaluated by now, and all."""
        return Progress(0, 0) if self.stored is None else self.stored.progress

    @property
    def in_slices(self) -> bool:
        """Is anything of it stored?"""
        work = None if self.stored is None else self.stored.work
        return work is not None and work.in_slices

    @property
    def final(self) -> bool:
        """Is a plan that was made now made of all sequences?"""
        return self.progress.evaluated >= self.progress.total

    def end(self) -> None:
        """Write what is done and leave the rest to others; raises StoreError."""
        if self._beating is not None:
            self._beating.end()
        if self.stored is not None and self.stored.work is not None:
            self.stored.work.release()

    def close(self, plan_id: str, errors: int) -> str:
        """Note the plan that was made; why the run is as it is. Raises StoreError."""
        because, progress = self.because(), self.progress
        if self.run is None:
            return because
        with self.opened().writing() as transaction:
            batches.changed(
                transaction, self.run.id, plan_id=plan_id, final=int(self.final), errors=errors,
                total=progress.total, evaluated=progress.evaluated, because=because,
            )  # fmt: skip
            if self.in_slices:
                values = self._values(self.run, progress, finished=self.final)
                transaction.tell(PlannerBatchComplete(**values), self.bucket)
        return because

    def because(self) -> str:
        """What is said of the run."""
        if self.stored is None:
            return "the reference engine plans in one go"
        evaluated, total = self.progress.evaluated, self.progress.total
        if not self.in_slices:
            what = IN_ONE_GO
        elif not self.final:
            what = f"the next call goes on: {evaluated:,d} of {total:,d} sequences are done"
        elif self.before:
            what = f"went on from {self.before:,d} sequences that were stored"
        else:
            what = "done in slices that were stored as they were done"
        new = [self.why_new] if self.why_new else []
        return "; ".join([*new, what, *self.stored.remarks])

    def _found(self, case: Case, inputs: Inputs | None) -> Run:
        """The run of a case, made where there is none."""
        parts = parts_of(case, inputs or Inputs.of(case), self.again)
        key = key_of(self.bucket, parts)
        with self.opened().writing() as transaction:
            newest = next(iter(batches.of_bucket(transaction.connection, self.bucket)), None)
            is_new = batches.find(transaction.connection, key) is None
            run = batches.begin(transaction, key, self.bucket, parts)
        if is_new and newest is not None:
            self.why_new = _why_new(newest, parts)
        self.run, self.before = run, run.evaluated
        return run

    def _work(self, run: Run) -> Work:
        """The run in this process, its leases extended from now on."""
        manner = self.manner
        work = Work(
            self.opened(), run, self.holder, manner.batch_size, manner.most,
            tell=partial(self._tell, run), begun=partial(self._begun, run), pace=manner.pace,
            lease_seconds=manner.lease_seconds,
        )  # fmt: skip
        self._beating = Heartbeat(work, self.held).begin()
        return work

    def _begun(self, run: Run, transaction: Transaction, progress: Progress) -> None:
        batches.changed(transaction, run.id, total=progress.total)
        if run.total != progress.total:
            values = self._values(run, progress, finished=False)
            transaction.tell(PlannerSequencesGenerated(**values), self.bucket)

    def _tell(self, run: Run, progress: Progress) -> None:
        self.manner.tell(progress)
        now = time.monotonic()
        if self._told and now - self._told >= EVENT_SECONDS:
            with self.opened().writing() as transaction:
                values = self._values(run, progress, finished=False)
                transaction.tell(PlannerBatchComplete(**values), self.bucket)
        if not self._told or now - self._told >= EVENT_SECONDS:
            self._told = now

    def _values(self, run: Run, progress: Progress, *, finished: bool) -> dict[str, Any]:
        share = progress.evaluated / progress.total if progress.total else 1.0
        return {
            "has_sequences": progress.total > 0,
            "total_sequences": progress.total,
            "evaluated_count": progress.evaluated,
            "is_planning": not finished,
            "is_finished": finished,
            "portfolio_hash": run.parts["holdings"],
            "progress_percentage": round(100 * share, 1),
            "run_key": run.run_key,
        }


def _why_new(before: Run, parts: Mapping[str, str]) -> str:
    """Why a run is not the bucket's newest one."""
    what = changes(before.parts, parts)
    of = "" if before.total is None else f" ({before.evaluated:,d} of {before.total:,d})"
    state = "" if before.final else f", which stays as it is{of}"
    return f"a new run: {what} changed since the run {before.run_key[:SHOWN]}{state}"
