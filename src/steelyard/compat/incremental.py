"""The documents' planning in batches, one a call: what is evaluated is stored, the next goes on."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from steelyard.calculations.cache import Calculations
from steelyard.compat.records import HolisticPlan
from steelyard.environment import database
from steelyard.planning.case import Case
from steelyard.planning.planner import plan_case
from steelyard.planning.solve import Steps
from steelyard.plans.plan import Plan
from steelyard.runs.batch.call import LARGEST_BATCH, Call, Manner
from steelyard.runs.batch.ranges import OtherSequences
from steelyard.store.opening import open_store
from steelyard.store.store import Store
from steelyard.telemetry.events import Observe, PlannerEvent

__all__ = ["LARGEST_BATCH", "Incremental", "said_of"]


class Incremental:
    """One call: its plan, and how far it came.

    place   of the database; None = Steelyard's own, made when there is something to store
    heard   told what is stored of the run
    """

    def __init__(
        self,
        place: str | Path | None,
        bucket_id: str,
        batch_size: int,
        heard: Callable[[PlannerEvent], None],
    ) -> None:
        self._place, self._heard, self.batch_size = place, heard, batch_size
        self._store: Store | None = None
        manner = Manner(batch_size=batch_size, most=batch_size)
        self.call = Call(self._opened, bucket_id, manner)

    def planned(
        self, case: Case, inner: Steps, observe: Observe, calculations: Calculations
    ) -> Plan:
        """The plan of what is evaluated by now; raises SteelyardError."""

        def plan(steps: Steps) -> Plan:
            return plan_case(case, steps, observe, (), calculations)

        try:
            return self._planned(case, inner, plan)
        except OtherSequences:
            self.call = replace(self.call, again=self.call.again + 1)
            return self._planned(case, inner, plan)
        finally:
            if self._store is not None:
                self._store.close()

    def shown(self, plan: HolisticPlan) -> HolisticPlan:
        """The plan with how far it is, and the sentence that says so first."""
        if not self.call.in_slices:
            said = f"It was planned in one go, so batch_size {self.batch_size} changes nothing."
            return replace(plan, warnings=(said, *plan.warnings))
        progress, run = self.call.progress, self.call.run
        return replace(
            plan,
            warnings=(said_of(progress.evaluated, progress.total), *plan.warnings),
            evaluated=progress.evaluated,
            total=progress.total,
            final=self.call.final,
            run_key=None if run is None else run.run_key,
        )

    def _planned(self, case: Case, inner: Steps, solve: Callable[[Steps], Plan]) -> Plan:
        call = self.call
        try:
            plan = solve(call.steps(case, inner=inner))
        finally:
            call.end()
        call.close(plan.plan_id, len(plan.problems))
        return plan

    def _opened(self) -> Store:
        if self._store is None:
            place = str(self._place or database(os.environ))
            self._store = open_store(place, heard=self._heard)
        return self._store


def said_of(evaluated: int, total: int | None) -> str:
    """How far a plan is, as its first warning."""
    if total is None or evaluated < total:
        every = "all" if total is None else f"{total:,d}"
        return (
            f"This plan is midway: {evaluated:,d} of {every} sequences are evaluated. Call again."
        )
    return f"This plan is final: all {total:,d} sequences are evaluated."
