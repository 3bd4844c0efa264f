"""Three evaluators take at most 0.4 of the time of one, and each has a batch as long as any waits.

What is gated is the dispatch: evaluators here sleep, so that no processor is the limit. What it is
with processors is measured and said.
"""

from __future__ import annotations

import asyncio
import statistics
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from unittest.mock import patch

import httpx2

from benchmarks.promises.databases import Profile, folder
from benchmarks.promises.figures import Figure
from benchmarks.promises.script import script
from benchmarks.promises.services import processes, recorded, small
from builders.carrying import carrying
from builders.world import with_params
from steelyard.modules.registry import Kind
from steelyard.planning.case import Case
from steelyard.planning.planner import plan_case
from steelyard.plans.plan import Plan
from steelyard.services.carriage.dispatch import Dispatch
from steelyard.services.remote import Remote
from steelyard.services.topology import Instance, Topology

PROMISE = (
    "Three evaluators take at most 0.4 of the time of one, and none is idle while a batch waits."
)
HOW = (
    "Evaluators that take 0.1 seconds for a batch, whatever the processors do, evaluate 25 "
    "batches, one of them and then three. Counted as bad: more than 0.4 of the time, an evaluator "
    "that has two batches at once, and fewer in flight than evaluators while batches wait. "
    "Reported besides, by night: a `proposals` plan of 200 securities and 100,000 sequences as "
    "processes evaluate it, one and two of them."
)
MUTANT = "a batch is sent when none is in flight"
BATCH_S, MOST_SHARE = 0.1, 0.4
TINY = Topology(batch_size=4)
PHASE = "generate and evaluate"


@dataclass
class Sleeping(httpx2.AsyncBaseTransport):
    """An evaluator whose batches take so long, and how many it had at once, at each start."""

    app: httpx2.AsyncBaseTransport
    flying: list[int]
    index: int
    seen: list[tuple[int, ...]] = field(default_factory=list)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if not request.url.path.endswith("/evaluate"):
            return await self.app.handle_async_request(request)
        self.flying[self.index] += 1
        try:
            # batches that begin together are all counted
            await asyncio.sleep(BATCH_S / 2)
            self.seen.append(tuple(self.flying))
            await asyncio.sleep(BATCH_S / 2)
            return await self.app.handle_async_request(request)
        finally:
            self.flying[self.index] -= 1


@dataclass(frozen=True)
class Run:
    """Seconds of the evaluation, and what was in flight, each time that it was counted."""

    seconds: float
    flights: list[tuple[int, ...]]


def measure(profile: Profile, *, mutant: bool = False) -> Figure:
    """One, three; then processes."""
    with ExitStack() as stack:
        if mutant:
            stack.enter_context(patch.object(Dispatch, "_idle", _one_at_a_time))
        alone, three = _run(1), _run(3)
    share = three.seconds / alone.seconds
    twice = sum(max(flying) > 1 for flying in three.flights)
    middle = [sum(flying) for flying in three.flights[3:-3]]
    idle_ones = sum(count < 3 for count in middle)
    note = f"{share:.2f} of the time, {statistics.mean(middle):.2f} of 3 in flight"
    if profile.sequences > FEW and not mutant:
        note += "; " + _processes(min(profile.sequences, 100_000))
    # one may begin a moment after the others have ended
    bad = (share > MOST_SHARE) + twice + (idle_ones > len(middle) // 5)
    return Figure("S2", 1 + 2 * len(three.flights), bad, note=note)


FEW = 50_000
IDLE = Dispatch._idle  # noqa: SLF001 - what the mutant changes


def _one_at_a_time(self: Dispatch) -> list[Instance]:
    """What the mutant does."""
    return [] if self._flights else IDLE(self)[:1]


def _run(number: int) -> Run:
    with folder() as home, carrying(home, evaluators=number, topology=TINY) as services:
        plan_case(small(), services.steps())
        flying = [0] * number
        for index, instance in enumerate(services.topology.evaluator.instances):
            app = services.transport.apps[instance.port]
            services.transport.apps[instance.port] = Sleeping(app, flying, index)
        plan = plan_case(small(), services.steps())
        seen = [
            entry
            for instance in services.topology.evaluator.instances
            for entry in services.transport.apps[instance.port].seen
        ]
        return Run(phase(plan), seen)


def phase(plan: Plan) -> float:
    """Seconds of generation and evaluation."""
    return sum(timing.seconds for timing in plan.timings if timing.name == PHASE)


def many(sequences: int) -> Case:
    """A plan of so many sequences, up to 100,000."""
    case = recorded(200, "proposals")
    strategy = with_params(
        case.strategy, Kind.SEQUENCE, "enhanced_combinatorial", max_combinations=sequences
    )
    return replace(case, strategy=strategy)


def _processes(sequences: int) -> str:
    """What one and two evaluators take."""
    case, seconds = many(sequences), []
    for number in (1, 2):
        with processes(Topology(), number) as served:
            remote = Remote(served.topology, served.token)
            # another strategy, so that nothing of the plan that is measured is there already
            plan_case(many(2_000), remote)
            plan = plan_case(case, remote)
            seconds.append(phase(plan))
            remote.close()
    return f"{sequences:,} sequences: one process {seconds[0]:.2f} s, two {seconds[1]:.2f} s"


if __name__ == "__main__":
    script(measure)
