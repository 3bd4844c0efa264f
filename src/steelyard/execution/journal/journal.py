"""The journal: what execution did and is about to do, on disk before it is done.

One SQLite file with one writer. Every change is one transaction with the event that tells of it, in
a keyed chain. Once a write has failed nothing more is written by this object, so nothing more can
be sent: whether the last change is on the disk is looked up by a new process.

    with journal.writing(lease) as change:
        change.execute("UPDATE …")
        change.tell(event, run_id, bucket)
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from steelyard.errors import JournalFailed, NotExecuted, StoreError
from steelyard.execution.journal import chain
from steelyard.execution.journal.schema import TABLES, VERSION
from steelyard.telemetry.events import Event, PlannerEvent
from steelyard.telemetry.recorder import as_kept

NOTHING_SENT = "Nothing further was sent."
LOCKED = "is locked"
"""What SQLite says of a file that another process writes for longer than it waits."""
PAGE = 5_000
EVENT_COLUMNS = "seq, ts_utc, mono_ns, boot_id, run_id, kind, body, prev, hash"


class Cursor(Protocol):
    """What of a cursor of the DB-API is used."""

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...

    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """What of a connection of the DB-API is used; transactions are written out."""

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> Cursor: ...

    def close(self) -> None: ...


class Moment(NamedTuple):
    """Now: by the calendar, and by a clock of this boot that never goes back."""

    utc: datetime
    mono_ns: int
    boot_id: str


class Lease(NamedTuple):
    """The right to trade an account, until a later one has it: see `opening.leased`.

    crashed   did its last holder go without letting go of it
    """

    account: str
    fence: int
    crashed: bool = False


class Journal:
    """An open journal.

    connect   opens a connection without transactions of its own; called once
    key       of the chain, see `chain.key_of`
    now       tells the moment
    place     how messages call it
    heard     told every event once it is on disk
    probe     called before and after every write, with its name: for tests that kill here
    errors    what the driver raises
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        key: bytes,
        *,
        now: Callable[[], Moment],
        place: str = "the journal",
        heard: Callable[[PlannerEvent], None] = lambda _: None,
        probe: Callable[[str], None] = lambda _: None,
        errors: tuple[type[Exception], ...] = (sqlite3.Error, OSError),
    ) -> None:
        self.key, self.now, self.place = key, now, place
        self.heard, self.probe, self._errors = heard, probe, errors
        self._failed = False
        with self._explained("It was not opened."):
            self.connection = connect()
            self._prepare()

    def close(self) -> None:
        """Close the file; what was committed stays."""
        self.connection.close()

    @contextmanager
    def writing(self, lease: Lease | None = None) -> Iterator[Change]:
        """One transaction, whole or not at all.

        lease   with it, only while it is the account's newest
        Raises JournalFailed, and NotExecuted for a lease that another process has taken over.
        """
        if self._failed:
            raise self._failure("a write before has failed", "It was not written to again.")
        change = Change(self)
        self.probe("before write")
        with self._explained("Nothing was written."):
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                self._fenced(lease)
                yield change
                self.connection.execute("COMMIT")
            except BaseException:
                with suppress(*self._errors):
                    self.connection.execute("ROLLBACK")
                raise
        self.probe("after write")
        for event in change.events:
            self.heard(event)

    @contextmanager
    def reading(self) -> Iterator[Change]:
        """One state of the journal, in which nothing may be written."""
        with self._explained("Nothing was read.", fatal=False):
            self.connection.execute("BEGIN")
            try:
                yield Change(self)
            finally:
                with suppress(*self._errors):
                    self.connection.execute("ROLLBACK")

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """Rows of a query; raises JournalFailed."""
        with self._explained("Nothing was read.", fatal=False):
            return self.connection.execute(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """The first row of a query, or None."""
        with self._explained("Nothing was read.", fatal=False):
            return self.connection.execute(sql, parameters).fetchone()

    def verify(self, head: str = "") -> str:
        """The head of the event chain, in hex; raises ChainBroken, see `chain.verify`."""
        return chain.verify(self.key, self._pages(), head).hex()

    def _pages(self) -> Iterator[chain.Row]:
        """Every event; in pages, so that reading never holds up a process that writes."""
        query = f"SELECT {EVENT_COLUMNS} FROM event WHERE seq >= ? ORDER BY seq LIMIT {PAGE}"
        page = self.rows(query, (-(2**63),))  # one before the first is no event of ours
        while page:
            yield from (chain.Row(*row) for row in page)
            page = self.rows(query, (page[-1][0] + 1,))

    def head(self) -> str:
        """The head as it is, in hex, unverified."""
        return self._last()[1].hex()

    def whole(self) -> None:
        """Look at the file itself; raises JournalFailed for a damaged one."""
        for pragma in ("integrity_check", "foreign_key_check"):
            rows = self.rows(f"PRAGMA {pragma}")
            if rows and rows != [("ok",)]:
                raise self._failure(f"{pragma} says {rows[0]}", "Nothing was done with it.")

    def events(self, after: int = 0, most: int | None = None) -> list[tuple[int, PlannerEvent]]:
        """(seq, event) of the chain after a place, oldest first; at most so many."""
        query = "SELECT seq, ts_utc, kind, body FROM event WHERE seq > ? ORDER BY seq LIMIT ?"
        limit = -1 if most is None else most
        return [(row[0], _event(*row[1:])) for row in self.rows(query, (after, limit))]

    def _last(self) -> tuple[int, bytes]:
        row = self.connection.execute(
            "SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        return (0, chain.FIRST) if row is None else (row[0], bytes(row[1]))

    def _prepare(self) -> None:
        version = self.connection.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise JournalFailed(
                f"{self.place} is of a later version of Steelyard: form {version}, this one knows "
                f"up to {VERSION}. Nothing was read and nothing was sent. Update Steelyard.",
                code="journal_newer",
                place=self.place,
                value=version,
                limit=VERSION,
                hint="update Steelyard",
            )
        if version == VERSION:
            return
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            if self.connection.execute("PRAGMA user_version").fetchone()[0] == 0:
                for table in TABLES:
                    self.connection.execute(table)
                self.connection.execute(f"PRAGMA user_version = {VERSION}")
            self.connection.execute("COMMIT")
        except BaseException:
            with suppress(*self._errors):
                self.connection.execute("ROLLBACK")
            raise

    def _fenced(self, lease: Lease | None) -> None:
        if lease is None:
            return
        row = self.connection.execute(
            "SELECT fence FROM lease WHERE account = ?", (lease.account,)
        ).fetchone()
        if row is None or row[0] != lease.fence:
            raise NotExecuted(
                f"Another process trades the account {lease.account} by now. {NOTHING_SENT} See: "
                "steelyard runs",
                code="fenced_off",
                place=lease.account,
                value=lease.fence,
                limit=None if row is None else row[0],
                hint="steelyard runs",
            )

    @contextmanager
    def _explained(self, nothing: str, *, fatal: bool = True) -> Iterator[None]:
        try:
            yield
        except StoreError:
            raise
        except self._errors as error:
            self._failed = self._failed or fatal
            raise self._failure(f"{type(error).__name__}: {error}", nothing) from error

    def _failure(self, reason: str, nothing: str) -> JournalFailed:
        mend = "Mend the disk, then"
        if LOCKED in reason:
            mend = "Another process has it open: once that is done"
        return JournalFailed(
            f"{self.place} failed: {reason}. {nothing} {NOTHING_SENT} {mend}: steelyard resume",
            place=self.place,
            value=reason,
            hint="steelyard resume",
        )


class Change:
    """What one transaction does."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.events: list[PlannerEvent] = []
        self.moment = journal.now()

    @property
    def stamp(self) -> str:
        """Its time, as the tables have it."""
        return self.moment.utc.isoformat()

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Cursor:
        """A statement of the transaction."""
        return self.journal.connection.execute(sql, parameters)

    def tell(self, event: Event, run_id: str, bucket: str) -> None:
        """Add an event to the chain."""
        entry = as_kept(event, self.moment.utc, bucket, run_id)
        body = chain.body_of(bucket, run_id, entry.data)
        number, before = self.journal._last()  # noqa: SLF001 - one class in two
        parts = (
            number + 1,
            self.stamp,
            self.moment.mono_ns,
            self.moment.boot_id,
            run_id,
            entry.event_type,
            body,
        )
        mark = chain.link(self.journal.key, before, parts)
        self.execute(
            f"INSERT INTO event({EVENT_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?)", (*parts, before, mark)
        )
        self.events.append(entry)


def _event(stamp: str, kind: str, body: str) -> PlannerEvent:
    content: Mapping[str, Any] = json.loads(body)
    return PlannerEvent(
        datetime.fromisoformat(stamp),
        content["bucket_id"],
        kind,
        content["data"],
        content["correlation_id"],
    )
