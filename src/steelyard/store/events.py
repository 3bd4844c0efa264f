"""Events as they were committed, to be read again and followed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select

from steelyard.store.failures import row_of
from steelyard.store.schema import bucket, event
from steelyard.store.store import Store
from steelyard.telemetry.events import PlannerEvent


class Kept(NamedTuple):
    """An event and its place in the order of commits."""

    id: int
    event: PlannerEvent


def append(store: Store, events: Iterable[PlannerEvent]) -> None:
    """Write events in one transaction; raises StoreError."""
    with store.writing() as transaction:
        for entry in events:
            transaction.record(entry)


def since(
    store: Store,
    after: int = 0,
    *,
    bucket: str | None = None,
    event_type: str | None = None,
    newest: int | None = None,
    most: int | None = None,
) -> list[Kept]:
    """Events after a place, oldest first.

    bucket, event_type   only of that bucket, of that type
    newest, most         at most so many, the newest or the oldest
    """
    table = event.c
    query = select(event).where(table.id > after)
    if bucket is not None:
        query = query.where(table.bucket_id == bucket)
    if event_type is not None:
        query = query.where(table.event_type == event_type)
    ordered = query.order_by(table.id).limit(most)
    if newest is not None:
        ordered = query.order_by(table.id.desc()).limit(newest)
    with store.reading() as connection:
        rows = [_kept(*row) for row in connection.execute(ordered).all()]
    return rows if newest is None else rows[::-1]


def newest_of(store: Store, bucket: str, event_types: Iterable[str]) -> Kept | None:
    """The newest event of a bucket that is of one of these types."""
    table = event.c
    query = select(event).where(table.bucket_id == bucket, table.event_type.in_(list(event_types)))
    with store.reading() as connection:
        row = connection.execute(query.order_by(table.id.desc()).limit(1)).first()
    return None if row is None else _kept(*row)


def last(store: Store) -> int:
    """The place of the newest event, 0 without any."""
    with store.reading() as connection:
        return connection.scalar(select(func.max(event.c.id))) or 0


def types(store: Store) -> list[str]:
    """Every type of event that is there."""
    with store.reading() as connection:
        return sorted(connection.scalars(select(event.c.event_type).distinct()))


def buckets(store: Store) -> list[str]:
    """Every bucket that there is, and that events are of."""
    with store.reading() as connection:
        of_events = connection.scalars(select(event.c.bucket_id).distinct())
        names = {*of_events, *connection.scalars(select(bucket.c.name))}
    return sorted(names - {""})


@row_of("event")
def _kept(key: int, timestamp: str, bucket: str, event_type: str, data: str, run: str) -> Kept:
    at = datetime.fromisoformat(timestamp)
    return Kept(key, PlannerEvent(at, bucket, event_type, json.loads(data), run))
