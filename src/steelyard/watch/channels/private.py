"""Files of the folder of settings: read whole, within a size, refused where others could meddle.

One of them is written too: whole or not at all, for its owner alone.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
import sys
from pathlib import Path

from steelyard.errors import SettingsError

LARGEST_BYTES = 64 * 1024
WRITABLE = 0o022
READABLE = 0o077
NOTHING = "Nobody was told anything."


def text_of(path: Path, *, secret: bool) -> str:
    """The text of a file that nobody else writes, of a secret that nobody else reads.

    Raises FileNotFoundError, NotADirectoryError, SettingsError.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        handle = os.open(path, flags)
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as error:
        why = "it is a link" if error.errno == errno.ELOOP else str(error.strerror).lower()
        raise _refused(path, why, "give a file of your own") from error
    try:
        _check(path, os.fstat(handle), READABLE if secret else WRITABLE)
    except SettingsError:
        os.close(handle)
        raise
    with os.fdopen(handle, "rb") as file:
        data = file.read(LARGEST_BYTES + 1)
    if len(data) > LARGEST_BYTES:
        raise _refused(path, f"it has more than {LARGEST_BYTES:,} bytes", "make it shorter")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refused(path, "it is not UTF-8 text", "save it as UTF-8") from error


def replace_private(path: Path, text: str, nothing: str) -> None:
    """Write a file that only we read, or leave what is there; raises SettingsError.

    nothing   what has not happened where it cannot be written
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        why = str(error.strerror).lower()
        raise SettingsError(
            f"{path} could not be written: {why}. {nothing}",
            code="notify_not_written",
            place=str(path),
            value=why,
        ) from error
    finally:
        draft.unlink(missing_ok=True)


def _check(path: Path, status: os.stat_result, nobody_else: int) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise _refused(path, "it is no regular file", "give a file of your own")
    if sys.platform == "win32":
        return
    if status.st_uid != os.geteuid():
        raise _refused(path, "it is another user's", "give a file of your own")
    if stat.S_IMODE(status.st_mode) & nobody_else:
        do = "read" if nobody_else == READABLE else "write"
        mode = "600" if nobody_else == READABLE else "go-w"
        raise _refused(path, f"others can {do} it", f"chmod {mode} {path}")


def _refused(path: Path, why: str, mend: str) -> SettingsError:
    return SettingsError(
        f"{path} is not usable: {why}. {NOTHING} To mend it: {mend}",
        code="notify_file",
        place=str(path),
        value=why,
        hint=mend,
    )
