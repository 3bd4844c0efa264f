"""A database that is open: transactions that read, and transactions that write.

On SQLite a write begins with BEGIN IMMEDIATE, on PostgreSQL with an advisory lock: one writes at a
time, and what it reads first is what it changes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import RLock

from sqlalchemy import Connection, Engine, text

from steelyard.errors import InternalError
from steelyard.store.failures import explained
from steelyard.store.schema import event
from steelyard.telemetry.events import Event, PlannerEvent
from steelyard.telemetry.recorder import as_kept

NOT_READ = "Nothing was read."
NOT_WRITTEN = "Nothing was written."
WRITERS_KEY = 0x57EE_17A6
"""Of the advisory lock that PostgreSQL's writers take in turn."""
WRITES = "steelyard_writes"
"""Execution option of connections that are about to write."""

ONE_STATE = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
"""Execution options of readers of PostgreSQL, where each query would see what is newest by then; in
SQLite a transaction reads one state anyway. Writers read what is newest once their turn has come.
"""


def now_utc() -> datetime:
    """The time of this machine's clock."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """A time as the tables have it: RFC 3339 in UTC to the microsecond, so that text sorts."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def json_text(value: object) -> str:
    """JSON as the tables have it."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True)


@dataclass
class Transaction:
    """A transaction that writes, and what is told of it once it is in the database.

    alone   does no other one write before it ends? Events are written in turn: only then may it
            tell any
    """

    connection: Connection
    at: datetime
    correlation_id: str
    alone: bool = True
    events: list[PlannerEvent] = field(default_factory=list)

    @property
    def stamp(self) -> str:
        """When it writes."""
        return stamp(self.at)

    def tell(self, happened: Event, bucket_id: str = "") -> None:
        """Write an event into the same transaction."""
        self.record(as_kept(happened, self.at, bucket_id, self.correlation_id))

    def record(self, entry: PlannerEvent) -> None:
        """Write an event that has its time."""
        if not self.alone:
            raise InternalError(
                "An event was to be written beside other writers, who may commit before it. "
                "Nothing was written. Please report this.",
                code="event_out_of_turn",
            )
        self.connection.execute(event.insert().values(**_row(entry)))
        self.events.append(entry)


@dataclass(frozen=True)
class Store:
    """An open database; `close` it, or leave that to the end of the process.

    place            the file, or the URL without its password
    now              the clock
    heard            told every event once it is in the database
    correlation_id   of what this process does
    turn             of this process's threads: SQLite lets whoever looks first write, so that some
                     of fifty would wait in vain
    """

    engine: Engine
    place: str
    now: Callable[[], datetime] = now_utc
    heard: Callable[[PlannerEvent], None] = lambda _: None
    correlation_id: str = ""
    turn: AbstractContextManager[object] = field(default_factory=RLock, repr=False, compare=False)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that reads one state of the database; raises StoreError."""
        with explained(self.place, NOT_READ), self.engine.connect() as raw:
            options = ONE_STATE if raw.dialect.name == "postgresql" else {}
            connection = raw.execution_options(**options)
            with connection.begin():
                yield connection

    @contextmanager
    def writing(self, *, alone: bool = True) -> Iterator[Transaction]:
        """A transaction: all of it is written, or nothing; raises StoreError.

        alone   wait for every other writer; else, where the database can, only for those of the
                same rows, and nothing is told
        """
        with self.turn, explained(self.place, NOT_WRITTEN), self.engine.connect() as raw:
            connection = raw.execution_options(**{WRITES: True})
            with connection.begin():
                if connection.dialect.name == "postgresql":
                    in_turn(connection, alone=alone)
                transaction = Transaction(connection, self.now(), self.correlation_id, alone)
                yield transaction
        for entry in transaction.events:
            self.heard(entry)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def in_turn(connection: Connection, *, alone: bool = True) -> None:
    """Wait for the other writers of a PostgreSQL database, as long as SQLite would.

    alone   for all of them; else only for those of the same rows
    """
    connection.execute(text("SET LOCAL lock_timeout = '10s'"))
    if alone:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": WRITERS_KEY})


def _row(entry: PlannerEvent) -> Mapping[str, str]:
    return {
        "timestamp": stamp(entry.timestamp),
        "bucket_id": entry.bucket_id,
        "event_type": entry.event_type,
        # in the order of the event's fields
        "data": json.dumps(dict(entry.data), ensure_ascii=False, allow_nan=False),
        "correlation_id": entry.correlation_id,
    }
