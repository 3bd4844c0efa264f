"""The chain of events: each one's hash is keyed and has the one before in it.

Whoever changes, removes, adds or reorders events without the key is noticed at the first of them.
Events cut off the end are noticed only with a head that was printed and kept elsewhere: without one
that is stated as not detected.
"""

from __future__ import annotations

import hmac
import json
import os
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from steelyard.errors import ChainBroken, JournalFailed

FIRST = bytes(32)
"""What stands before the first event."""
KEY_BYTES = 32
_AS_TEXT = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode
KEY_FILE = "journal.key"
LOST = (
    "is not there, and the journal beside it is: nobody can tell whether that is as it was written"
)


class Row(NamedTuple):
    """An event as the table has it."""

    seq: int
    ts_utc: str
    mono_ns: int
    boot_id: str
    run_id: str
    kind: str
    body: str
    prev: bytes
    hash: bytes


def link(key: bytes, before: bytes, parts: tuple[Any, ...]) -> bytes:
    """The hash of an event: `parts` are its columns up to the body."""
    return hmac.digest(key, before + _AS_TEXT(parts).encode(), "sha256")


def verify(key: bytes, rows: Iterable[Row], head: str = "") -> bytes:
    """The head of the chain; raises ChainBroken at the first event that is not what was written.

    head   a head that was printed, in hex: it must be in the chain; "" = ends cannot be checked
    """
    before, number, seen = FIRST, 0, not head
    for row in rows:
        number += 1
        good = row.seq == number and row.prev == before
        if not good or not hmac.compare_digest(row.hash, link(key, before, tuple(row[:7]))):
            raise _broken(number)
        before = row.hash
        seen = seen or before.hex() == head
    if not seen:
        raise ChainBroken(
            f"the event chain is broken at event {number + 1}: the head {head[:12]}… that was "
            "printed is not in it, so events are missing at its end. Nothing was sent. Restore the "
            "journal from a copy.",
            code="chain_cut",
            value=head,
            limit=before.hex(),
            hint="restore the journal from a copy",
        )
    return before


def _broken(number: int) -> ChainBroken:
    return ChainBroken(
        f"the event chain is broken at event {number}: it is not what was written. Nothing was "
        "sent, and nothing will be on what this journal says. Restore it from a copy, or compare "
        "with the broker by hand.",
        value=number,
        hint="restore the journal from a copy",
    )


def key_of(folder: Path, *, begun: bool = False) -> bytes:
    """The key of the folder's journal, made where there is none, for its owner's eyes alone.

    begun   there is a journal: a new key would not be its key
    Raises JournalFailed for a key that cannot be read, or that others can, or is lost.
    """
    path = folder / KEY_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists() and not path.is_symlink():
            if begun:
                raise _no_key(path, LOST)
            _make_key(path)
        return _read_key(path)
    except OSError as error:
        raise _no_key(path, f"could not be used: {error.strerror or error}") from error


def _make_key(path: Path) -> None:
    """A new key, there whole or not at all: of two processes that make it, the first one's."""
    part = path.with_name(f"{KEY_FILE}.{os.getpid()}")
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(os.urandom(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(part, path)
    finally:
        part.unlink()


def _read_key(path: Path) -> bytes:
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise _no_key(path, "is no regular file")
    if os.name == "posix" and status.st_mode & 0o077:
        raise _no_key(path, "can be read by others: chmod 600 it")
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise _no_key(path, f"has {len(key)} bytes, not {KEY_BYTES}")
    return key


def _no_key(path: Path, reason: str) -> JournalFailed:
    return JournalFailed(
        f"The journal's key {path} {reason}. Nothing was sent. Restore it from a copy; without "
        "one, see docs/runbooks.md.",
        code="journal_key",
        place=str(path),
        hint="restore it from a copy",
    )


def body_of(bucket: str, correlation: str, data: Mapping[str, Any]) -> str:
    """What an event says besides its kind and its time, as the table has it."""
    document = {"bucket_id": bucket, "correlation_id": correlation, "data": dict(data)}
    return json.dumps(document, sort_keys=True, ensure_ascii=False, allow_nan=False)
