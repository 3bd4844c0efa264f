"""The runner's files in its folder: a socket, a secret of its own, and a lock that is its life.

The folder belongs to its user alone, and so does everything in it. Whatever is there and is not
what it should be is refused, never removed.
"""

from __future__ import annotations

import os
import secrets
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from steelyard.errors import NotExecuted
from steelyard.telemetry.health import locked

SOCKET = "runner.sock"
SECRET = "runner.secret"  # noqa: S105 - the name of a file
LOCK = "runner.lock"
SECRET_BYTES = 32
SECRET_SIGNS = 2 * SECRET_BYTES
LONGEST_PATH = 100
"""Bytes of a socket's path that every system takes."""
NOBODY_ELSE = 0o077
NOT_STARTED = "The runner was not started."


@contextmanager
def alone(home: Path) -> Iterator[str]:
    """Be the only runner of a folder while the block runs; gives the secret.

    Raises NotExecuted where there is another one, and for a folder or a secret of somebody else.
    """
    _private(home)
    try:
        with locked(home / LOCK, seconds=0):
            yield _secret(home)
    except TimeoutError as error:
        raise NotExecuted(
            f"A runner of {home} is there already. {NOT_STARTED} Ask it with: steelyard execute "
            "PLAN --runner",
            code="runner_is_there",
            place=str(home / LOCK),
            hint="steelyard execute PLAN --runner",
        ) from error


def free_socket(home: Path) -> Path:
    """Where the socket is made: nothing is there any more, or NotExecuted. Only under the lock."""
    path = home / SOCKET
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise _refused(
            path, f"the path of a socket has at most {LONGEST_PATH} bytes", "runner_too_long"
        )
    try:
        status = path.lstat()
    except FileNotFoundError:
        return path
    if not stat.S_ISSOCK(status.st_mode) or not _is_ours(status):
        raise _refused(path, "what is there is no socket of ours", "runner_no_socket")
    path.unlink()  # its runner died: we have its lock
    return path


def secret_of(home: Path) -> str:
    """The secret, for who asks; raises NotExecuted where no runner ever was, or it is not ours."""
    path = home / SECRET
    try:
        return _read(path)
    except FileNotFoundError as error:
        raise NotExecuted(
            f"No runner was ever started in {home}. Nothing was sent. Start one: steelyard runner",
            code="no_runner",
            place=str(path),
            hint="steelyard runner",
        ) from error


def _private(home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    status = home.stat()
    if not _is_ours(status):
        raise _refused(home, "the folder is another user's", "runner_folder_of_another")
    if stat.S_IMODE(status.st_mode) & NOBODY_ELSE and sys.platform != "win32":
        home.chmod(0o700)


def _secret(home: Path) -> str:
    path = home / SECRET
    with suppress(FileNotFoundError):
        return _read(path)
    draft = home / f".{SECRET}.{os.getpid()}"
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(SECRET_BYTES))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return _read(path)


def _read(path: Path) -> str:
    """A secret that nobody else may read; raises NotExecuted, FileNotFoundError."""
    status = path.lstat()
    whole = stat.S_ISREG(status.st_mode) and status.st_size == SECRET_SIGNS
    if not (whole and _is_ours(status)):
        raise _refused(path, "it is no secret of ours", "runner_no_secret")
    if stat.S_IMODE(status.st_mode) & NOBODY_ELSE and sys.platform != "win32":
        raise _refused(path, "others may read it; to mend that: chmod 600", "runner_secret_open")
    return path.read_text(encoding="ascii")


def _is_ours(status: os.stat_result) -> bool:
    return sys.platform == "win32" or status.st_uid == os.geteuid()


def _refused(path: Path, why: str, code: str) -> NotExecuted:
    return NotExecuted(
        f"{path} is not usable: {why}. {NOT_STARTED} Nothing was sent.",
        code=code,
        place=str(path),
        value=why,
    )
