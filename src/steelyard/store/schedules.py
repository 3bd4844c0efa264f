"""When buckets are planned by themselves, what came of each tick, and which process looks.

A schedule is the text that its owner wrote. A tick is written in the transaction that says how far
its bucket was seen to, so that it is there once, whatever is killed; who was told of it is written
into it afterwards.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from steelyard.errors import NotStored
from steelyard.store.assignments import check_bucket
from steelyard.store.failures import row_of
from steelyard.store.leases import Lease, add, claim, release
from steelyard.store.schema import schedule, scheduler, tick
from steelyard.store.store import Store, Transaction, json_text, stamp

MOST_TICKS = 500
"""Of a bucket: the newest."""
THE_ONLY = "watch"
"""Name of the row of the scheduler."""
Reason = Literal["calendar", "one-time", "missed", "band"]
Outcome = Literal["planned", "refused", "quiet", "muted"]
State = Literal["waiting", "told", "failed"]


@dataclass(frozen=True, slots=True)
class Breach:
    """A weight that was outside its band; fractions of value.

    kind   symbol, class or cash
    """

    kind: str
    name: str
    weight: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came of telling a channel.

    state   waiting, told, or failed: given up after so many tries
    error   of the last try that failed
    """

    state: State = "waiting"
    tries: int = 0
    at: datetime | None = None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """The schedule of a bucket as it is stored; see the table `schedule`.

    muted_until   None = it is not muted
    band_day      a day as ISO text; "" = its bands were never looked at
    """

    bucket: str
    toml: str
    sha256: str
    updated_at: datetime
    updated_by: str
    muted_until: datetime | None
    looked_until: datetime
    band_inputs: str
    band_day: str
    band_breaches: tuple[Breach, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """What came of a time at which a bucket was due; see the table `tick`.

    id       0 = not stored yet
    due_at   None of a look at bands
    detail   the error of a refused plan; else why it is as it is, or nothing
    """

    id: int = 0
    bucket: str
    due_at: datetime | None
    at: datetime
    reason: Reason
    outcome: Outcome
    plan_id: str | None = None
    missed: int = 0
    missed_since: datetime | None = None
    detail: str = ""
    breaches: tuple[Breach, ...] = ()
    deliveries: Mapping[str, Delivery] = field(default_factory=dict)

    @property
    def waiting(self) -> bool:
        """Is a channel still to be told?"""
        return any(entry.state == "waiting" for entry in self.deliveries.values())


def put(transaction: Transaction, bucket: str, toml: str, by: str) -> None:
    """Write the schedule of a bucket, from now on; one of the same text stays as it is.

    Raises NotStored where there is no such bucket.
    """
    check_bucket(transaction.connection, bucket)
    before = find(transaction.connection, bucket)
    if before is not None and before.toml == toml:
        return
    now = transaction.stamp
    digest = hashlib.sha256(toml.encode()).hexdigest()
    values = {"toml": toml, "sha256": digest, "updated_at": now, "updated_by": by}
    values |= {"looked_until": now, "band_inputs": "", "band_day": "", "band_breaches": "[]"}
    if before is None:
        transaction.connection.execute(insert(schedule).values(bucket=bucket, **values))
    else:
        changed(transaction, bucket, **values)


def remove(transaction: Transaction, bucket: str) -> None:
    """A bucket without a schedule; its ticks stay. Raises NotStored where it has none."""
    of_bucket(transaction.connection, bucket)
    transaction.connection.execute(delete(schedule).where(schedule.c.bucket == bucket))


def changed(transaction: Transaction, bucket: str, **values: Any) -> None:
    """Set columns of a schedule; times as `stamp` writes them."""
    row = update(schedule).where(schedule.c.bucket == bucket).values(**values)
    transaction.connection.execute(row)


def find(connection: Connection, bucket: str) -> Scheduled | None:
    """The schedule of a bucket; None where it has none."""
    query = select(schedule).where(schedule.c.bucket == bucket)
    row = connection.execute(query).mappings().first()
    return None if row is None else _scheduled(row)


def of_bucket(connection: Connection, bucket: str) -> Scheduled:
    """The schedule of a bucket; raises NotStored where there is none, or no such bucket."""
    entry = find(connection, bucket)
    if entry is None:
        check_bucket(connection, bucket)
        mend = f"steelyard watch set {bucket} --every month-end"
        raise NotStored(
            f"The bucket {bucket} has no schedule. Nothing was changed. To give it one: {mend}",
            code="no_schedule",
            place="bucket",
            value=bucket,
            hint=mend,
        )
    return entry


def listed(store: Store) -> list[Scheduled]:
    """Every schedule, by bucket."""
    with store.reading() as connection:
        query = select(schedule).order_by(schedule.c.bucket)
        return [_scheduled(row) for row in connection.execute(query).mappings()]


def add_tick(transaction: Transaction, entry: Tick) -> int:
    """Write what came of a tick; its id. The bucket's oldest ones are forgotten then."""
    values = {
        **_columns(entry),
        "bucket": entry.bucket,
        "due_at": None if entry.due_at is None else stamp(entry.due_at),
        "at": stamp(entry.at),
        "missed_since": None if entry.missed_since is None else stamp(entry.missed_since),
        "breaches": breaches_text(entry.breaches),
    }
    for name in ("reason", "outcome", "plan_id", "missed", "detail"):
        values[name] = getattr(entry, name)
    connection = transaction.connection
    (number,) = connection.execute(insert(tick).values(**values)).inserted_primary_key or (0,)
    _forget(connection, entry.bucket)
    return int(number)


def delivered(transaction: Transaction, entry: Tick) -> None:
    """Write who was told of a tick."""
    row = update(tick).where(tick.c.id == entry.id).values(**_columns(entry))
    transaction.connection.execute(row)


def _columns(entry: Tick) -> dict[str, Any]:
    texts = {
        name: {**asdict(each), "at": None if each.at is None else stamp(each.at)}
        for name, each in entry.deliveries.items()
    }
    return {"deliveries": json_text(texts), "waiting": int(entry.waiting)}


def breaches_text(breaches: Sequence[Breach]) -> str:
    """Breaches as the tables have them."""
    return json_text([asdict(each) for each in breaches])


def ticks(
    store: Store, bucket: str | None = None, *, most: int = 50, waiting: bool = False
) -> list[Tick]:
    """The newest ticks, of a bucket or of all, newest first; waiting: those still to be told."""
    query = select(tick).order_by(tick.c.id.desc()).limit(most)
    if bucket is not None:
        query = query.where(tick.c.bucket == bucket)
    if waiting:
        query = query.where(tick.c.waiting == 1)
    with store.reading() as connection:
        return [_tick(row) for row in connection.execute(query).mappings()]


def last_ticks(store: Store) -> dict[str, Tick]:
    """Bucket -> its newest tick."""
    newest = select(func.max(tick.c.id)).group_by(tick.c.bucket)
    with store.reading() as connection:
        rows = connection.execute(select(tick).where(tick.c.id.in_(newest))).mappings().all()
    return {row["bucket"]: _tick(row) for row in rows}


def hold(transaction: Transaction, holder: str, seconds: float) -> Lease | None:
    """Claim the look for one process; None where another one has it."""
    here = scheduler.c.name == THE_ONLY
    if transaction.connection.scalar(select(scheduler.c.name).where(here)) is None:
        return add(transaction, scheduler, holder, seconds, {"name": THE_ONLY})
    return next(iter(claim(transaction, scheduler, holder, seconds, here)), None)


def holder(store: Store) -> tuple[str, datetime] | None:
    """(who looks, until when its lease is); None where nobody does."""
    query = select(scheduler.c.holder, scheduler.c.lease_until).where(
        scheduler.c.state == "claimed"
    )
    with store.reading() as connection:
        row = connection.execute(query).first()
    if row is None or row.lease_until <= stamp(store.now()):
        return None
    return str(row.holder), datetime.fromisoformat(row.lease_until)


def let_go(transaction: Transaction, lease: Lease) -> None:
    """Leave the look to others at once, and when that was."""
    if release(transaction, scheduler, [lease]):
        transaction.connection.execute(
            update(scheduler)
            .where(scheduler.c.name == THE_ONLY, scheduler.c.state == "free")
            .values(lease_until=transaction.stamp)
        )


def last_look(store: Store) -> datetime | None:
    """When the newest look ended that is over, of a process that was killed at the latest; None =
    never, or somebody looks.
    """
    query = select(scheduler.c.state, scheduler.c.lease_until)
    with store.reading() as connection:
        row = connection.execute(query).first()
    if row is None or row.lease_until is None or row.lease_until > stamp(store.now()):
        return None
    return datetime.fromisoformat(row.lease_until)


def _forget(connection: Connection, bucket: str) -> None:
    """All but the newest ticks of a bucket."""
    ids = select(tick.c.id).where(tick.c.bucket == bucket).order_by(tick.c.id.desc())
    last = connection.scalar(ids.offset(MOST_TICKS).limit(1))
    if last is not None:
        connection.execute(delete(tick).where(tick.c.bucket == bucket, tick.c.id <= last))


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _breaches(text: str) -> tuple[Breach, ...]:
    return tuple(Breach(**entry) for entry in json.loads(text))


@row_of("schedule")
def _scheduled(row: RowMapping) -> Scheduled:
    values = dict(row)
    for name in ("updated_at", "looked_until"):
        values[name] = datetime.fromisoformat(values[name])
    values["muted_until"] = _moment(values["muted_until"])
    values["band_breaches"] = _breaches(values["band_breaches"])
    return Scheduled(**values)


@row_of("tick")
def _tick(row: RowMapping) -> Tick:
    values = dict(row)
    del values["waiting"]
    for name in ("due_at", "at", "missed_since"):
        values[name] = _moment(values[name])
    values["breaches"] = _breaches(values["breaches"])
    values["deliveries"] = {
        name: _delivery(entry) for name, entry in json.loads(values["deliveries"]).items()
    }
    return Tick(**values)


def _delivery(entry: Mapping[str, Any]) -> Delivery:
    state = entry["state"]
    if state not in get_args(State):
        raise ValueError(f"{state!r} is no state of a delivery")
    return Delivery(state, int(entry["tries"]), _moment(entry["at"]), str(entry["error"]))
