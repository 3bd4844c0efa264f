"""Files that only their owner reads: written whole or not at all, refused if others can read them.

A file that is not what it should be is refused, never mended: who could read it has read it.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from steelyard.errors import SettingsError

NOBODY_ELSE = 0o077
LARGEST_BYTES = 1 << 20
NOTHING = "Nothing was let in with it."


def read_private(path: Path) -> str:
    """The text of a file of ours; raises FileNotFoundError, SettingsError."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        handle = os.open(path, flags)
    except FileNotFoundError:
        raise
    except OSError as error:
        why = "it is a link" if error.errno == errno.ELOOP else str(error.strerror).lower()
        raise _refused(path, why, "token_file_unreadable") from error
    try:
        _check(path, os.fstat(handle))
        data = os.read(handle, LARGEST_BYTES)
    finally:
        os.close(handle)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _refused(path, "it is no text", "token_file_no_text") from error


def _check(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise _refused(path, "it is no file", "token_file_no_file")
    if sys.platform == "win32":
        return
    if status.st_uid != os.geteuid():
        raise _refused(path, "it is another user's", "token_file_of_another")
    if stat.S_IMODE(status.st_mode) & NOBODY_ELSE:
        why = "others can read it. Remove it, and what it let in; a new one is made 0600"
        raise _refused(path, why, "token_file_open")


def write_private(path: Path, text: str) -> None:
    """Replace a file, or make it; it is never there in part. Raises SettingsError."""
    with _draft(path, text) as draft:
        draft.replace(path)


def make_private(path: Path, text: str) -> None:
    """Make a file that is not there; where another process was first, its file stays."""
    with _draft(path, text) as draft:
        try:
            os.link(draft, path)
        except FileExistsError:
            return


@contextmanager
def _draft(path: Path, text: str) -> Iterator[Path]:
    """A file beside it, 0600, synced; gone at the end."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise _refused(path, str(error.strerror).lower(), "token_file_not_written") from error
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        yield draft
    except OSError as error:
        raise _refused(path, str(error.strerror).lower(), "token_file_not_written") from error
    finally:
        draft.unlink(missing_ok=True)


def _refused(path: Path, why: str, code: str) -> SettingsError:
    return SettingsError(
        f"{path} is not usable: {why}. {NOTHING}", code=code, place=str(path), value=why
    )
