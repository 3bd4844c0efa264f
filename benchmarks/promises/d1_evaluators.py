"""One of three evaluators dies before, in or after a batch: the plan is the same, by the others."""

from __future__ import annotations

import random
import sys
import time
from collections import Counter as Tally
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from threading import Timer
from unittest.mock import patch

import httpx2

from benchmarks.promises.databases import SEED, Profile, folder
from benchmarks.promises.figures import Figure
from benchmarks.promises.script import script
from benchmarks.promises.services import (
    SMALL,
    Verdict,
    lasting,
    planned,
    processes,
    small,
    verdict,
)
from builders.carrying import Fault, Rule, carrying
from builders.serving import Served
from steelyard.planning.planner import plan_case
from steelyard.services.carriage.carrier import Carrier
from steelyard.services.carriage.dispatch import Answer, Dispatch
from steelyard.services.remote import carried

PROMISE = "An evaluator that dies in a plan changes nothing of it."
HOW = (
    "A plan of five batches is made by three evaluators. In this process each evaluator in turn "
    "dies before, while it does (its answer never comes), and after each of its first batches, "
    "and does not come back in that plan; then over real sockets a process is ended with SIGKILL "
    "at some time of the plan, and started again for the next. Counted as bad: a plan that is not "
    "the same as without services, a batch that the planner evaluated itself, and a thread or a "
    "task that is left over."
)
MUTANT = "a batch whose evaluator failed is left out"
WHENS = ("before", "in", "after")
BATCHES = 2


def measure(profile: Profile, *, mutant: bool = False) -> Figure:
    """Deaths at every place, in turn; then at times that are drawn."""
    counts = Tally[Verdict]()
    with ExitStack() as stack:
        if mutant:
            stack.enter_context(patch.object(Dispatch, "_landed", _left_out))
        counts.update(_in_process(profile.fault_plans))
        counts.update(_over_sockets(0 if mutant else profile.killed_plans))
    sockets = 0 if mutant else profile.killed_plans
    note = f"{profile.fault_plans} in process, {sockets} over sockets with SIGKILL"
    return Figure("D1", counts.total(), counts["bad"], note=note)


def _in_process(trials: int) -> Iterator[Verdict]:
    here = plan_case(small())
    with folder() as home, carrying(home, topology=SMALL) as services:
        plan_case(small(), services.steps())
        before = lasting(services.carrier)
        for trial in range(trials):
            index, trial_left = trial % 3, trial // 3
            when, batch = WHENS[trial_left % 3], trial_left // 3 % BATCHES
            services.fail("evaluator", index, Fault.DEAD, _dies(when, batch))
            yield verdict(planned(small(), services.steps()), here)
            services.transport.rules.clear()
            _revived(services.carrier)
        time.sleep(0.2)
        if lasting(services.carrier) > before:
            print(f"D1: left over: {before} {lasting(services.carrier)}", file=sys.stderr)
            yield "bad"


def _dies(when: str, batch: int) -> Rule:
    """Dead from the batch of that number on, counted for this evaluator."""
    count = 0

    def rule(request: httpx2.Request, _: int) -> Fault | None:
        nonlocal count
        if count > batch:
            return Fault.DEAD
        if not request.url.path.endswith("/evaluate"):
            return None
        count += 1
        if count <= batch or when == "after":
            return None
        return Fault.DEAD if when == "before" else Fault.LOST

    return rule


def _revived(carrier: Carrier) -> None:
    """What died is there again, and its circuit closed: each trial begins alike."""
    for instance in carrier.topology.evaluator.instances:
        carrier.calls.circuits.answered(instance)


def _over_sockets(trials: int) -> Iterator[Verdict]:
    if not trials:
        return
    here = plan_case(small())
    rng = random.Random(SEED)  # noqa: S311 - the same times each time
    with processes(SMALL) as served:
        carrier = Carrier(served.topology, lambda: served.token)
        seconds = _usual(carrier)
        for trial in range(trials):
            killer = Timer(rng.uniform(0, seconds), _kill, (served, trial % 3))
            killer.start()
            yield verdict(planned(small(), carried(carrier)), here)
            killer.join()
            again(served, trial % 3)
            _revived(carrier)
        carrier.close()


def _usual(carrier: Carrier) -> float:
    """Seconds of a plan, the first of which is slower."""
    for _ in range(2):
        start = time.monotonic()
        plan_case(small(), carried(carrier))
    return time.monotonic() - start


def _kill(served: Served, index: int) -> None:
    served.kill("evaluator", index)


def again(served: Served, index: int) -> None:
    """Start a dead evaluator on its port."""
    household, member = served.household, served.household.member("evaluator", index)
    household._again(member, lambda _: None)  # noqa: SLF001 - at once, nobody watches
    household._await(member)  # noqa: SLF001


def _left_out(self: Dispatch, future: Future[Answer]) -> None:
    """What the mutant does with an answer that did not come."""
    flight = self._flights.pop(future)
    if future.exception() is None:
        answer = future.result()
        self._arrived(flight.place, answer.scores, flight.instance.url, answer.seconds)
        return
    self.out[flight.instance.url] = "lost"
    self._seen.add(flight.place)
    self._ready[flight.place] = None


if __name__ == "__main__":
    script(measure)
