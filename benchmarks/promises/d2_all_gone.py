"""All evaluators die at times that are drawn: the same plan, or one that says what it lacks."""

from __future__ import annotations

import random
import signal
from collections import Counter as Tally
from collections.abc import Iterator
from contextlib import ExitStack
from threading import Timer
from unittest.mock import patch

import httpx2

from benchmarks.promises.d1_evaluators import again
from benchmarks.promises.databases import SEED, Profile, folder
from benchmarks.promises.figures import Figure
from benchmarks.promises.script import script
from benchmarks.promises.services import SMALL, Verdict, planned, processes, small, verdict
from builders.carrying import Fault, Rule, carrying
from builders.serving import Served
from steelyard.planning.planner import plan_case
from steelyard.services.carriage.carrier import Carrier
from steelyard.services.carriage.dispatch import Dispatch
from steelyard.services.remote import carried

PROMISE = "With all evaluators gone a plan is the same, or explicitly less; none is silently empty."
HOW = (
    "Each of three evaluators dies after a number of requests that is drawn, some of them before "
    "the first; half of the times the planner may do their work (`fallback`), half it may not. "
    "Over real sockets all three processes are ended with SIGKILL at times that are drawn. "
    "Counted as bad: a plan that is another one without saying so in its problems, one with "
    "problems that execution would arm, one whose batches were evaluated here without a warning, "
    "and any error but that no service answered."
)
MUTANT = "what was not evaluated is not said"
MOST_REQUESTS = 6
NONE = SMALL.model_copy(update={"fallback": "none"})


def measure(profile: Profile, *, mutant: bool = False) -> Figure:
    """Deaths of all, drawn."""
    counts = Tally[Verdict]()
    with ExitStack() as stack:
        if mutant:
            stack.enter_context(patch.object(Dispatch, "_say", lambda _: None))
        counts.update(_in_process(profile.fault_plans))
        sockets = 0 if mutant else profile.killed_plans
        counts.update(_over_sockets(sockets))
    note = (
        f"{counts['same']} the same, {counts['marked']} marked, {counts['refused']} refused; "
        f"{sockets} over sockets"
    )
    return Figure("D2", counts.total(), counts["bad"], note=note)


def _in_process(trials: int) -> Iterator[Verdict]:
    here, rng = plan_case(small()), random.Random(SEED)  # noqa: S311 - the same each time
    for topology in (SMALL, NONE):
        with folder() as home, carrying(home, topology=topology) as services:
            for _ in range(trials // 2):
                for index in range(3):
                    services.fail(
                        "evaluator", index, Fault.DEAD, _dies(rng.randrange(-2, MOST_REQUESTS))
                    )
                yield verdict(planned(small(), services.steps()), here, all_gone=True)
                for instance in services.topology.evaluator.instances:
                    services.carrier.calls.circuits.answered(instance)


def _dies(after: int) -> Rule:
    """Dead after so many requests."""
    count = 0

    def rule(_: httpx2.Request, __: int) -> Fault | None:
        nonlocal count
        count += 1
        return Fault.DEAD if count > after else None

    return rule


def _over_sockets(trials: int) -> Iterator[Verdict]:
    if not trials:
        return
    here, rng = plan_case(small()), random.Random(SEED)  # noqa: S311 - the same each time
    with processes(SMALL) as served:
        for trial in range(trials):
            topology = served.topology.model_copy(update={"fallback": ("local", "none")[trial % 2]})
            carrier = Carrier(topology, lambda: served.token)
            killers = [Timer(rng.uniform(0, 0.3), _kill, (served, index)) for index in range(3)]
            for killer in killers:
                killer.start()
            yield verdict(planned(small(), carried(carrier)), here, all_gone=True)
            carrier.close()
            for index, killer in enumerate(killers):
                killer.join()
                again(served, index)


def _kill(served: Served, index: int) -> None:
    served.signal(signal.SIGKILL, "evaluator", index)
    served.household.member("evaluator", index).process.join()


if __name__ == "__main__":
    script(measure)
