"""A plan by the engine that is active, and what the other one would do beside it.

The record of a run keeps both: settings that are frozen for it, seconds, differences. A challenger
has no broker: it only calculates.
"""

from __future__ import annotations

from typing import Any

from steelyard.engine import EngineSettings
from steelyard.errors import PlanRefused
from steelyard.importers import Inputs
from steelyard.planning.case import Case
from steelyard.planning.planner import solved_plan
from steelyard.planning.solve import LOCAL, Solution, Steps
from steelyard.plans.plan import Plan
from steelyard.portfolio import BucketState
from steelyard.rebalance import planned as reference
from steelyard.rebalance.watch import Watched, watch
from steelyard.strategies import Strategy
from steelyard.targets import Targets


def planned(
    inputs: Inputs,
    strategy: Strategy,
    state: BucketState,
    engine: EngineSettings,
    steps: Steps = LOCAL,
) -> tuple[Plan, dict[str, Any]]:
    """(the plan, what the record of its run says of both engines).

    Raises PlanRefused where they differ unexplained and `engine.on_divergence` is block.
    """
    case = Case(
        snapshot=inputs.snapshot,
        market=inputs.market,
        strategy=strategy,
        targets=inputs.targets,
        state=state,
    )
    aims = isinstance(inputs.targets, Targets)
    if engine.active == "reference" and aims:
        solution, plan = reference.solved_plan(case, warnings=tuple(inputs.warnings))
    else:
        solution, plan = solved_plan(case, steps, warnings=tuple(inputs.warnings))
    watched = _watched(solution) if engine.shadow == "on" else None
    record = {**engine.model_dump(), **_record(watched)}
    if watched is not None and watched.unexplained and engine.on_divergence == "block":
        raise PlanRefused(
            f"The engines differ in {len(watched.unexplained)} symbols, unexplained. No plan was "
            "made (engine.on_divergence is block).",
            code="engines_differ_block",
            place=watched.unexplained[0].symbol,
            value=len(watched.unexplained),
            limit=0,
            hint="set engine.on_divergence to alert to see the plan",
        )
    return plan, record


def _watched(solution: Solution) -> Watched | None:
    account = reference.Account.of(solution.case, solution.valuation, solution.ctx)
    return watch(account)


def _record(watched: Watched | None) -> dict[str, Any]:
    """Of both engines: seconds, and each symbol in which they are not equal."""
    if watched is None:
        return {}
    return {
        "fast_seconds": watched.fast_seconds,
        "reference_seconds": watched.reference_seconds,
        "compared": len(watched.rows),
        "unexplained": [row.symbol for row in watched.unexplained],
    }
