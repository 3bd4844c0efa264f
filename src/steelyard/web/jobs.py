"""Work of seconds that a page shows the progress of: in this process, forgotten with it.

A job is begun in a thread, and goes on when the page that began it is left: what comes of it is
kept where it would be kept anyway. Its words are what the events of planning say.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from anyio import CapacityLimiter, to_thread
from cachetools import LRUCache
from fastapi import FastAPI

from steelyard.errors import NotStored, SteelyardError, planning_stopped
from steelyard.sentences import signed
from steelyard.telemetry.events import (
    BatchScored,
    BestSequenceUpdated,
    Event,
    Observe,
    OpportunitiesIdentified,
    PlanningCompleted,
    SearchCompleted,
    SequenceEvaluationCompleted,
)

MOST = 1000
"""Jobs that are remembered, those begun last."""
ID_BYTES = 8
LONGEST = 200

Work = Callable[[Observe], str]
"""Does it, tells what happens, and gives the address where to go then; raises SteelyardError."""


@dataclass(slots=True)
class Job:
    """One piece of work.

    subject     what was asked for, for the page
    about       sequences that the plan before took; None = there is none
    sequences   evaluated so far; best: gain of the best of them, score units
    address     where to go; "" = it is not done
    """

    id: str
    subject: object
    about: int | None = None
    stage: str = "Waiting for its turn"
    sequences: int = 0
    best: float | None = None
    address: str = ""
    error: SteelyardError | None = None
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def words(self) -> str:
        """How far it is: `Evaluating: 24,310 of about 61,000 sequences, best so far +7.84`."""
        if not self.sequences or self.stage != EVALUATING:
            return self.stage
        of = f" of about {self.about:,d}" if self.about and self.about > self.sequences else ""
        best = "" if self.best is None else f", best so far {signed(self.best, 2)} points"
        return f"{self.stage}: {self.sequences:,d}{of} sequences{best}"

    def heard(self, event: Event) -> None:
        """Take note of what happened."""
        match event:
            case OpportunitiesIdentified():
                self.stage = f"Looking at {event.candidates:,d} possible orders"
            case BatchScored():
                self.stage = EVALUATING
                self.sequences += event.sequences
            case BestSequenceUpdated():
                self.best = event.new
            case SequenceEvaluationCompleted():
                self.stage = "Searching all lists in whole lots, and proving"
            case SearchCompleted():
                self.stage = "Asking what else was near, and writing the plan"
            case PlanningCompleted():
                self.stage = "Keeping the plan"


EVALUATING = "Evaluating"


class Jobs:
    """Those of one application."""

    def __init__(self) -> None:
        self._jobs: LRUCache[str, Job] = LRUCache(MOST)

    def begin(
        self, subject: object, about: int | None, work: Work, limiter: CapacityLimiter
    ) -> Job:
        """Begin work in a thread; called in the event loop."""
        job = Job(secrets.token_hex(ID_BYTES), subject, about)
        self._jobs[job.id] = job
        job.task = asyncio.get_running_loop().create_task(_carried_out(job, work, limiter))
        return job

    def get(self, job_id: str) -> Job:
        """A job; raises NotStored."""
        job = self._jobs.get(job_id)
        if job is None:
            raise NotStored(
                "This planning is not known here: Steelyard was started again since. If its plan "
                "was made, it is among the plans; if not, nothing was changed.",
                code="no_such_job",
                place="path",
                value=job_id[:LONGEST],
                hint="look among the plans",
            )
        return job


def jobs_of(app: FastAPI) -> Jobs:
    """The jobs of an application."""
    if not hasattr(app.state, "jobs"):
        app.state.jobs = Jobs()
    jobs: Jobs = app.state.jobs
    return jobs


async def _carried_out(job: Job, work: Work, limiter: CapacityLimiter) -> None:
    """Do it; whatever it raises is told on the job's page."""
    try:
        job.address = await to_thread.run_sync(work, job.heard, limiter=limiter)
    except SteelyardError as error:
        job.error = error
    except Exception as error:  # noqa: BLE001 a page that waits must hear of it
        job.error = planning_stopped(error)
