"""A case to its plan: by the engine that is active, without modules that are out of service."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from steelyard.engine import Engine, EngineSettings, OnDivergence
from steelyard.errors import PlanRefused
from steelyard.importers import Inputs
from steelyard.notices import Notice, outcomes
from steelyard.planning.case import Case
from steelyard.planning.planner import solved_plan
from steelyard.planning.solve import LOCAL, Solution, Steps
from steelyard.plans.plan import Plan
from steelyard.portfolio import BucketState
from steelyard.rebalance import planned as reference
from steelyard.rebalance.watch import Watched, watch
from steelyard.runs.module_health import versions
from steelyard.strategies import Strategy
from steelyard.targets import Targets
from steelyard.telemetry.events import EnginesDiffer, Observe
from steelyard.telemetry.health import Health, Outcome

if TYPE_CHECKING:
    from steelyard.calculations.cache import Calculations

MOST_NAMED = 5
"""Symbols that a sentence names."""


def case_of(inputs: Inputs, strategy: Strategy, state: BucketState, seed: int = 0) -> Case:
    """What a plan of these inputs is a function of."""
    return Case(
        snapshot=inputs.snapshot,
        market=inputs.market,
        strategy=strategy,
        targets=inputs.targets,
        state=state,
        seed=seed,
    )


def active(engine: EngineSettings, case: Case) -> Engine:
    """Which engine plans a case: without targets only the planner can."""
    aims = isinstance(case.targets, Targets)
    return "reference" if engine.active == "reference" and aims else "fast"


def solved_by(
    engine: Engine,
    case: Case,
    *,
    steps: Steps = LOCAL,
    observe: Observe | None = None,
    warnings: tuple[Notice, ...] = (),
    calculations: Calculations | None = None,
) -> tuple[Solution, Plan]:
    """The solution of a case by an engine, and the document that is written from it."""
    if engine == "reference":
        return reference.solved_plan(case, observe, warnings, calculations)
    return solved_plan(case, steps, observe, warnings, calculations)


def counted(
    case: Case, health: Health, solve: Callable[[Case], tuple[Solution, Plan]]
) -> tuple[Solution, Plan]:
    """A case solved without the modules that are out of service; what fails in it is counted."""
    disabled = health.out_of_service(versions(case.strategy))
    ended: list[Outcome] = []
    try:
        solution, plan = solve(replace(case, disabled=disabled))
        ended = outcomes(plan.modules)
    finally:
        health.record(ended)
    return solution, plan


def compared(solution: Solution, action: OnDivergence, observe: Observe | None) -> str:
    """In what the engines differ unexplained, as a sentence and an event; "" where in nothing.

    Raises PlanRefused where the action is to block.
    """
    watched = watched_of(solution)
    if watched is None or not watched.unexplained:
        return ""
    rows = watched.unexplained
    texts = [f"{row.symbol}: {row.difference}" for row in rows]
    if observe is not None:
        observe(EnginesDiffer(len(rows), texts[:MOST_NAMED], action))
    more = f" and {len(texts) - MOST_NAMED} more" if len(texts) > MOST_NAMED else ""
    what = f"The engines differ in {len(rows)} of {len(watched.rows)} symbols, unexplained: "
    what += f"{'; '.join(texts[:MOST_NAMED])}{more}."
    if action == "block":
        raise PlanRefused(
            f"{what} No plan was made (engine.on_divergence is block). Set it to alert to see the "
            "plan.",
            code="engines_differ",
            place=rows[0].symbol,
            value=len(rows),
            limit=0,
            hint="set engine.on_divergence to alert to see the plan",
        )
    return what


def watched_of(solution: Solution) -> Watched | None:
    """What the other engine would do on the same account; None where it cannot be asked."""
    account = reference.Account.of(solution.case, solution.valuation, solution.ctx)
    return watch(account)
