"""plan(): a snapshot in, a plan document out; pure.

    solve.solve          a case to its solution: steps 1 to 8
    questions.consider   partial fills and loosened rules, where the strategy asks for them
    second_half          of a plan whose sales only fund a later one: that one
    document.write       exact money, sentences, the ledger of what stopped; sealed by its id

A module whose answer fails when it is used has all three done again as without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from steelyard.errors import SteelyardError, one_line
from steelyard.market import Market
from steelyard.notices import Notice
from steelyard.planning.case import Case
from steelyard.planning.document.write import write
from steelyard.planning.findings import SCORE_DIGITS, Findings
from steelyard.planning.guard import LONGEST_ERROR, Guard, settled
from steelyard.planning.questions.what_if import consider
from steelyard.planning.second_half import second_half
from steelyard.planning.solve import LOCAL, Solution, Steps, solve
from steelyard.plans.plan import Plan
from steelyard.portfolio import BucketState, Snapshot
from steelyard.strategies import Strategy
from steelyard.targets import Targets, TargetsFailed
from steelyard.telemetry.events import (
    Observe,
    PlanningCompleted,
    PlanningFailed,
    PlanningStarted,
)

if TYPE_CHECKING:  # what makes one plan imports no cache
    from steelyard.calculations.cache import Calculations


def plan(
    snapshot: Snapshot,
    market: Market,
    strategy: Strategy,
    *,
    targets: Targets | TargetsFailed | None = None,
    state: BucketState | None = None,
    seed: int = 0,
    disabled: Mapping[str, str] = MappingProxyType({}),
    steps: Steps = LOCAL,
    observe: Observe | None = None,
    warnings: Iterable[Notice] = (),
    calculations: Calculations | None = None,
) -> Plan:
    """Plan one portfolio; the same inputs give the same plan id.

    targets    weights by symbol; a failure with its reason; None = the heuristics plan alone
    state      what the bucket remembers; None = the verdict latch is off
    disabled   modules out of service -> why; by name or qualified name
    steps      who carries the pipeline
    observe    called with every event
    warnings   what the importers noticed: they go into the document
    calculations   what was calculated for plans before; None = nothing is kept. No plan hangs on it
    Raises PlanRefused when the value is unknown, InternalError when two of our calculations
    disagree.
    """
    case = Case(
        snapshot=snapshot,
        market=market,
        strategy=strategy,
        targets=targets,
        state=state or BucketState(),
        seed=seed,
        disabled=disabled,
    )
    return plan_case(case, steps, observe, tuple(warnings), calculations)


def plan_case(
    case: Case,
    steps: Steps = LOCAL,
    observe: Observe | None = None,
    warnings: tuple[Notice, ...] = (),
    calculations: Calculations | None = None,
) -> Plan:
    """Plan one case; see `plan`."""
    return solved_plan(case, steps, observe, warnings, calculations)[1]


def solved_plan(
    case: Case,
    steps: Steps = LOCAL,
    observe: Observe | None = None,
    warnings: tuple[Notice, ...] = (),
    calculations: Calculations | None = None,
) -> tuple[Solution, Plan]:
    """The solution of a case, and the document that is written from it; see `plan`."""

    def planned(guard: Guard) -> tuple[Solution, Plan]:
        solution = solve(case, guard, steps)
        what_if = consider(solution, guard, steps)
        document = write(solution, guard, what_if, warnings)
        then = second_half(solution, document, steps)
        whole = document if then is None else write(solution, guard, what_if, warnings, then)
        return solution, whole

    findings = Findings(observe, steps.clock)
    rules, as_of = case.strategy, case.snapshot.as_of.isoformat()
    findings.tell(PlanningStarted(rules.name, rules.version, as_of))
    bucket = case.snapshot.bucket
    try:
        guard = Guard(case.disabled, bucket=bucket, findings=findings, calculations=calculations)
        solution, document = settled(planned, guard)
    except SteelyardError as error:
        findings.tell(PlanningFailed(error.fault.code, one_line(str(error), LONGEST_ERROR)))
        raise
    gain = round(document.score.improvement, SCORE_DIGITS)
    findings.tell(PlanningCompleted(document.plan_id, len(document.steps), gain))
    return solution, document
