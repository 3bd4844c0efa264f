"""The kill switch: a file. Whatever is there is engaged; only nothing at all is not.

Looking never waits and never follows a link: a folder, a pipe, a link to nowhere or a file that
nobody may read halt as a file does. What it holds is for people: why, who and when.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from steelyard.errors import NotExecuted, StoreError

FILE = "HALT"
MAX_BYTES = 8192
WINDOW = timedelta(hours=24)
"""In which failed runs are counted."""
ITSELF = "steelyard"
"""The author of a halt that no person engaged."""


@dataclass(frozen=True, slots=True)
class Switch:
    """The kill switch as it was last looked at: why it is engaged, by whom, and since when."""

    engaged: bool
    why: str = ""
    author: str = ""
    since: str = ""


OFF = Switch(engaged=False)


def look(home: Path) -> Switch:
    """Is it engaged? Whatever cannot be told is."""
    path = home / FILE
    try:
        status = path.lstat()
    except FileNotFoundError:
        return OFF
    except (OSError, ValueError) as error:
        return Switch(engaged=True, why=f"{FILE} cannot be looked at: {_words(error)}")
    if not stat.S_ISREG(status.st_mode):
        return Switch(engaged=True, why=f"{FILE} is there and is no file")
    try:
        return _read(path)
    except (OSError, ValueError, RecursionError) as error:
        return Switch(engaged=True, why=f"{FILE} is there and cannot be read: {_words(error)}")


def _read(path: Path) -> Switch:
    """A file's; raises OSError or ValueError."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
    handle = os.open(path, flags)
    with os.fdopen(handle, "rb") as file:
        text = file.read(MAX_BYTES).decode("utf-8")
    note = json.loads(text or "{}")
    if not isinstance(note, dict):
        raise ValueError("no note")
    parts = (str(note.get(name, "")) for name in ("reason", "author", "at"))
    why, author, since = parts
    return Switch(engaged=True, why=why or f"{FILE} is there", author=author, since=since)


def engage(home: Path, reason: str, author: str, at: datetime) -> Switch:
    """Engage it, or leave what is there; raises StoreError where nothing could be written."""
    if look(home).engaged:
        return look(home)
    note = {"reason": reason, "author": author, "at": at.isoformat()}
    try:
        _write(home, json.dumps(note, ensure_ascii=False))
    except OSError as error:
        # a full disk has no room for words, but mostly for a name
        with suppress(OSError):
            (home / FILE).touch()
        if not look(home).engaged:
            raise StoreError(
                f"The kill switch {home / FILE} could not be written: {_words(error)}. Nothing is "
                "halted: stop the process that trades.",
                code="halt_not_written",
                place=str(home / FILE),
                hint="stop the process that trades",
            ) from error
    return look(home)


def _write(home: Path, text: str) -> None:
    """All of it or nothing, and on the disk; never over what is there."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = home / f".{FILE}.{os.getpid()}"
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(home / FILE)
    finally:
        draft.unlink(missing_ok=True)
    _sync(home)


def _sync(folder: Path) -> None:
    """Names of a folder, on the disk; not every system has that."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def lift(home: Path, reason: str) -> Switch:
    """Lift it, and say what was engaged; raises NotExecuted without a reason, or if it stays."""
    before = look(home)
    if not reason.strip():
        raise NotExecuted(
            "The kill switch is lifted with a reason only. It is as it was: steelyard halt --lift "
            "--reason TEXT.",
            code="halt_no_reason",
            place="--reason",
            hint="steelyard halt --lift --reason TEXT",
        )
    path = home / FILE
    try:
        is_folder = stat.S_ISDIR(path.lstat().st_mode)
        path.rmdir() if is_folder else path.unlink()
        _sync(home)
    except FileNotFoundError:
        return before
    except OSError as error:
        raise NotExecuted(
            f"The kill switch {path} could not be lifted: {_words(error)}. It stays engaged: "
            "remove it by hand.",
            code="halt_not_lifted",
            place=str(path),
            hint="remove it by hand",
        ) from error
    return before


def failures(
    endings: Iterable[tuple[datetime, str]], now: datetime, lifted_at: datetime | None = None
) -> int:
    """Runs that failed within 24 hours, since the last that did not or the last lift.

    endings   when each run ended, and its outcome; in any order
    """
    count = 0
    for ended, outcome in sorted(endings):
        if outcome in {"done", "done_with_skips"}:
            count = 0
        elif outcome == "failed" and ended > now - WINDOW:
            count += lifted_at is None or ended > lifted_at
    return count


def engage_after(home: Path, count: int, most: int, at: datetime) -> Switch:
    """Engage it if too many runs failed; otherwise it is as it was."""
    if count < most:
        return look(home)
    return engage(home, f"{count} runs failed within 24 hours", ITSELF, at)


def _words(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
