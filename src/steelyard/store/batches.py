"""Plans made in slices: a run under its key, its slices, and which process is at a bucket.

A slice is a range of one part of a run's work. Ranges are claimed from where nobody is yet, of any
length, so that work begun in steps of 100 can be finished in steps of 5; they never overlap.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from steelyard.errors import NotStored
from steelyard.store.failures import row_of
from steelyard.store.leases import DONE, Lease, add, claim
from steelyard.store.schema import bucket_hold, run, run_slice
from steelyard.store.store import Store, Transaction, json_text

KEPT_RUNS = 5
"""Of a bucket: the newest, for audit."""
SEQUENCES, COMPARED, NODES = "sequences", "compared", "nodes"
"""How the names of parts begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run as it stands; see the table `run`.

    parts    what its key is the hash of, each by its name
    final    is the plan made of all of it?
    """

    id: int
    run_key: str
    bucket: str
    parts: Mapping[str, str]
    created_at: datetime
    touched_at: datetime
    evaluated: int
    total: int | None
    errors: int
    plan_id: str | None
    final: bool
    because: str


@dataclass(frozen=True, slots=True)
class Slice:
    """A range of a part, as it is stored; digest and body of one that is done."""

    start: int
    stop: int
    state: str
    digest: str
    body: bytes


def begin(transaction: Transaction, key: str, bucket: str, parts: Mapping[str, str]) -> Run:
    """The run of a key, made where there is none; the bucket's oldest ones are forgotten then."""
    found = find(transaction.connection, key)
    if found is None:
        at = transaction.stamp
        row = {"run_key": key, "bucket": bucket, "parts": json_text(dict(parts)), "final": 0}
        transaction.connection.execute(insert(run).values(created_at=at, touched_at=at, **row))
        _forget(transaction, bucket)
    return of_key(transaction.connection, key)


def of_key(connection: Connection, key: str) -> Run:
    """The run of a key; raises NotStored."""
    entry = find(connection, key)
    if entry is None:
        raise NotStored(
            f"No run {key} is stored. To see them: steelyard batch --list",
            code="no_such_run",
            place="run_key",
            value=key,
            hint="steelyard batch --list",
        )
    return entry


def find(connection: Connection, key: str) -> Run | None:
    """The run of a key; None where there is none."""
    row = connection.execute(select(run).where(run.c.run_key == key)).mappings().first()
    return None if row is None else _run(row)


def listed(store: Store, bucket: str | None = None) -> list[Run]:
    """The runs, of a bucket or all, last touched first."""
    with store.reading() as connection:
        return of_bucket(connection, bucket)


def of_bucket(connection: Connection, bucket: str | None) -> list[Run]:
    """As `listed`, within a transaction."""
    query = select(run).order_by(run.c.touched_at.desc(), run.c.id.desc())
    if bucket is not None:
        query = query.where(run.c.bucket == bucket)
    return [_run(row) for row in connection.execute(query).mappings().all()]


def slices(connection: Connection, run_id: int, part: str) -> list[Slice]:
    """Every range of a part that somebody has begun, in order."""
    mine = (run_slice.c.run_id == run_id) & (run_slice.c.part == part)
    query = select(run_slice).where(mine).order_by(run_slice.c.start)
    return [_slice(row) for row in connection.execute(query).mappings().all()]


def parts(connection: Connection, run_id: int, beginning: str) -> list[tuple[str, bytes]]:
    """(part, body) of what is done, of every part whose name begins so."""
    mine = (run_slice.c.run_id == run_id) & (run_slice.c.state == DONE)
    query = select(run_slice.c.part, run_slice.c.body).where(
        mine, run_slice.c.part.startswith(beginning, autoescape=True)
    )
    return [(row.part, bytes(row.body or b"")) for row in connection.execute(query).all()]


@dataclass(frozen=True, slots=True)
class Wish:
    """The range of a part that somebody wants to calculate."""

    run_id: int
    part: str
    start: int
    stop: int


def take(transaction: Transaction, wish: Wish, holder: str, seconds: float) -> Lease | Slice:
    """Claim from `start` on, at most to `stop`; or what is there already, done or another's."""
    _in_turn(transaction, wish.run_id)
    query = (
        select(run_slice)
        .where(run_slice.c.run_id == wish.run_id, run_slice.c.part == wish.part)
        .where(run_slice.c.start < wish.stop, run_slice.c.stop > wish.start)
        .order_by(run_slice.c.start)
        .limit(1)
    )
    row = transaction.connection.execute(query).mappings().first()
    if row is not None and row["start"] <= wish.start:
        leases = claim(transaction, run_slice, holder, seconds, _is(row), most=1)
        return leases[0] if leases else _slice(row)
    stop = wish.stop if row is None else int(row["start"])
    values = {
        "run_id": wish.run_id,
        "slice": _next_slice(transaction, wish.run_id),
        "part": wish.part,
        "start": wish.start,
        "stop": stop,
    }
    return add(transaction, run_slice, holder, seconds, values)


def note(transaction: Transaction, run_id: int, part: str, done: Slice) -> None:
    """Write what was calculated without a claim, once; a later one of the same is passed over."""
    _in_turn(transaction, run_id)
    there = (run_slice.c.run_id == run_id) & (run_slice.c.part == part)
    there &= run_slice.c.start == done.start
    if transaction.connection.scalar(select(run_slice.c.slice).where(there)) is None:
        values = {"run_id": run_id, "part": part, "start": done.start, "stop": done.stop}
        number = _next_slice(transaction, run_id)
        more = {"digest": done.digest, "body": done.body, "finished_at": transaction.stamp}
        row = {**values, **more, "slice": number, "state": DONE}
        transaction.connection.execute(insert(run_slice).values(**row))


def forget(transaction: Transaction, run_id: int, part: str) -> None:
    """Drop what is stored of a part that a newer one takes the place of."""
    mine = (run_slice.c.run_id == run_id) & (run_slice.c.part == part)
    transaction.connection.execute(delete(run_slice).where(mine))


def counted(transaction: Transaction, run_id: int, sequences: int) -> None:
    """Add to what is evaluated."""
    more = {"evaluated": run.c.evaluated + sequences, "touched_at": transaction.stamp}
    transaction.connection.execute(update(run).where(run.c.id == run_id).values(**more))


def changed(transaction: Transaction, run_id: int, **values: Any) -> None:
    """Set columns of a run."""
    touched = update(run).where(run.c.id == run_id)
    transaction.connection.execute(touched.values(touched_at=transaction.stamp, **values))


def hold(transaction: Transaction, bucket: str, holder: str, seconds: float) -> Lease | None:
    """Claim a bucket for one process; None where another one is at it."""
    mine = bucket_hold.c.bucket == bucket
    if transaction.connection.scalar(select(bucket_hold.c.bucket).where(mine)) is None:
        return add(transaction, bucket_hold, holder, seconds, {"bucket": bucket})
    return next(iter(claim(transaction, bucket_hold, holder, seconds, mine)), None)


def _in_turn(transaction: Transaction, run_id: int) -> None:
    """One process at a time numbers slices of a run, on every database."""
    lock = select(run.c.id).where(run.c.id == run_id).with_for_update()
    transaction.connection.execute(lock)


def _next_slice(transaction: Transaction, run_id: int) -> int:
    last = select(func.max(run_slice.c.slice)).where(run_slice.c.run_id == run_id)
    number = transaction.connection.scalar(last)
    return 0 if number is None else number + 1


def _is(row: RowMapping) -> Any:
    return (run_slice.c.run_id == row["run_id"]) & (run_slice.c.slice == row["slice"])


def _forget(transaction: Transaction, bucket: str) -> None:
    """All but the newest runs of a bucket; their slices go with them."""
    old = [entry.id for entry in of_bucket(transaction.connection, bucket)[KEPT_RUNS:]]
    if old:
        transaction.connection.execute(delete(run).where(run.c.id.in_(old)))


@row_of("run_slice")
def _slice(row: RowMapping) -> Slice:
    body = bytes(row["body"] or b"")
    return Slice(int(row["start"]), int(row["stop"]), row["state"], row["digest"] or "", body)


@row_of("run")
def _run(row: RowMapping) -> Run:
    values = dict(row)
    times = ("created_at", "touched_at")
    moments = {name: datetime.fromisoformat(values[name]) for name in times}
    parts = json.loads(values["parts"])
    return Run(**{**values, **moments, "parts": parts, "final": bool(values["final"])})
