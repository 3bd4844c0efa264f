"""A plan by services is the plan without them, whoever and however many carry it."""

from __future__ import annotations

import sys
from collections import Counter as Tally
from collections.abc import Iterator
from contextlib import ExitStack
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, given, settings

from benchmarks.promises.databases import Profile, folder
from benchmarks.promises.figures import Figure
from benchmarks.promises.script import script
from benchmarks.promises.services import Verdict, bundled, planned, processes, recorded, verdict
from builders.carrying import carrying
from builders.worlds import worlds
from steelyard.errors import SteelyardError
from steelyard.modules.candidates import Scores
from steelyard.planning.case import Case
from steelyard.planning.findings import HERE
from steelyard.planning.planner import plan_case
from steelyard.planning.solve import Steps
from steelyard.services.carriage import dispatch
from steelyard.services.remote import Remote
from steelyard.services.topology import Topology

PROMISE = "plan(steps=Remote(topology)) is plan(), by one, two or three evaluators."
HOW = (
    "Every kind of plan, the bundled portfolio in each scope and the four recorded portfolios of "
    "20 to 200 securities are planned with 1, 2 and 3 evaluators, in this process and over real "
    "sockets, and portfolios that hypothesis draws with three; by day the recorded portfolio of 20 "
    "securities, and few of them over sockets. Searches have time, so that no clock stops them. "
    "Counted as bad: another plan id or other orders, a batch that the planner evaluated itself, "
    "and a portfolio that is refused on one way alone."
)
MUTANT = "scores of the first batch are read backwards"
SIZED = Topology(batch_size=50)


def measure(profile: Profile, *, mutant: bool = False) -> Figure:
    """Each case each way."""
    counts, cases = Tally[Verdict](), _cases(profile)
    locals_ = {name: plan_case(case) for name, case in cases.items()}
    with ExitStack() as stack:
        if mutant:
            stack.enter_context(patch.object(dispatch, "Scores", _backwards))
            stack.enter_context(patch.object(dispatch.Dispatch, "_tried", lambda *_: None))
        for number in (1, 2, 3):
            with folder() as home, carrying(home, evaluators=number, topology=SIZED) as services:
                counts.update(_all(cases, locals_, services.remote))
        counts.update(_drawn(profile.random_worlds))
        few = {name: cases[name] for name in [*cases][:: 1 if profile.recorded[1:] else 3]}
        for number in () if mutant else (1, 2, 3) if profile.recorded[1:] else (2,):
            counts.update(_over_sockets(few, locals_, number))
    note = f"{len(cases)} inputs, {profile.random_worlds} drawn"
    return Figure("S1", counts.total(), counts["bad"], note=note)


def _cases(profile: Profile) -> dict[str, Case]:
    sizes = {
        f"n{n:03d}": recorded(n, "quantities" if n < MIDDLE else "proposals")
        for n in profile.recorded
    }
    return {**bundled(), **sizes}


MIDDLE = 100
"""From so many securities on the whole proof takes minutes."""


def _all(cases, locals_, steps: Steps) -> Iterator[Verdict]:
    for name, case in cases.items():
        what = verdict(planned(case, steps), locals_[name])
        if what == "bad":
            print(f"S1: {name} is another plan", file=sys.stderr)
        yield what


def _over_sockets(cases, locals_, number: int) -> Iterator[Verdict]:
    with processes(SIZED, number) as served:
        remote = Remote(served.topology, served.token)
        yield from _all(cases, locals_, remote)
        remote.close()


def _drawn(count: int) -> list[Verdict]:
    """So many portfolios that hypothesis draws, the same each time."""
    verdicts: list[Verdict] = []
    with folder() as home, carrying(home, topology=SIZED) as services:

        @settings(
            max_examples=count, derandomize=True, database=None, deadline=None,
            phases=[Phase.generate], suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(worlds())
        def plan_one(world) -> None:
            there, here = (_id_of(world.case, steps) for steps in (services.remote, None))
            verdicts.append("same" if there == here else "bad")

        plan_one()
    return verdicts


def _id_of(case: Case, steps: Steps | None) -> str:
    """Of the plan, or why there is none; where the planner helped it says so."""
    try:
        plan = plan_case(case) if steps is None else plan_case(case, steps)
    except SteelyardError as error:
        return error.fault.code
    alone = plan.transport is not None and HERE in plan.transport.batches
    return plan.plan_id + ("by the planner" if alone else "")


def _backwards(number: int, rows, net) -> Scores:
    """What the mutant makes of an answer."""
    return Scores(number, rows, net[::-1] if number == 0 else net)


if __name__ == "__main__":
    script(measure)
