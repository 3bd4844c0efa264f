"""Which strategy a bucket plans by: it follows a name, or is pinned to one version of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from steelyard.errors import InputError, NotStored, did_you_mean
from steelyard.store.failures import row_of
from steelyard.store.schema import assignment, bucket
from steelyard.store.store import Store, Transaction
from steelyard.store.strategies import (
    USER,
    Version,
    append_old,
    changed,
    followers_in,
    version_in,
)
from steelyard.telemetry.events import BucketCreated

CORE = "core"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A bucket's strategy; version: it is pinned to that one, None = it follows the name."""

    bucket: str
    name: str
    version: int | None
    assigned_at: datetime
    assigned_by: str

    @property
    def pinned(self) -> bool:
        """Does it stay when the strategy gets another version?"""
        return self.version is not None


def assign(
    store: Store, bucket_name: str, name: str, number: int | None = None, *, by: str = USER
) -> Version:
    """Let a bucket follow a name, or pin it to a version; what it plans by from now on.

    Raises NotStored for a bucket, a name or a version that is not there.
    """
    with store.writing() as transaction:
        return assign_in(transaction, bucket_name, name, number, by=by)


def assign_in(
    transaction: Transaction,
    bucket_name: str,
    name: str,
    number: int | None = None,
    *,
    by: str = USER,
) -> Version:
    """As `assign`, within a transaction."""
    connection = transaction.connection
    if bucket_name == CORE:
        ensure_core(transaction)
    check_bucket(connection, bucket_name)
    before = planned_by_in(connection, bucket_name)
    now = version_in(connection, name, number)
    values = {
        "name": name,
        "version": number,
        "assigned_at": transaction.stamp,
        "assigned_by": by,
    }
    at = assignment.c.bucket == bucket_name
    done = connection.execute(assignment.update().where(at).values(**values))
    if not done.rowcount:
        connection.execute(assignment.insert().values(bucket=bucket_name, **values))
    pinned = number is not None
    changed(transaction, bucket_name, before, now, pinned=pinned)
    return now


def rollback_bucket(
    store: Store, bucket_name: str, number: int, name: str, *, by: str = USER
) -> Version:
    """Append a version with the content of an old one, and plan the bucket by it.

    A bucket that is pinned is pinned to the new version; one that follows the name follows on.
    Raises NotStored for what is not there, InputError for a name that the bucket does not plan by.
    """
    with store.writing() as transaction:
        return rollback_bucket_in(transaction, bucket_name, number, name, by=by)


def rollback_bucket_in(
    transaction: Transaction, bucket_name: str, number: int, name: str, *, by: str = USER
) -> Version:
    """As `rollback_bucket`, within a transaction."""
    connection = transaction.connection
    check_bucket(connection, bucket_name)
    current = assigned_in(connection, bucket_name)
    if current is None or current.name != name:
        raise _other(bucket_name, name, current)
    new = append_old(transaction, name, number, by=by)
    if current.pinned:
        assign_in(transaction, bucket_name, name, new.version, by=by)
    return new


def assigned(store: Store, bucket_name: str) -> Assignment | None:
    """What a bucket is assigned to, None = nothing yet."""
    with store.reading() as connection:
        return assigned_in(connection, bucket_name)


def assigned_in(connection: Connection, bucket_name: str) -> Assignment | None:
    """As `assigned`, within a transaction."""
    query = select(assignment).where(assignment.c.bucket == bucket_name)
    row = connection.execute(query).first()
    if row is None:
        return None
    with row_of("assignment"):
        assigned_at = datetime.fromisoformat(row.assigned_at)
    return Assignment(
        bucket=row.bucket,
        name=row.name,
        version=row.version,
        assigned_at=assigned_at,
        assigned_by=row.assigned_by,
    )


def followers(store: Store, name: str) -> list[str]:
    """The buckets that follow a name."""
    with store.reading() as connection:
        return list(followers_in(connection, name))


def planned_by(store: Store, bucket_name: str) -> Version | None:
    """The version that a bucket plans by now; None = it has no strategy of its own."""
    with store.reading() as connection:
        return planned_by_in(connection, bucket_name)


def planned_by_in(connection: Connection, bucket_name: str) -> Version | None:
    """As `planned_by`, within a transaction."""
    current = assigned_in(connection, bucket_name)
    return None if current is None else version_in(connection, current.name, current.version)


def ensure_core(transaction: Transaction) -> None:
    """Make the core where there is none: every account has one."""
    query = select(bucket.c.name).where(bucket.c.name == CORE)
    if transaction.connection.scalar(query) is None:
        row = {"name": CORE, "kind": CORE, "status": "active", "target_weight": 1.0}
        insert = bucket.insert().values(**row, created_at=transaction.stamp)
        transaction.connection.execute(insert)
        transaction.tell(BucketCreated(CORE, "active", 1.0), CORE)


def check_bucket(connection: Connection, name: str) -> None:
    """Raise NotStored, with the nearest, for a bucket that is not there."""
    names = list(connection.scalars(select(bucket.c.name).order_by(bucket.c.name)))
    if name not in names:
        near = did_you_mean(name, names)
        mend = f"steelyard bucket create {name}"
        load = f"steelyard bucket load {name} --holdings F"
        raise NotStored(
            f"There is no bucket {name}.{near} To make one: {load if name == CORE else mend}",
            code="no_such_bucket",
            place="--bucket",
            value=name,
            limit=", ".join(names),
            hint=near.strip() or mend,
        )


def _other(bucket_name: str, name: str, current: Assignment | None) -> InputError:
    by = "no stored strategy" if current is None else current.name
    mend = f"Assign it first: steelyard strategy assign {name} --bucket {bucket_name}"
    return InputError(
        f"The bucket {bucket_name} plans by {by}, not by {name}. Nothing was rolled back. {mend}",
        code="rollback_of_another",
        place=bucket_name,
        value=name,
        limit=by,
        hint=mend,
    )
