"""What a page and a command show of schedules, and what they change.

Every function opens its own transaction; none plans, and none but `try_channel` tells anybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from steelyard.environment import home as home_of
from steelyard.errors import (
    ChangedMeanwhile,
    InputError,
    SettingsError,
    SteelyardError,
    did_you_mean,
)
from steelyard.store import schedules
from steelyard.store.buckets import buckets
from steelyard.store.schedules import Scheduled, Tick
from steelyard.store.store import Store, Transaction, stamp
from steelyard.store.strategies import USER
from steelyard.telemetry.events import ScheduleChanged
from steelyard.watch import message
from steelyard.watch.channels import Way, settings, ways
from steelyard.watch.days import Days, days_of, exchange_of
from steelyard.watch.due import moment_of, next_moment
from steelyard.watch.schedule import NOTHING, Schedule, parse, written


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A bucket and its schedule.

    scheduled   as it is stored; None = it has none
    schedule    the same, read; None where there is none or it cannot be read
    days        what its calendar counts, in words
    next_at     when it is due next by its calendar; None = no more, or only by its bands
    last        what came of its newest tick
    problem     why its text cannot be read; "" = it can
    """

    bucket: str
    scheduled: Scheduled | None = None
    schedule: Schedule | None = None
    days: str = ""
    next_at: datetime | None = None
    last: Tick | None = None
    problem: str = ""

    def muted(self, now: datetime) -> bool:
        """Is nobody told of it at a time?"""
        until = None if self.scheduled is None else self.scheduled.muted_until
        return until is not None and until > now

    @property
    def never_due(self) -> str:
        """Why one time passes without a plan: it is in the bucket's own silence; "" = no."""
        until = None if self.scheduled is None else self.scheduled.muted_until
        if self.schedule is None or self.schedule.on is None:
            return ""
        if until is None or self.next_at is None or self.next_at >= until:
            return ""
        return (
            f"{self.bucket} is due one time, {message.moment(self.next_at)}, and muted until "
            f"{message.moment(until)}: it will be neither planned nor told then. Name a later day, "
            "or unmute it."
        )


def rows(store: Store, variables: Mapping[str, str]) -> list[Row]:
    """Every bucket, with its schedule, its last tick and when it is due next.

    Raises StoreError; a schedule that cannot be read is a `problem` of its row.
    """
    texts = {entry.bucket: entry for entry in schedules.listed(store)}
    last, now = schedules.last_ticks(store), store.now()
    shown = []
    for bucket in buckets(store):
        scheduled, tick = texts.get(bucket.name), last.get(bucket.name)
        row = Row(bucket=bucket.name, scheduled=scheduled, last=tick)
        if scheduled is not None:
            try:
                schedule = parse(scheduled.toml)
            except SettingsError as error:
                row = Row(bucket=bucket.name, scheduled=scheduled, last=tick, problem=str(error))
            else:
                days = days_of(exchange_of(schedule, variables), now.date())
                row = _row(bucket.name, scheduled, schedule, days, tick, now)
        shown.append(row)
    return shown


def _row(
    bucket: str,
    scheduled: Scheduled,
    schedule: Schedule,
    days: Days,
    tick: Tick | None,
    now: datetime,
) -> Row:
    after = max(now, scheduled.looked_until)
    return Row(
        bucket=bucket,
        scheduled=scheduled,
        schedule=schedule,
        days=days.words if schedule.every is not None or schedule.bands else "",
        next_at=next_moment(schedule, days, after),
        last=tick,
    )


def put(
    store: Store,
    bucket: str,
    text: str,
    by: str = USER,
    *,
    source: str = "the schedule",
    seen: str | None = None,
) -> Schedule:
    """Give a bucket the schedule of a TOML text, from now on.

    seen   the hash of the schedule that whoever changes it saw, "" for none; None = whatever it is
    Raises NotStored for no such bucket, SettingsError for a text that is no schedule, an exchange
    that nobody knows, or one time that is over; ChangedMeanwhile for another than was seen.
    """
    schedule = parse(text, source)
    now = store.now()
    if schedule.on is not None and moment_of(schedule, schedule.on) <= now:
        raise _over(schedule)
    days = days_of(schedule.exchange, now.date()) if schedule.exchange else None
    if days is not None and days.unknown:
        raise _no_exchange(schedule, days)
    with store.writing() as transaction:
        _check_seen(transaction, bucket, seen)
        schedules.put(transaction, bucket, text, by)
        transaction.tell(ScheduleChanged("set", schedule.when, by), bucket)
    return schedule


def put_schedule(
    store: Store, bucket: str, schedule: Schedule, by: str = USER, *, seen: str | None = None
) -> Schedule:
    """As `put`, of a schedule that was put together of options or fields of a form."""
    return put(store, bucket, written(schedule), by, seen=seen)


def remove(store: Store, bucket: str, by: str = USER, *, seen: str | None = None) -> None:
    """Take a bucket's schedule away; its ticks stay. Raises NotStored where it has none.

    seen   as of `put`
    """
    with store.writing() as transaction:
        _check_seen(transaction, bucket, seen)
        schedules.remove(transaction, bucket)
        transaction.tell(ScheduleChanged("removed", "", by), bucket)


def mute(store: Store, bucket: str, until: datetime | None, by: str = USER) -> None:
    """Plan nothing and tell nobody of a bucket until a time with a zone; None = tell again.

    Raises NotStored where it has no schedule, InputError for a time that is over.
    """
    if until is not None:
        check_to_come(store, until)
    with store.writing() as transaction:
        schedules.of_bucket(transaction.connection, bucket)
        text = None if until is None else stamp(until)
        schedules.changed(transaction, bucket, muted_until=text)
        words = "" if until is None else message.moment(until)
        transaction.tell(ScheduleChanged("muted" if until else "heard", words, by), bucket)


def check_to_come(store: Store, until: datetime) -> None:
    """Raise InputError for a time that is over."""
    if until <= store.now():
        raise InputError(
            f"{message.moment(until)} is over. {NOTHING} Name a time that is still to come.",
            code="mute_is_over",
            place="--mute-until",
            value=until.isoformat(),
            hint="name a time that is still to come",
        )


def ticks(store: Store, bucket: str | None = None, most: int = 50) -> list[Tick]:
    """What came of the newest ticks, of a bucket or of all, newest first."""
    return schedules.ticks(store, bucket, most=most)


def channels(store: Store, variables: Mapping[str, str]) -> tuple[Way, ...]:
    """The channels that are set, without secrets; raises SettingsError for a file of no use."""
    home = home_of(variables)
    return ways(settings.load(home), home, variables, lambda: store.now().timestamp())


def try_channel(
    store: Store, variables: Mapping[str, str], name: str | None = None
) -> dict[str, SteelyardError | None]:
    """Send a test message by a channel, or by all: channel -> None, or why it did not go.

    Raises InputError where there is no such channel, or none at all.
    """
    every = channels(store, variables)
    chosen = [way for way in every if name in {None, way.name}]
    if not chosen:
        raise _no_channel(name, [way.name for way in every], home_of(variables))
    results: dict[str, SteelyardError | None] = {}
    for way in chosen:
        try:
            way.send(message.trial_message(store.now(), way.name))
            results[way.name] = None
        except SteelyardError as error:
            results[way.name] = error
    return results


def _check_seen(transaction: Transaction, bucket: str, seen: str | None) -> None:
    entry = schedules.find(transaction.connection, bucket)
    if seen is None or seen == ("" if entry is None else entry.sha256):
        return
    now = "has none" if entry is None else f"is another since {message.moment(entry.updated_at)}"
    raise ChangedMeanwhile(
        f"The schedule of {bucket} {now}: it was changed after this was shown. {NOTHING} Look at "
        "it, and change it then.",
        code="schedule_changed",
        place=bucket,
        hint="look again",
    )


def _over(schedule: Schedule) -> SettingsError:
    when = f"{schedule.on} {schedule.at:%H:%M} {schedule.zone}"
    return SettingsError(
        f"schedule.on: {when} is over. {NOTHING} Name a time that is still to come.",
        code="time_is_over",
        place="schedule.on",
        value=when,
        hint="name a time that is still to come",
    )


def _no_exchange(schedule: Schedule, days: Days) -> SettingsError:
    return SettingsError(
        f"schedule.exchange is {schedule.exchange!r}, whose sessions cannot be had: "
        f"{days.unknown}. {NOTHING} Exchanges are called like XNYS, XETR, XLON.",
        code="no_such_exchange",
        place="schedule.exchange",
        value=schedule.exchange,
        hint="XNYS, XETR, XLON, …",
    )


def _no_channel(name: str | None, names: list[str], home: Path) -> InputError:
    path = home / settings.FILE
    near = did_you_mean(name, names) if name is not None else ""
    what = "No channel is set" if name is None or not names else f"There is no channel {name}"
    there = f" There are: {', '.join(names)}." if names else ""
    return InputError(
        f"{what}.{near}{there} Nobody was told anything. Channels are tables of {path}: [smtp], "
        "[webhook], [apprise].",
        code="no_such_channel",
        place="CHANNEL",
        value=name,
        limit=", ".join(names),
        hint=near.strip() or f"write {path}",
    )
