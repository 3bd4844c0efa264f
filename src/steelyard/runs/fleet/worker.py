"""An account's files to its plan to a row: what a worker does, whatever it is a process of.

`begin` once in each process, then `work` for each slice. A worker reads no file and writes nothing.
"""

from __future__ import annotations

import os
import re
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from typing import Final

from steelyard.calculations.cache import Calculations, calculations_from
from steelyard.errors import ServiceError, SteelyardError
from steelyard.importers import Inputs, assemble, parse_cash, read
from steelyard.notices import Notice, outcomes
from steelyard.plans.plan import Plan
from steelyard.portfolio import BucketState
from steelyard.runs.fleet.folder import Task
from steelyard.runs.fleet.shared import Packed, Ruled, Shared, unpacked
from steelyard.runs.solving import active, case_of, compared, solved_by
from steelyard.store.fleets import AccountRow
from steelyard.telemetry.health import Outcome

BUG: Final = "fleet_bug"
RESERVE_SHORT: Final = "reserve_short"
MOST_MISSING: Final = Decimal("0.25")
"""Of the reserve: what whole lots may leave it short of without a word."""
LONGEST_NOTE: Final = 1_000
"""Characters of what is worth looking at."""
OPTION: Final = re.compile(
    r",? or leave (?:it|a security) out with --exclude(?: [A-Z0-9.:-]+?)?(?=[.]?(?:\s|$))"
)
"""Advice of an importer that names an option of `plan` which a fleet has not."""
EMPTY: Final = "It owns nothing: its files have no holding and no cash. Is that so?"
WORKING: dict[str, Shared] = {}
"""What this process works with, by the key of its bytes."""
MOST_RUNS: Final = 4
"""Runs that a worker of a cluster is ready for: one whose command was killed never ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What comes back of an account.

    page      its report, deflated; b"" = none was asked for
    modules   what became of the modules that ran
    differs   in what the engines differ unexplained; "" = in nothing
    """

    row: AccountRow
    page: bytes = b""
    modules: tuple[Outcome, ...] = ()
    differs: str = ""


@cache
def calculations() -> Calculations:
    """What this process calculated for accounts before: many hold the same securities."""
    return calculations_from(os.environ)


def begin(packed: Packed) -> None:
    """Make ready what a run has in common, once in a process."""
    if packed.key not in WORKING:
        WORKING[packed.key] = unpacked(packed.content)
    for key in list(WORKING)[:-MOST_RUNS]:
        WORKING.pop(key, None)


def work(key: str, tasks: Sequence[Task]) -> list[Planned]:
    """Plan accounts, each by itself: what stops one is what that one comes to.

    Raises ServiceError in a process that was not made ready.
    """
    shared = WORKING.get(key)
    if shared is None:
        raise ServiceError(
            "A worker of the cluster is not ready for this run: it has no Steelyard, or another "
            "one. What was planned is kept. Install the same on every worker; the same command "
            "goes on.",
            code="fleet_worker_not_ready",
            place="--address",
            hint="install the same Steelyard on every worker",
        )
    return [plan_account(shared, task) for task in tasks]


def plan_account(shared: Shared, task: Task) -> Planned:
    """The plan of an account as a row, or the error that it has instead."""
    start = time.perf_counter()
    try:
        planned = _planned(shared, task)
    except SteelyardError as error:
        planned = failed(task, error.fault.code, OPTION.sub("", str(error)))
    except Exception as error:  # noqa: BLE001 - a bug costs the account that meets it, no other
        what = f"{type(error).__name__}: {error}"
        message = f"It could not be planned, by a mistake of ours: {what}. Please report this."
        planned = failed(task, BUG, message)
    row = replace(planned.row, seconds=time.perf_counter() - start)
    return replace(planned, row=row)


def failed(task: Task, code: str, message: str) -> Planned:
    """An account that has no plan."""
    return Planned(
        row=AccountRow(
            folder=task.folder, account=task.name, digest=task.digest, seconds=0.0,
            error=message, code=code,
        )
    )  # fmt: skip


def _planned(shared: Shared, task: Task) -> Planned:
    if task.fault is not None:
        return failed(task, *task.fault)
    ruled = shared.strategies[task.strategy]
    if not isinstance(ruled, Ruled):
        return failed(task, *ruled)
    inputs = inputs_of(shared, task, ruled)
    case = case_of(inputs, ruled.strategy, BucketState(), shared.seed)
    case = replace(case, disabled=ruled.disabled)
    warnings = tuple(inputs.warnings)
    engine = active(shared.engine, case)
    solution, plan = solved_by(engine, case, warnings=warnings, calculations=calculations())
    differs = ""
    if shared.engine.shadow == "on":
        differs = compared(solution, shared.engine.on_divergence, None)
    page = b""
    if shared.page is not None:
        page = zlib.compress(shared.page(plan, task.name).encode())
    row = row_of(task, plan, differs)
    return Planned(row=row, page=page, modules=tuple(outcomes(plan.modules)), differs=differs)


def inputs_of(shared: Shared, task: Task, ruled: Ruled) -> Inputs:
    """An account as `plan` would read it; raises SteelyardError."""
    files = read(
        task.holdings,
        prices=shared.prices,
        targets=task.targets or shared.targets,
        securities=shared.securities,
        fx=shared.fx,
        index=shared.index,
        reading=shared.reading,
    )
    inputs = assemble(
        files,
        cash=parse_cash(task.cash, "[cash]"),
        base_currency=shared.base,
        as_of=shared.as_of,
        today=shared.today,
    )
    return replace(inputs, warnings=(*inputs.warnings, *ruled.remarks))


def row_of(task: Task, plan: Plan, differs: str = "") -> AccountRow:
    """What is kept of a plan."""
    problems = [each.message for each in plan.problems if _matters(plan, each.code)]
    problems += [differs] if differs else []
    problems += [] if plan.value else [EMPTY]
    return AccountRow(
        folder=task.folder,
        account=task.name,
        digest=task.digest,
        seconds=0.0,
        plan_id=plan.plan_id,
        verdict=plan.verdict.action,
        orders=len(plan.steps),
        improvement=plan.score.improvement,
        turnover=plan.turnover,
        drift_before=plan.drift.before,
        drift_after=plan.drift.after,
        cost=plan.costs.total,
        value=plan.value,
        base_currency=plan.base_currency,
        as_of=plan.as_of,
        occasions=plan.occasions,
        problems=len(problems),
        note=(problems[0] if problems else plan.verdict.text)[:LONGEST_NOTE],
    )


def _matters(plan: Plan, code: str) -> bool:
    """Must a person look? Not for a reserve that whole lots miss by a little: most do."""
    if code != RESERVE_SHORT:
        return True
    missing = plan.reserve - plan.in_base(plan.cash_after)
    return missing > plan.reserve * MOST_MISSING


def remarks_of(texts: Sequence[str]) -> tuple[Notice, ...]:
    """What is worth knowing of a strategy that was asked for, as `plan` says it."""
    return tuple(Notice(code="strategy", message=text) for text in texts)
