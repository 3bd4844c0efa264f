"""A stored bucket planned and its plan kept: what `steelyard plan --bucket` does, for programs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from steelyard.engine import EngineSettings
from steelyard.errors import SteelyardError, StoreError
from steelyard.planning.case import Case
from steelyard.planning.solve import LOCAL, Solution, Steps
from steelyard.plans.plan import Plan
from steelyard.runs.asked import NOTHING_ASKED, Asked, asked_of
from steelyard.runs.planners import Planners
from steelyard.runs.solving import active, case_of, compared, counted, solved_by
from steelyard.runs.stored import StoredOrder, keep, order_of
from steelyard.store import events as kept_events
from steelyard.store.store import Store
from steelyard.telemetry.events import Event, Observe, PlannerEvent
from steelyard.telemetry.health import Health
from steelyard.telemetry.recorder import stamped
from steelyard.telemetry.timings import measured

if TYPE_CHECKING:
    from steelyard.calculations.cache import Calculations


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How a bucket is planned.

    engine           which engine plans, and what is done where the other one differs
    health           of the modules, for this one plan
    correlation_id   what its events have in common
    steps            what carries the pipeline
    steps_of         makes the steps of one case of the planner, in the place of `steps`
    clock            seconds, for how long it took
    observe          told every event as it happens; what is kept of them is not its business
    remark           told in what the engines differ
    calculations     what was calculated for plans before; None = nothing is kept
    asked            what its owner asks of this one plan
    """

    engine: EngineSettings
    health: Health
    correlation_id: str
    steps: Steps = LOCAL
    steps_of: Callable[[StoredOrder, Case], Steps] | None = None
    seed: int = 0
    clock: Callable[[], float] = time.perf_counter
    observe: Observe = lambda _: None
    remark: Callable[[str], None] = lambda _: None
    calculations: Calculations | None = None
    asked: Asked = NOTHING_ASKED


class Made(NamedTuple):
    """A plan; is_new: it was not stored before."""

    plan: Plan
    is_new: bool


class Planned(NamedTuple):
    """A plan that is not kept yet, and what is kept with it."""

    plan: Plan
    order: StoredOrder
    seconds: float
    events: Sequence[PlannerEvent]


def plan_bucket(store: Store, planners: Planners, name: str, manner: Manner) -> Made:
    """The next plan of a bucket, kept with its inputs and events; raises SteelyardError.

    How a plan came to be refused is kept too.
    """
    store = replace(store, correlation_id=manner.correlation_id)
    made = planned(store, planners, name, manner)
    return Made(made.plan, put(store, made))


def put(store: Store, made: Planned) -> bool:
    """Keep a plan with its inputs and events; False where it is there already."""
    plan, order, seconds, events = made
    return keep(
        store, plan, order.inputs, order.files, seconds, events, market_sha256=order.bucket.market
    )


def planned(store: Store, planners: Planners, name: str, manner: Manner) -> Planned:
    """The next plan of a bucket, not kept; raises SteelyardError, and keeps how it came to that."""
    hits, misses = planners.hits, planners.misses
    order = asked_of(order_of(store, planners, name), manner.asked)
    none_kept = (planners.hits, planners.misses) == (hits, misses)
    cached = None if none_kept else planners.misses == misses
    case = case_of(order.inputs, order.strategy, order.state, manner.seed)
    events: list[PlannerEvent] = []
    note = stamped(name, manner.correlation_id, store.now, [events.append])

    def observe(event: Event) -> None:
        note(event)
        manner.observe(event)

    def solve(case: Case) -> tuple[Solution, Plan]:
        engine, warnings = active(manner.engine, case), tuple(order.inputs.warnings)
        # exact target weights take no steps
        steps_of = manner.steps_of if engine == "fast" else None
        steps = manner.steps if steps_of is None else steps_of(order, case)
        return solved_by(
            engine,
            case,
            steps=steps,
            observe=observe,
            warnings=warnings,
            calculations=tally,
        )

    tally = None if manner.calculations is None else manner.calculations.tally()
    began = manner.clock()
    with _refusals_kept(store, events):
        solution, plan = counted(case, manner.health, solve)
        seconds = manner.clock() - began
        if manner.engine.shadow == "on":
            what = compared(solution, manner.engine.on_divergence, observe)
            if what:
                manner.remark(what)
    counts = None if tally is None else tally.counts()
    observe(measured(plan.plan_id, seconds, cached=cached, counts=counts))
    return Planned(plan, order, seconds, events)


@contextmanager
def _refusals_kept(store: Store, events: Sequence[PlannerEvent]) -> Iterator[None]:
    """Keep how a plan came to be refused; where that cannot be, the refusal alone is told."""
    try:
        yield
    except SteelyardError:
        with suppress(StoreError):
            kept_events.append(store, events)
        raise
