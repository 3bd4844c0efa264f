"""Must anything be done? Of each bucket its newest plan, its last run, and what is wrong with them.

    overview    a line per bucket, in the order of buckets; what is wrong with all of them

Nothing is added up over buckets: a line is of one. A plan that was asked to invest or to raise
money stands beside the bucket's newest, which rebalances.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from steelyard.errors import StoreError
from steelyard.execution import halt
from steelyard.execution.halt import Switch
from steelyard.execution.journal.rows import RunRow
from steelyard.execution.states import RUN_OVER, Outcome, RunState
from steelyard.plans.account import StrategyRef
from steelyard.plans.plan import Plan
from steelyard.runs.last_runs import LastRun, last_runs
from steelyard.runs.listed_plans import in_words
from steelyard.runs.standing import is_loaded_since, other_rules
from steelyard.store import approvals, assignments, buckets, events, plans
from steelyard.store.approvals import Approval
from steelyard.store.buckets import Held
from steelyard.store.events import Kept
from steelyard.store.plans import PlanRow
from steelyard.store.store import Store
from steelyard.telemetry.events import PlanningCompleted, PlanningFailed

Level = Literal["stop", "warn", "run", "ok", "wait"]
FAILED, COMPLETED = PlanningFailed.__name__, PlanningCompleted.__name__
OF_A_WISH = frozenset({"withdrawal_too_large", "flow_past", "flow_without_rate"})
"""Codes of refusals of what was asked of one plan."""
SOUND = frozenset({Outcome.DONE, Outcome.DONE_WITH_SKIPS})


@dataclass(frozen=True, slots=True)
class Figures:
    """Of a plan: drift before and after, None without targets; cash before and after, of value.

    rules   the strategy that it was made by
    """

    drift: tuple[float, float] | None
    cash: tuple[float, float] | None
    rules: StrategyRef

    @classmethod
    def of(cls, plan: Plan) -> Figures:
        """Those of a plan."""
        before, after = plan.drift.before, plan.drift.after
        drift = None if before is None or after is None else (before, after)
        whole = plan.base_of_weights
        if not whole:
            return cls(drift, None, plan.strategy)
        then = plan.in_base(plan.cash_after) + plan.costs.total
        now = float(plan.in_base(plan.balances) / whole)
        return cls(drift, (now, float(then / whole)), plan.strategy)


@dataclass(frozen=True, slots=True)
class Line:
    """One bucket.

    last      its newest run, None = it never had one
    refused   how its newest attempt at a plan was refused, after its newest plan; None = it was not
    stale     was it loaded with something else since its newest plan?
    rules     what it plans by now, where its newest plan was made by something else; "" = the same
    waiting   the approval of its newest plan that no runner took
    beside    a newer plan that was asked to invest or to raise money, and that, in words
    """

    bucket: Held
    plan: PlanRow | None
    figures: Figures | None
    last: LastRun | None
    refused: Kept | None
    stale: bool
    rules: str
    waiting: Approval | None
    beside: tuple[PlanRow, str] | None

    @property
    def run(self) -> RunRow | None:
        """Its newest run."""
        return None if self.last is None else self.last.run

    @property
    def is_locked(self) -> bool:
        """May its account not be traded, or do its books and the broker differ?"""
        return self.last is not None and bool(self.last.frozen or self.last.differs)

    @property
    def is_broken(self) -> bool:
        """Does no process carry its newest run on?"""
        return self.last is not None and self.last.broken is not None

    @property
    def level(self) -> Level:
        """How much it wants attention: `ok` and `wait` want none."""
        if self.is_locked or self.is_broken or self.refused is not None or self._run_is_bad:
            return "stop"
        if self.stale or self.rules or self._to_do:
            return "warn"
        if self.run is not None and self.run.state not in RUN_OVER:
            return "run"
        return "wait" if self.plan is None else "ok"

    @property
    def wants(self) -> bool:
        """Does it want attention?"""
        return self.level in {"stop", "warn"}

    @property
    def is_carried_out(self) -> bool:
        """Is its newest plan the one of its last run, and did that end well?"""
        run = self.run
        same = run is not None and self.plan is not None and run.plan_id == self.plan.plan_id
        return same and run is not None and run.outcome in SOUND

    @property
    def is_overtaken(self) -> bool:
        """Was another plan carried out since, so that its newest is not of what is owned?"""
        plan, run = self.plan, self.run
        if plan is None or run is None or run.plan_id == plan.plan_id:
            return False
        return run.outcome in SOUND and run.created_at >= plan.saved_at

    @property
    def _to_do(self) -> bool:
        plan, run = self.plan, self.run
        if plan is None or plan.action != "act" or self.is_carried_out or self.is_overtaken:
            return False
        return run is None or run.plan_id != plan.plan_id or run.state in RUN_OVER

    @property
    def _run_is_bad(self) -> bool:
        run = self.run
        if run is None:
            return False
        stuck = run.state in {RunState.NEEDS_HUMAN, RunState.HALTED}
        return stuck or run.outcome in {Outcome.FAILED, Outcome.PARTIAL}


@dataclass(frozen=True, slots=True)
class Overview:
    """Every bucket, and the kill switch; untold: why no run of them can be told, "" = they can."""

    lines: tuple[Line, ...]
    switch: Switch
    untold: str = ""

    @property
    def wanting(self) -> int:
        """Buckets that want attention."""
        return sum(line.wants for line in self.lines)


def overview(store: Store, home: Path, figures: Callable[[PlanRow], Figures]) -> Overview:
    """What stands now; `figures` of a stored plan are the caller's to keep. Raises StoreError."""
    lines, untold = [], ""
    runs: Mapping[str, LastRun] = {}
    try:
        runs = last_runs(home)
    except StoreError as error:
        untold = str(error)
    for bucket in buckets.buckets(store):
        plan = plans.newest_of(store, bucket.name)
        of_plan = None if plan is None else figures(plan)
        now = assignments.planned_by(store, bucket.name)
        lines.append(
            Line(
                bucket=bucket,
                plan=plan,
                figures=of_plan,
                last=runs.get(bucket.name),
                refused=_refused(store, bucket.name),
                stale=plan is not None and is_loaded_since(bucket, plan),
                rules="" if of_plan is None else other_rules(now, of_plan.rules),
                waiting=_waiting(store, plan),
                beside=_beside(store, bucket.name, plan),
            )
        )
    return Overview(tuple(lines), halt.look(home), untold)


def _waiting(store: Store, plan: PlanRow | None) -> Approval | None:
    """The newest approval of a plan, where nothing of it was sent since no runner was there."""
    newest = None if plan is None else next(iter(approvals.of_plan(store, plan.plan_id)), None)
    return newest if newest is not None and newest.state == "stored" else None


def _beside(store: Store, bucket: str, plan: PlanRow | None) -> tuple[PlanRow, str] | None:
    """The bucket's newest plan of all, where it is not the one that rebalances."""
    rows = plans.listed(store, bucket=bucket, most=1)
    if not rows or (plan is not None and rows[0].plan_id == plan.plan_id):
        return None
    last = rows[0]
    return last, in_words(plans.flows(store, [last.plan_id])[last.plan_id])


def _refused(store: Store, bucket: str) -> Kept | None:
    """How the newest attempt to plan a bucket was refused; None where a plan came of it.

    What only its owner asked of one plan, as more money than there is, says nothing of a bucket.
    """
    last = events.newest_of(store, bucket, (FAILED, COMPLETED))
    if last is None or last.event.event_type != FAILED or last.event.data["code"] in OF_A_WISH:
        return None
    return last
