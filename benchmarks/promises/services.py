"""Plans by services: what is planned, whether two plans are one, and what became of a plan.

worlds(…)        cases whose batches are many and small, or whose searches are long
verdict(…)       same, marked or refused; anything else is bad
lasting()        threads and tasks that are there, before and after
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal

from benchmarks import seed_baseline
from benchmarks.promises.databases import folder
from steelyard.errors import ServiceError
from steelyard.execution.approved import approved
from steelyard.execution.evidence import plan_facts
from steelyard.execution.rails.plan import defects
from steelyard.planning.case import Case
from steelyard.planning.findings import HERE
from steelyard.planning.planner import plan_case
from steelyard.planning.solve import Steps
from steelyard.plans.plan import Plan
from steelyard.services.carriage.carrier import Carrier
from steelyard.services.topology import Name, Topology

TESTS = str(Path(__file__).resolve().parents[2] / "tests")
if TESTS not in sys.path:
    sys.path.append(TESTS)

from builders.changes import USUAL  # noqa: E402 - tests' builders are no package of their own
from builders.demo import growth, kinds  # noqa: E402
from builders.serving import Served, serving  # noqa: E402

OTHERS: tuple[Name, ...] = ("opportunity", "generator", "evaluator")
"""Services; the coordinator is this process."""
SMALL = Topology(batch_size=20, open_seconds=0.05)
"""Some batches of few sequences, and circuits that soon let one try."""
PATIENT_S = 3600.0
"""No search is stopped by the clock: such a plan is another one each time."""
Verdict = Literal["same", "marked", "refused", "bad"]


def scoped(case: Case, scope: str) -> Case:
    """A case whose search has this scope, and time."""
    search = case.strategy.search.model_copy(update={"scope": scope, "max_seconds": PATIENT_S})
    return replace(case, strategy=replace(case.strategy, search=search))


def small() -> Case:
    """A plan of five batches that takes a moment."""
    return scoped(USUAL.case, "proposals")


def recorded(n: int, scope: str) -> Case:
    """One of the recorded inputs."""
    inputs = seed_baseline.case(n).inputs
    case = Case(
        snapshot=inputs.snapshot,
        market=inputs.market,
        strategy=inputs.strategy,
        targets=inputs.targets,
    )
    return scoped(case, scope)


def bundled() -> Mapping[str, Case]:
    """Every kind of plan, and the bundled portfolio in each scope."""
    scopes = ("proposals", "candidates", "quantities")
    return {
        **{name: world.case for name, world in kinds().items()},
        **{f"growth, {scope}": scoped(growth().case, scope) for scope in scopes},
    }


def verdict(make: Callable[[], Plan], here: Plan, *, all_gone: bool = False) -> Verdict:
    """What became of a plan.

    all_gone   may the planner have done the work itself, and say so?
    """
    try:
        plan = make()
    except ServiceError:
        return "refused" if all_gone else "bad"
    if plan.problems:
        return "marked" if all_gone and unarmable(plan) else "bad"
    if plan.plan_id != here.plan_id or plan.steps != here.steps:
        return "bad"
    alone = plan.transport is not None and HERE in plan.transport.batches
    warned = any(notice.code == "evaluated_here" for notice in plan.warnings)
    return "bad" if alone and not (all_gone and warned) else "same"


def unarmable(plan: Plan) -> bool:
    """Does execution refuse to arm it?"""
    return "plan_problems" in defects(plan_facts(approved(plan)))


def lasting(carrier: Carrier) -> tuple[int, int]:
    """Threads of this process, and tasks of a carrier's loop, when all that ends has ended."""

    async def tasks() -> int:
        return len(asyncio.all_tasks()) - 1

    return threading.active_count(), carrier.loop.result(tasks())


@contextmanager
def processes(topology: Topology, evaluators: int = 3) -> Iterator[Served]:
    """Services that run, but the coordinator, which is this process."""
    with folder() as home, ExitStack() as stack:
        with quiet():
            served = stack.enter_context(
                serving(home, names=OTHERS, evaluators=evaluators, topology=topology)
            )
        yield served


@contextmanager
def quiet() -> Iterator[None]:
    """What services say, a line for each request, is not shown: those that are started in it."""
    sys.stderr.flush()
    shown, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(shown, 2)
        os.close(shown)
        os.close(nowhere)


def planned(case: Case, steps: Steps) -> Callable[[], Plan]:
    """Make the plan."""
    return lambda: plan_case(case, steps)
