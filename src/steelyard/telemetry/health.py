"""The health of modules between runs: one circuit for each that failed, in one file that several
processes may share.

The file is written whole or not at all, under a lock, and only when something changes: while all
modules are healthy there is none. What cannot be read is moved aside, what cannot be written is
told; neither stops a plan.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from steelyard.errors import InputError
from steelyard.telemetry.breaker import Circuit, Moment, Rules, after_failure, reason, state_of

FILE = "health.json"
BOOT = Path("/proc/sys/kernel/random/boot_id")
LARGEST_BYTES = 1 << 20
LOCK_SECONDS = 2.0
LOCK_POLL_SECONDS = 0.01

Outcome = tuple[str, str, str | None]
"""(qualified name, version, error): what became of a module that ran; the error is None when it did
not fail.
"""


Change = Callable[[dict[str, Circuit]], object]
"""Changes the circuits in place; may be called twice when a file cannot be written."""


class Stored(BaseModel):
    """The file: circuits by `qualified name@version`, so that a new version starts clean."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: Literal[1] = 1
    circuits: dict[str, Circuit] = Field(default_factory=dict)


def this_moment() -> Moment:
    """Now, by this machine."""
    boot = ""
    with contextlib.suppress(OSError):
        boot = BOOT.read_text(encoding="ascii").strip()
    return Moment(seconds=time.monotonic(), boot=boot, utc=datetime.now(UTC).replace(microsecond=0))


class Health:
    """Which modules are out of service, and what became of those that ran.

    folder   where the file lies; made when there is something to write
    now      tells the moment
    warn     told, once each, what of the file could not be read or written
    """

    def __init__(
        self,
        folder: Path,
        rules: Rules,
        *,
        warn: Callable[[str], None],
        now: Callable[[], Moment] = this_moment,
    ) -> None:
        self.path, self.rules, self.now = folder / FILE, rules, now
        self._warn, self._told = warn, set[str]()
        self._tried: dict[str, tuple[Circuit, Circuit]] = {}

    def circuits(self) -> dict[str, Circuit]:
        """By `qualified name@version`, sorted: every module that failed and has not succeeded
        since.
        """
        try:
            return read(self.path)
        except ValidationError:
            self._change(lambda _: None)  # which moves it aside, if nobody else did
        except OSError as error:
            self._say(
                f"The health of modules in {self.path} could not be read: {error.strerror}. Every "
                "module is tried."
            )
        return {}

    def out_of_service(self, versions: Mapping[str, str]) -> dict[str, str]:
        """Why modules may not run, by qualified name; a half-open one is left to this run, which
        must `record` it.

        versions   qualified name -> version of the modules that are about to run
        """
        names = {f"{name}@{version}": name for name, version in versions.items()}
        known = self.circuits()
        if all(state_of(known.get(key), self.rules, self.now()) == "closed" for key in names):
            return {}
        out: dict[str, str] = {}

        def claim(circuits: dict[str, Circuit]) -> None:
            now = self.now()
            for key in names.keys() & circuits.keys():
                circuit, state = circuits[key], state_of(circuits[key], self.rules, now)
                if state == "open":
                    out[names[key]] = reason(circuit, self.rules)
                elif state == "half-open":
                    circuits[key] = circuit.model_copy(update={"since": now})
                    self._tried[key] = circuit, circuits[key]

        self._change(claim)
        return dict(sorted(out.items()))

    def record(self, outcomes: Iterable[Outcome]) -> None:
        """Count failures, forget those of modules that succeeded, and give back what was to be
        tried and did not run.
        """
        ended = {f"{name}@{version}": error for name, version, error in outcomes}

        def count(circuits: dict[str, Circuit]) -> None:
            for key, (before, claimed) in self._tried.items():
                if key not in ended and circuits.get(key) == claimed:
                    circuits[key] = before
            for key, error in ended.items():
                if error is None:
                    circuits.pop(key, None)
                else:
                    circuits[key] = after_failure(circuits.get(key), error, self.now())

        if (
            self._tried
            or any(error is not None for error in ended.values())
            or self.circuits().keys() & ended.keys()
        ):
            self._change(count)
        self._tried.clear()

    def reset(self, keys: Iterable[str]) -> None:
        """Forget the failures of modules, by `qualified name@version`; raises InputError where that
        cannot be written.
        """
        forgotten = set(keys) & self.circuits().keys()
        try:
            if forgotten:
                keep(
                    self.path,
                    lambda circuits: [circuits.pop(key, None) for key in forgotten],
                    self._say,
                )
        except OSError as error:
            raise InputError(
                f"The health of modules could not be written to {self.path}: {_why(error)}. Nothing"
                " was reset."
            ) from error

    def _change(self, change: Change) -> None:
        """`keep`; where that cannot be, this run goes by what can be read, and it is told."""
        try:
            keep(self.path, change, self._say)
        except OSError as error:
            self._say(
                f"The health of modules could not be written to {self.path}: {_why(error)}. "
                "Planning goes on."
            )
            known: dict[str, Circuit] = {}
            with contextlib.suppress(OSError, ValidationError):
                known = read(self.path)
            change(known)

    def _say(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._warn(text)


def read(path: Path) -> dict[str, Circuit]:
    """The circuits of a file, sorted; none without a file. Raises ValidationError for what cannot
    be understood, and OSError.
    """
    try:
        seen = path.stat()
        if not stat.S_ISREG(seen.st_mode):  # opening a pipe or a device may wait for ever
            raise OSError(errno.EINVAL, "it is no regular file")
        data = path.read_bytes() if seen.st_size <= LARGEST_BYTES else b""
    except FileNotFoundError:
        return {}
    return dict(sorted(Stored.model_validate_json(data).circuits.items()))


def keep(path: Path, change: Change, say: Callable[[str], None]) -> None:
    """Read, change and write under the lock; a file that cannot be understood is moved aside, and
    that is said. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with locked(path.with_name(f"{FILE}.lock")):
        try:
            circuits = read(path)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            aside = path.replace(path.with_name(f"{FILE}.unreadable"))
            at = ".".join(map(str, first["loc"])) or "the file"
            say(
                f"{path} is not usable ({at}: {first['msg']}): it is now {aside.name}, and every "
                "module is tried."
            )
            circuits = {}
        before = dict(circuits)
        change(circuits)
        if circuits != before:
            replace_file(path, Stored(circuits=circuits).model_dump_json(indent=1) + "\n")


def _why(error: OSError) -> str:
    return error.strerror or str(error)


def replace_file(path: Path, text: str) -> None:
    """Write a file whole or not at all, for its owner alone; raises OSError."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # made with 0600
    part = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file; the system lets go of it when a process ends. Raises TimeoutError after
    `LOCK_SECONDS`.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + LOCK_SECONDS
        while not _taken(handle):
            if time.monotonic() > deadline:
                raise TimeoutError(
                    None, f"another process has held {path.name} for {LOCK_SECONDS:g} seconds"
                )
            time.sleep(LOCK_POLL_SECONDS)
        yield
    finally:
        os.close(handle)


def _taken(handle: int) -> bool:
    """Take the lock if it is free."""
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
