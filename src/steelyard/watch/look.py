"""One look: who still waits is told, then every bucket that is due is planned, written down, told.

    1. telling.tell_waiting     of earlier looks, without planning anything again
    2. _dues, _band_look        is it due by its calendar, or are its bands to be looked at?
    3. desk.plan                the next plan, kept; a refusal is an outcome too
    4. _write                   the tick, and how far the bucket is seen to, in one transaction
    5. telling.tell             each channel that is set

Killed between 3 and 4, it is due again, and the same inputs give the same plan; between 4 and 5,
step 1 of the next look tells it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from steelyard.canonical import plain, sha256
from steelyard.errors import NotStored, SettingsError, SteelyardError, StoreError
from steelyard.plans.plan import Plan
from steelyard.store import schedules
from steelyard.store.assignments import planned_by
from steelyard.store.buckets import bucket_of
from steelyard.store.schedules import Breach, Delivery, Outcome, Reason, Scheduled, Tick
from steelyard.store.store import Transaction, stamp
from steelyard.telemetry.events import WatchDue, WatchMissed
from steelyard.watch.days import days_of, exchange_of
from steelyard.watch.desk import Desk
from steelyard.watch.due import moment_of, moments
from steelyard.watch.message import moment
from steelyard.watch.schedule import Schedule, parse
from steelyard.watch.telling import tell, tell_waiting

LOGGER = logging.getLogger("steelyard.watch")
LATE = timedelta(hours=1)
"""What is looked at later than this was missed."""
NO_BANDS = "No band: the bucket has no targets."
ALL_INSIDE = "Every weight is inside its band."
SAME = "The same weights are out of their bands as when it was told today."


class Looked(NamedTuple):
    """What came of a look.

    ticks      of this look, and earlier ones of which somebody was told now
    problems   bucket -> why its schedule cannot be read
    """

    ticks: list[Tick]
    problems: dict[str, SettingsError]


@dataclass(frozen=True, slots=True)
class _Case:
    """A bucket in a look.

    dues     when it was due since the last look, UTC
    inputs   hash of what its bands are looked at from
    day      of now, where its clock is
    """

    scheduled: Scheduled
    schedule: Schedule
    now: datetime
    dues: list[datetime]
    inputs: str
    day: str


def look(desk: Desk) -> Looked:
    """One look over all schedules; raises StoreError, ChangedMeanwhile where the turn is over."""
    ticks, problems = tell_waiting(desk), dict[str, SettingsError]()
    for scheduled in schedules.listed(desk.store):
        try:
            case = _case(desk, scheduled)
        except SettingsError as error:
            LOGGER.warning("The schedule of %s cannot be read: %s", scheduled.bucket, error)
            problems[scheduled.bucket] = error
            continue
        ticks += _looked(desk, case)
    return Looked(ticks, problems)


def _case(desk: Desk, scheduled: Scheduled) -> _Case:
    schedule, now = parse(scheduled.toml), desk.store.now()
    days = days_of(exchange_of(schedule, desk.variables), now.date())
    dues = moments(schedule, days, scheduled.looked_until, now)
    local = now.astimezone(schedule.where)
    inputs = _inputs(desk, scheduled.bucket) if schedule.bands else ""
    return _Case(scheduled, schedule, now, dues, inputs, local.date().isoformat())


def _inputs(desk: Desk, bucket: str) -> str:
    """Hash of all that the next plan of a bucket is made from, but for earlier verdicts."""
    row, version = bucket_of(desk.store, bucket), planned_by(desk.store, bucket)
    return sha256(
        {
            "portfolio": row.portfolio,
            "market": row.market,
            "cash": {currency: plain(amount) for currency, amount in row.cash.items()},
            "strategy": None if version is None else version.sha256,
            "settings": dict(row.settings),
            "status": row.status,
        }
    )


def _looked(desk: Desk, case: _Case) -> Iterator[Tick]:
    """The tick of a bucket that is due, told; nothing where it is not."""
    muted = case.scheduled.muted_until
    if muted is not None and case.now < muted:
        if case.dues:
            yield from _write(
                desk, case, _tick(case, "muted", detail=f"Muted until {moment(muted)}.")
            )
        return
    if not case.dues and not _band_look(desk, case):
        return
    try:
        plan = desk.plan(case.scheduled.bucket)
    except StoreError:
        raise
    except SteelyardError as error:
        tick = _tick(case, "refused", detail=str(error))
        yield from (tell(desk, row) for row in _write(desk, case, tick, _everybody(desk)))
        return
    tick = _of_plan(case, plan)
    everybody = _everybody(desk) if tick.outcome == "planned" else {}
    yield from (tell(desk, row, plan) for row in _write(desk, case, tick, everybody))


def _band_look(desk: Desk, case: _Case) -> bool:
    """Are its bands to be looked at: did anything change, or is it the first time today?"""
    scheduled, schedule = case.scheduled, case.schedule
    if not schedule.bands:
        return False
    if case.inputs != scheduled.band_inputs:
        return True
    today = case.now.astimezone(schedule.where).date()
    days = days_of(exchange_of(schedule, desk.variables), case.now.date())
    later = scheduled.band_day != case.day and today in days
    return later and case.now >= moment_of(schedule, today)


def _of_plan(case: _Case, plan: Plan) -> Tick:
    """What a plan comes to: what is due by its calendar is told, hold too; else only breaches."""
    breaches = _breaches(plan) if case.schedule.bands else ()
    if case.dues:
        return _tick(case, "planned", plan=plan, breaches=breaches)
    if not breaches:
        detail = ALL_INSIDE if plan.bands else NO_BANDS
        return _tick(case, "quiet", plan=plan, detail=detail)
    before = case.scheduled
    again = case.day == before.band_day and _sides(breaches) == _sides(before.band_breaches)
    if again:
        return _tick(case, "quiet", plan=plan, breaches=breaches, detail=SAME)
    return _tick(case, "planned", plan=plan, breaches=breaches)


def _breaches(plan: Plan) -> tuple[Breach, ...]:
    """What was out of its band before the plan, furthest first."""
    rows = [
        Breach(band.kind, band.name, band.weight, band.low, band.high)
        for band in plan.bands
        if band.breached
    ]
    return tuple(sorted(rows, key=lambda b: -max(b.low - b.weight, b.weight - b.high)))


def _sides(breaches: tuple[Breach, ...]) -> set[tuple[str, str, bool]]:
    """What is out, and on which side: how far does not make it another breach."""
    return {(each.kind, each.name, each.weight > each.high) for each in breaches}


def _tick(
    case: _Case,
    outcome: Outcome,
    *,
    plan: Plan | None = None,
    breaches: tuple[Breach, ...] = (),
    detail: str = "",
) -> Tick:
    due = case.dues[-1] if case.dues else None
    late = due is not None and case.now - due > LATE
    missed = case.dues if late else case.dues[:-1]
    return Tick(
        bucket=case.scheduled.bucket,
        due_at=due,
        at=case.now,
        reason=_reason(case, late=late),
        outcome=outcome,
        plan_id=None if plan is None else plan.plan_id,
        missed=len(missed),
        missed_since=missed[0] if missed else None,
        detail=detail,
        breaches=breaches,
    )


def _reason(case: _Case, *, late: bool) -> Reason:
    if not case.dues:
        return "band"
    if late:
        return "missed"
    return "calendar" if case.schedule.on is None else "one-time"


def _everybody(desk: Desk) -> dict[str, Delivery]:
    return {way.name: Delivery() for way in desk.ways}


def _write(
    desk: Desk, case: _Case, tick: Tick, deliveries: dict[str, Delivery] | None = None
) -> Iterator[Tick]:
    """The tick with its id; none where the schedule changed meanwhile, which the next look sees."""
    tick = replace(tick, deliveries=deliveries or {})
    with desk.turn.writing() as transaction:
        try:
            current = schedules.of_bucket(transaction.connection, tick.bucket)
        except NotStored:
            return
        if current != case.scheduled:
            return
        tick = replace(tick, id=schedules.add_tick(transaction, tick))
        schedules.changed(transaction, tick.bucket, **_seen(case, tick))
        _tell_events(transaction, tick)
    yield tick


def _seen(case: _Case, tick: Tick) -> dict[str, str]:
    """How far a bucket is seen to after a tick."""
    columns = {"looked_until": stamp(case.now)}
    if case.schedule.bands and tick.outcome != "muted":
        columns |= {"band_inputs": case.inputs, "band_day": case.day}
        columns["band_breaches"] = schedules.breaches_text(tick.breaches)
    return columns


def _tell_events(transaction: Transaction, tick: Tick) -> None:
    due = None if tick.due_at is None else tick.due_at.astimezone(UTC).isoformat()
    if tick.missed and tick.missed_since is not None:
        since, until = tick.missed_since.isoformat(), tick.at.isoformat()
        transaction.tell(WatchMissed(tick.missed, since, until), tick.bucket)
    transaction.tell(WatchDue(tick.reason, due, tick.outcome, tick.plan_id), tick.bucket)
