"""Answers that come twice, late, and in any order: the plan is the same."""

from __future__ import annotations

import asyncio
import random
from collections import Counter as Tally
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from unittest.mock import patch

import httpx2

from benchmarks.promises.databases import SEED, Profile, folder
from benchmarks.promises.figures import Figure
from benchmarks.promises.script import script
from benchmarks.promises.services import SMALL, Verdict, small, verdict
from builders.carrying import carrying
from steelyard.planning.planner import plan_case
from steelyard.planning.solve import local
from steelyard.services.carriage import dispatch
from steelyard.services.carriage.dispatch import Dispatch
from steelyard.telemetry.events import Event

PROMISE = "Answers that come twice, late or in another order change nothing of a plan."
HOW = (
    "What evaluators are asked is asked of them twice, or only after a while that is drawn, or "
    "both, so that batches come back in any order, a batch is with two evaluators at once, and "
    "the slower answer comes when it is no longer waited for. Counted as bad: a plan that is not "
    "the same, one that tells of its batches otherwise, or twice, and one that the planner had to "
    "help with."
)
MUTANT = "batches are taken in the order in which they come back"
LONGEST_S = 0.12


def measure(profile: Profile, *, mutant: bool = False) -> Figure:
    """So many plans."""
    counts = Tally[Verdict]()
    with ExitStack() as stack:
        # impatient: a batch is with two evaluators as soon as it takes a little longer
        stack.enter_context(patch.object(dispatch, "LEAST_PATIENCE", LONGEST_S / 4))
        if mutant:
            stack.enter_context(patch.object(Dispatch, "_arrived", _as_they_come))
        counts.update(_plans(profile.fault_plans // 4))
    return Figure("D4", counts.total(), counts["bad"])


def _plans(trials: int) -> Iterator[Verdict]:
    told: list[Event] = []
    here = plan_case(small(), local(SMALL.batch_size or 0), told.append)
    rng = random.Random(SEED)  # noqa: S311 - the same each time
    with folder() as home, carrying(home, topology=SMALL) as services:
        apps = services.transport.apps
        for instance in services.topology.evaluator.instances:
            apps[instance.port] = Unsteady(apps[instance.port], rng)
        for _ in range(trials):
            events: list[Event] = []
            plan = plan_case(small(), services.steps(), events.append)
            what = verdict(lambda plan=plan: plan, here)  # type: ignore[misc]
            yield what if events == told else "bad"
            for instance in services.topology.evaluator.instances:
                services.carrier.calls.circuits.answered(instance)


@dataclass
class Unsteady(httpx2.AsyncBaseTransport):
    """An evaluator that answers late, and that some requests reach twice."""

    app: httpx2.AsyncBaseTransport
    rng: random.Random

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if self.rng.random() < 0.3:
            await self.app.handle_async_request(request)
        if self.rng.random() < 0.5:
            await asyncio.sleep(self.rng.uniform(0, LONGEST_S))
        response = await self.app.handle_async_request(request)
        if self.rng.random() < 0.3:
            await asyncio.sleep(self.rng.uniform(0, LONGEST_S))
        return response


ARRIVED = Dispatch._arrived  # noqa: SLF001 - what the mutant changes


def _as_they_come(self: Dispatch, place: int, scores, where: str, seconds: float) -> None:
    """What the mutant does: the next place is whichever came."""
    count = len(self._took) - 1
    if place != count:
        self._seen.add(place)
    ARRIVED(self, count, scores, where, seconds)


if __name__ == "__main__":
    script(measure)
