"""One bucket's next plan, made in slices: held, planned, its plan kept with its inputs.

A second process at the same bucket does nothing. One that is killed has its bucket and its slice
taken over once its lease is over, and what it stored is not done again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from steelyard.calculations.digest import digest
from steelyard.plans.plan import Plan
from steelyard.runs import bucket_plan
from steelyard.runs.batch.call import AlreadyFinal, Call, Manner
from steelyard.runs.batch.key import Inputs
from steelyard.runs.batch.ranges import OtherSequences
from steelyard.runs.planners import Planners
from steelyard.runs.stored import StoredOrder
from steelyard.store import batches, leases, plans
from steelyard.store.leases import Lease
from steelyard.store.schema import bucket_hold
from steelyard.store.store import Store

HELD = "another batch holds it"
MOST_AGAIN = 3
"""Runs of the same parts that are begun because other sequences were met."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a batch.

    plan        None where none was made
    evaluated   sequences of the run, in whatever process; total: None where nobody knows yet
    final       is the plan made of all of them
    because     why it is as it is
    """

    bucket: str
    plan: Plan | None
    plan_id: str | None
    evaluated: int
    total: int | None
    final: bool
    run_key: str | None
    because: str

    def document(self) -> dict[str, object]:
        """As plain values."""
        return {
            "bucket": self.bucket,
            "plan_id": self.plan_id,
            "evaluated": self.evaluated,
            "total": self.total,
            "final": self.final,
            "run_key": self.run_key,
            "because": self.because,
        }


def batch_bucket(
    store: Store,
    planners: Planners,
    name: str,
    planning: bucket_plan.Manner,
    manner: Manner,
    *,
    alone: bool = True,
) -> Outcome:
    """Plan a bucket in slices, and keep the plan once it is of all of them; raises SteelyardError.

    alone   do nothing where another process is at it; else both share the work
    """
    store = replace(store, correlation_id=planning.correlation_id)
    call = Call(lambda: store, name, manner)
    held = _held(store, name, call.holder, manner.lease_seconds) if alone else None
    if alone and held is None:
        return _busy(store, name)
    try:
        return _settled(store, planners, name, planning, lambda again: replace(
            call, held=held, again=again
        ))  # fmt: skip
    finally:
        if held is not None:
            with store.writing(alone=False) as transaction:
                leases.release(transaction, bucket_hold, [held])


def _held(store: Store, name: str, holder: str, seconds: float) -> Lease | None:
    with store.writing() as transaction:
        return batches.hold(transaction, name, holder, seconds)


def _settled(
    store: Store,
    planners: Planners,
    name: str,
    planning: bucket_plan.Manner,
    call_of: Callable[[int], Call],
) -> Outcome:
    """The plan of a run; of another run where its sequences are not those that it stored."""
    for again in range(MOST_AGAIN):
        try:
            return _called(store, planners, name, planning, call_of(again))
        except OtherSequences:
            continue
    return _called(store, planners, name, planning, call_of(MOST_AGAIN))


def _called(
    store: Store, planners: Planners, name: str, planning: bucket_plan.Manner, call: Call
) -> Outcome:
    manner = replace(
        planning,
        steps_of=lambda order, case: call.steps_now(case, _inputs(order), planning.steps),
    )
    try:
        made = bucket_plan.planned(store, planners, name, manner)
    except AlreadyFinal:
        return _before(store, call)
    finally:
        call.end()
    plan = made.plan
    if call.final:
        bucket_plan.put(store, made)
    because = call.close(plan.plan_id, len(plan.problems))
    by_steps = call.stored is not None
    return Outcome(
        bucket=name,
        plan=plan,
        plan_id=plan.plan_id,
        evaluated=call.progress.evaluated if by_steps else plan.certificate.sequences,
        total=call.progress.total if by_steps else plan.certificate.sequences,
        final=call.final,
        run_key=None if call.run is None else call.run.run_key,
        because=because,
    )


def _inputs(order: StoredOrder) -> Inputs:
    """Of a bucket, as it is stored: its cash is booked apart from what was loaded."""
    owned = order.bucket
    holdings = digest(portfolio=owned.portfolio, cash=owned.cash).hex()
    return Inputs(holdings, str(owned.market))


def _before(store: Store, call: Call) -> Outcome:
    """The plan of a run that was finished before."""
    run = call.run
    assert run is not None and run.plan_id is not None  # noqa: S101, PT018 - AlreadyFinal says so
    return Outcome(
        bucket=run.bucket,
        plan=plans.load(store, run.plan_id).plan,
        plan_id=run.plan_id,
        evaluated=run.evaluated,
        total=run.total,
        final=True,
        run_key=run.run_key,
        because="it was finished before and nothing changed since: nothing was planned",
    )


def _busy(store: Store, name: str) -> Outcome:
    run = next(iter(batches.listed(store, name)), None)
    return Outcome(
        bucket=name,
        plan=None,
        plan_id=None,
        evaluated=0 if run is None else run.evaluated,
        total=None if run is None else run.total,
        final=False,
        run_key=None if run is None else run.run_key,
        because=HELD,
    )
