"""One plan at a time: who hands it over waits until its run is there; who carries it out takes it.

A plan that waited would no longer be the one that was approved: who comes second is refused as
busy. Who hands over the very plan that is on its way follows the same run.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from steelyard.errors import NotExecuted
from steelyard.execution.runner.requests import RECOVERING, Execute

Begun = Future[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Job:
    """A plan to trade; `begun` is its run once that is there, or why there is none."""

    ask: Execute
    begun: Begun = field(default_factory=Future)

    def begin(self, run: Mapping[str, Any]) -> None:
        """The run is there."""
        if not self.begun.done():
            self.begun.set_result(run)

    def fail(self, error: BaseException) -> None:
        """There is none."""
        if not self.begun.done():
            self.begun.set_exception(error)


class Jobs:
    """The seat of the one that is carried out; it is taken until everything is recovered."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queue: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self._now: Job | str | None = RECOVERING

    def hand_over(self, ask: Execute, seconds: float) -> Mapping[str, Any]:
        """The run of a plan; raises NotExecuted where another is on its way, and as it failed."""
        with self._lock:
            job = self._now
            if job is None:
                job = self._now = Job(ask)
                self._queue.put(job)
        if isinstance(job, str) or job.ask != ask:
            raise self._busy(job)
        try:
            return job.begun.result(seconds)
        except TimeoutError as error:
            raise NotExecuted(
                f"The run of this plan has not begun within {seconds:g} seconds; it may yet. See: "
                "steelyard runs",
                code="runner_slow",
                place=ask.plan_id,
                limit=seconds,
                hint="steelyard runs",
            ) from error

    def take(self) -> Job:
        """The next, as soon as there is one."""
        return self._queue.get()

    def over(self) -> None:
        """The seat is free."""
        with self._lock:
            self._now = None

    def document(self) -> dict[str, Any]:
        """What is carried out now."""
        with self._lock:
            job = self._now
        if job is None or isinstance(job, str):
            return {"state": "idle" if job is None else "recovering", "plan_id": None, "run": None}
        ready = job.begun.done() and job.begun.exception() is None
        run = dict(job.begun.result()) if ready else None
        return {"state": "running", "plan_id": job.ask.plan_id, "run": run}

    def _busy(self, job: Job | str) -> NotExecuted:
        what = job if isinstance(job, str) else f"the plan {job.ask.plan_id[:12]}"
        return NotExecuted(
            f"The runner is busy with {what}, and trades one at a time. Nothing was sent for this "
            "one. Hand it over again when that is done: steelyard runs",
            code="runner_busy",
            place="runner",
            value=what,
            hint="steelyard runs",
        )
