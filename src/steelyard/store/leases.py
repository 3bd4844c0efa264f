"""Rows of work that processes take in turn: claimed for a time, finished once, free again when who
claimed one is gone.

A table of work has a primary key, `state` (free, claimed, done), `lease_until` and `holder`; with
`finish` also `digest`. A row is the work of whoever claimed it until `lease_until`; after that
anybody may claim it. Every function works in the caller's transaction, so that what was calculated
and the claim of what comes next are one commit:

    with store.writing(alone=False) as transaction:
        finish(transaction, fleet_slice, lease, digest, body=body)
        leases = claim(transaction, fleet_slice, me, seconds, fleet_slice.c.run_id == run)

On SQLite a transaction that writes is alone (BEGIN IMMEDIATE); on PostgreSQL two may claim at once,
and neither waits: rows that the other one is claiming are skipped (FOR UPDATE SKIP LOCKED).
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, RowMapping, Table, and_, or_, select, true, tuple_, update

from steelyard.errors import InternalError
from steelyard.store.store import Transaction, stamp

FREE, CLAIMED, DONE = "free", "claimed", "done"

Outcome = Literal["finished", "again", "lost"]
"""Of finishing: done by this call; done before with the same result; somebody else's by now."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A row that `holder` may work at.

    key      column -> value of the primary key
    until    when anybody may claim it
    values   the whole row as it was when it was claimed
    """

    key: Mapping[str, Any]
    holder: str
    until: datetime
    values: Mapping[str, Any]


def new_holder() -> str:
    """A name that no other process, thread or machine has."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"


def claim(
    transaction: Transaction,
    table: Table,
    holder: str,
    seconds: float,
    where: ColumnElement[bool] | None = None,
    most: int = 1,
) -> list[Lease]:
    """The next rows, by primary key, that are free or whose lease is over; at most so many.

    where   of which rows; None = all
    """
    query = (
        select(table)
        .where(_claimable(transaction, table), true() if where is None else where)
        .order_by(*table.primary_key.columns)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    rows = transaction.connection.execute(query).mappings().all()
    until = transaction.at + timedelta(seconds=seconds)
    leases = [_lease(table, row, holder, until) for row in rows]
    if leases:
        _set(transaction, table, leases, state=CLAIMED, holder=holder, lease_until=stamp(until))
    return leases


def add(
    transaction: Transaction, table: Table, holder: str, seconds: float, values: Mapping[str, Any]
) -> Lease:
    """A new row that is claimed as it is written; values: of its other columns."""
    until = transaction.at + timedelta(seconds=seconds)
    row = {**values, "state": CLAIMED, "holder": holder, "lease_until": stamp(until)}
    transaction.connection.execute(table.insert().values(**row))
    key = {column.name: row[column.name] for column in table.primary_key.columns}
    return Lease(key, holder, until, row)


def extend(
    transaction: Transaction, table: Table, leases: Sequence[Lease], seconds: float
) -> list[Lease]:
    """The leases that are still their holder's, from now on for so long; the others are lost."""
    until = transaction.at + timedelta(seconds=seconds)
    still = [lease for lease in leases if _update(transaction, table, lease, until)]
    return [replace(lease, until=until) for lease in still]


def finish(
    transaction: Transaction, table: Table, lease: Lease, digest: str, **values: Any
) -> Outcome:
    """Write what a row's work came to, once.

    Only its holder finishes a row, also late, as long as nobody else claimed it. Where another one
    did: `again` if it is done with the same digest, `lost` if it is being worked at; then nothing
    is written. Raises InternalError where it is done with another digest.
    """
    mine = _mine(table, lease)
    changed = (
        update(table).where(mine).values(state=DONE, lease_until=None, digest=digest, **values)
    )
    if transaction.connection.execute(changed).rowcount:
        return "finished"
    before = select(table.c.state, table.c.digest).where(_key(table, lease))
    row = transaction.connection.execute(before).first()
    if row is None or row.state != DONE:
        return "lost"
    if row.digest != digest:
        name = ", ".join(f"{column} {value}" for column, value in lease.key.items())
        raise InternalError(
            f"The row {name} of {table.name} was calculated twice with different results: "
            f"{str(row.digest)[:12]} is stored, {digest[:12]} was to be. Nothing was written. "
            "Please report this.",
            code="results_differ",
            place=table.name,
            value=digest,
            limit=row.digest,
        )
    return "again"


def release(transaction: Transaction, table: Table, leases: Sequence[Lease]) -> int:
    """Leave rows for others at once; how many were still this holder's."""
    return sum(
        transaction.connection.execute(
            update(table)
            .where(_mine(table, lease))
            .values(state=FREE, holder=None, lease_until=None)
        ).rowcount
        for lease in leases
    )


def _claimable(transaction: Transaction, table: Table) -> ColumnElement[bool]:
    over = and_(table.c.state == CLAIMED, table.c.lease_until <= transaction.stamp)
    return or_(table.c.state == FREE, over)


def _lease(table: Table, row: RowMapping, holder: str, until: datetime) -> Lease:
    values = dict(row)
    key = {column.name: values[column.name] for column in table.primary_key.columns}
    return Lease(key, holder, until, values)


def _set(transaction: Transaction, table: Table, leases: Sequence[Lease], **values: Any) -> None:
    columns = list(table.primary_key.columns)
    keys = [tuple(lease.key[column.name] for column in columns) for lease in leases]
    chosen = tuple_(*columns).in_(keys)
    transaction.connection.execute(update(table).where(chosen).values(**values))


def _update(transaction: Transaction, table: Table, lease: Lease, until: datetime) -> bool:
    longer = update(table).where(_mine(table, lease)).values(lease_until=stamp(until))
    return transaction.connection.execute(longer).rowcount > 0


def _key(table: Table, lease: Lease) -> ColumnElement[bool]:
    return and_(*(table.c[name] == value for name, value in lease.key.items()))


def _mine(table: Table, lease: Lease) -> ColumnElement[bool]:
    still = and_(table.c.state == CLAIMED, table.c.holder == lease.holder)
    return and_(_key(table, lease), still)
