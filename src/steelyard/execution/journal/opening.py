"""The journal's file, its lock and its key, as the command line opens them."""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from steelyard.errors import InternalError, JournalFailed, NotExecuted, SteelyardError
from steelyard.execution.journal.chain import key_of
from steelyard.execution.journal.journal import Change, Connection, Journal, Lease, Moment
from steelyard.sqlite import pragmas
from steelyard.telemetry.events import PlannerEvent
from steelyard.telemetry.health import this_moment

FILE = "journal.db"
LOCKS = "locks"
BUSY_SECONDS = 5.0
LEASE_SECONDS = 3600
LOOKED_SECONDS, LOOKS = 0.02, 4


def now() -> Moment:
    """By this machine."""
    return Moment(datetime.now(UTC), time.monotonic_ns(), this_moment().boot)


def is_there(folder: Path) -> bool:
    """Was there ever a run?"""
    return (folder / FILE).exists()


def open_journal(
    folder: Path,
    *,
    heard: Callable[[PlannerEvent], None] = lambda _: None,
    probe: Callable[[str], None] = lambda _: None,
) -> Journal:
    """The journal of a folder, made where there is none; raises JournalFailed."""
    path = folder / FILE
    there = path.exists()
    if there and not path.is_file():
        raise JournalFailed(
            f"{path} is no regular file. Nothing was sent.", code="journal_file", place=str(path)
        )
    key = key_of(folder, begun=there and path.stat().st_size > 0)
    return Journal(lambda: connect(path), key, now=now, place=str(path), heard=heard, probe=probe)


def open_to_look(folder: Path) -> Journal:
    """The journal without its key, which may be lost: only to be read, and nothing is verified."""
    path = folder / FILE

    def looking() -> Connection:
        if not path.is_file() or not path.stat().st_size:
            return sqlite3.connect(":memory:", isolation_level=None)
        connection = connect(path)
        connection.execute("PRAGMA query_only = ON")
        return connection

    return Journal(looking, b"", now=now, place=str(path))


@contextmanager
def copy_in_memory(journal: Journal) -> Iterator[Journal]:
    """A copy that nothing of is written anywhere: for what only looks."""
    copy = sqlite3.connect(":memory:", isolation_level=None)
    source = journal.connection
    if not isinstance(source, sqlite3.Connection):
        raise InternalError("Only a journal of sqlite3 is copied. Nothing was sent.")
    source.backup(copy)
    entry = Journal(lambda: copy, journal.key, now=journal.now, place="a copy of the journal")
    try:
        yield entry
    finally:
        entry.close()


def connect(path: Path) -> Connection:
    """A connection that begins no transaction by itself, as durable as its library can."""
    if not path.exists():
        path.touch(mode=0o600)
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    for pragma in pragmas(sqlite3.sqlite_version_info):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    return connection


@contextmanager
def leased(journal: Journal, folder: Path, account: str) -> Iterator[Lease]:
    """The right to trade an account: a lock that ends with the process, and a fence in the journal.

    Raises NotExecuted where another process has it.
    """
    handle = _lock_file(folder / LOCKS, account)
    try:
        if not (_locks(handle) or _locks_later(handle)):
            raise _busy(journal, account)
        with journal.writing() as change:
            lease = _take(change, account)
        try:
            yield lease
        except (SystemExit, KeyboardInterrupt, SteelyardError):
            with suppress(SteelyardError):
                _let_go(journal, lease)
            raise
        _let_go(journal, lease)
    finally:
        os.close(handle)


def is_leased(folder: Path, account: str) -> bool:
    """Does a process trade the account now? Also where that cannot be told: nothing is made."""
    try:
        handle = os.open(_lock_path(folder / LOCKS, account), os.O_RDWR)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        return not _locks(handle)
    finally:
        os.close(handle)


def _lock_path(names: Path, account: str) -> Path:
    safe = "".join(
        sign if sign.isalnum() or sign in "-_" else f"%{ord(sign):x}" for sign in account
    )
    return names / f"{safe}.lock"


def _lock_file(names: Path, account: str) -> int:
    path = _lock_path(names, account)
    try:
        names.mkdir(parents=True, exist_ok=True, mode=0o700)
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise JournalFailed(
            f"The lock {path} could not be made: {error.strerror or error}. Nothing was sent.",
            code="journal_lock",
            place=str(path),
        ) from error


def _take(change: Change, account: str) -> Lease:
    query = "SELECT fence, pid FROM lease WHERE account = ?"
    row = change.execute(query, (account,)).fetchone()
    fence = 1 if row is None else row[0] + 1
    expires = change.moment.mono_ns + LEASE_SECONDS * 1_000_000_000
    change.execute(
        "INSERT INTO lease VALUES (?,?,?,?,?) ON CONFLICT(account) DO UPDATE SET "
        "fence=excluded.fence, boot_id=excluded.boot_id, pid=excluded.pid, "
        "expires_mono_ns=excluded.expires_mono_ns",
        (account, fence, change.moment.boot_id, os.getpid(), expires),
    )
    return Lease(account, fence, crashed=row is not None and row[1] is not None)


def _let_go(journal: Journal, lease: Lease) -> None:
    with journal.writing(lease) as change:
        change.execute("UPDATE lease SET pid = NULL WHERE account = ?", (lease.account,))


def _busy(journal: Journal, account: str) -> NotExecuted:
    row = journal.row("SELECT pid FROM lease WHERE account = ?", (account,))
    by = "another process" if row is None else f"the process {row[0]}"
    return NotExecuted(
        f"The account {account} is being traded by {by}. Nothing was sent by this one. See what it "
        "does with: steelyard runs",
        code="account_busy",
        place=account,
        value=None if row is None else row[0],
        hint="steelyard runs",
    )


def _locks_later(handle: int) -> bool:
    """A few times more: who only looked, with `is_leased`, had it for a moment."""
    for _ in range(LOOKS):
        time.sleep(LOOKED_SECONDS)
        if _locks(handle):
            return True
    return False


def _locks(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415 of that system alone

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415 of the other systems alone

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
