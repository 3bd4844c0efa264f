"""The health of modules between runs: a circuit for each that failed, in a dict or a shared file.

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
from threading import RLock
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
"""(qualified name, version, error) of a module that ran; the error is None when it did not fail."""

Circuits = dict[str, Circuit]
Change = Callable[[Circuits], object]
"""Changes the circuits in place; may be called twice when a file cannot be written."""


class Stored(BaseModel):
    """The file: circuits by `qualified name@version`, so that a new version starts clean."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: Literal[1] = 1
    circuits: Circuits = Field(default_factory=dict)


def this_moment() -> Moment:
    """Now, by this machine."""
    boot = ""
    with contextlib.suppress(OSError):
        boot = BOOT.read_text(encoding="ascii").strip()
    return Moment(seconds=time.monotonic(), boot=boot, utc=datetime.now(UTC).replace(microsecond=0))


class Health:
    """Which modules are out of service, and what became of those that ran.

    store    a dict, or the folder of the file; the folder is made when there is something to write
    now      tells the moment
    warn     told, once each, what of the file could not be read or written
    """

    def __init__(
        self,
        store: Path | Circuits,
        rules: Rules,
        *,
        warn: Callable[[str], None] = lambda _: None,
        now: Callable[[], Moment] = this_moment,
    ) -> None:
        self.store = InFile(store / FILE, warn) if isinstance(store, Path) else InMemory(store)
        self.rules, self.now = rules, now
        self._tried: dict[str, tuple[Circuit, Circuit]] = {}
        self._lock = RLock()

    def circuits(self) -> Circuits:
        """By key, sorted: every module that failed and has not succeeded since."""
        return self.store.circuits()

    def key(self, name: str, version: str) -> str:
        """Where a failure of a module is counted."""
        return f"{name}@{version}"

    def keys(self, name: str, version: str, circuits: Circuits) -> list[str]:
        """Which of the circuits speak of a module."""
        key = self.key(name, version)
        return [key] if key in circuits else []

    def out_of_service(self, versions: Mapping[str, str]) -> dict[str, str]:
        """Why modules may not run, by qualified name; a half-open one this run must `record`.

        versions   qualified name -> version of the modules that are about to run
        """
        out: dict[str, str] = {}

        def claim(circuits: Circuits) -> None:
            now, before = self.now(), dict(circuits)
            for name, version in versions.items():
                keys = self.keys(name, version, before)
                states = {key: state_of(before[key], self.rules, now) for key in keys}
                opened = [key for key, state in states.items() if state == "open"]
                if opened:
                    out[name] = reason(before[opened[0]], self.rules)
                    continue
                for key in (key for key, state in states.items() if state == "half-open"):
                    circuits[key] = before[key].model_copy(update={"since": now})
                    self._tried[key] = before[key], circuits[key]

        with self._lock:
            if not self._all_closed(versions):
                self.store.change(claim)
            return dict(sorted(out.items()))

    def _all_closed(self, versions: Mapping[str, str]) -> bool:
        now, circuits = self.now(), self.circuits()
        keys = [key for item in versions.items() for key in self.keys(*item, circuits)]
        return all(state_of(circuits[key], self.rules, now) == "closed" for key in keys)

    def record(self, outcomes: Iterable[Outcome]) -> None:
        """Count failures, forget those of what succeeded, give back what was to try and did not."""
        ran = list(outcomes)

        def count(circuits: Circuits) -> None:
            ended = {key for name, version, _ in ran for key in self.keys(name, version, circuits)}
            for key, (before, claimed) in self._tried.items():
                if key not in ended and circuits.get(key) == claimed:
                    circuits[key] = before
            for name, version, error in ran:
                if error is None:
                    for key in self.keys(name, version, circuits):
                        del circuits[key]
                else:
                    key = self.key(name, version)
                    circuits[key] = after_failure(circuits.get(key), error, self.now())

        with self._lock:
            failed = any(error is not None for _, _, error in ran)
            if self._tried or failed or self._on_record(ran):
                self.store.change(count)
            self._tried.clear()

    def _on_record(self, ran: Iterable[Outcome]) -> bool:
        circuits = self.circuits()
        return any(self.keys(name, version, circuits) for name, version, _ in ran)

    def reset(self, keys: Iterable[str]) -> None:
        """Forget failures by `name@version`; raises InputError where that cannot be written."""
        forgotten = set(keys) & self.circuits().keys()
        if forgotten:
            self.store.reset(lambda circuits: [circuits.pop(key, None) for key in forgotten])


class InMemory:
    """Circuits of one process, in a dict."""

    def __init__(self, circuits: Circuits) -> None:
        self._circuits, self._lock = circuits, RLock()

    def circuits(self) -> Circuits:
        """A copy, sorted."""
        with self._lock:
            return dict(sorted(self._circuits.items()))

    def change(self, change: Change) -> None:
        """Change them, one caller at a time."""
        with self._lock:
            change(self._circuits)

    reset = change


class InFile:
    """Circuits of all processes of a user, in one file."""

    def __init__(self, path: Path, warn: Callable[[str], None]) -> None:
        self.path, self._warn, self._told = path, warn, set[str]()

    def circuits(self) -> Circuits:
        """What the file has; nothing of one that cannot be read, and that is told."""
        try:
            return read(self.path)
        except ValidationError:
            self.change(lambda _: None)  # which moves it aside, if nobody else did
        except OSError as error:
            what = f"The health of modules in {self.path} could not be read: {error.strerror}"
            self._say(f"{what}. Every module is tried.")
        return {}

    def change(self, change: Change) -> None:
        """`keep`; where that cannot be, this run goes by what can be read, and it is told."""
        try:
            keep(self.path, change, self._say)
        except OSError as error:
            self._say(f"{self._unwritten(error)} Planning goes on.")
            circuits: Circuits = {}
            with contextlib.suppress(OSError, ValidationError):
                circuits = read(self.path)
            change(circuits)

    def reset(self, change: Change) -> None:
        """`keep`; raises InputError where that cannot be."""
        try:
            keep(self.path, change, self._say)
        except OSError as error:
            raise InputError(
                f"{self._unwritten(error)} Nothing was reset.",
                code="health_unwritable",
                place=str(self.path),
                value=error.strerror,
            ) from error

    def _unwritten(self, error: OSError) -> str:
        reason = error.strerror or str(error)
        return f"The health of modules could not be written to {self.path}: {reason}."

    def _say(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._warn(text)


def read(path: Path) -> Circuits:
    """The circuits of a file, sorted; none without one. Raises ValidationError and OSError."""
    try:
        seen = path.stat()
        if not stat.S_ISREG(seen.st_mode):  # opening a pipe or a device may wait for ever
            raise OSError(errno.EINVAL, "it is no regular file")
        data = path.read_bytes() if seen.st_size <= LARGEST_BYTES else b""
    except FileNotFoundError:
        return {}
    return dict(sorted(Stored.model_validate_json(data).circuits.items()))


def keep(path: Path, change: Change, say: Callable[[str], None]) -> None:
    """Read, change, write under the lock; moves aside what is not usable. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with locked(path.with_name(f"{path.name}.lock")):
        sweep(path)
        try:
            circuits = read(path)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            aside = path.replace(path.with_name(f"{path.name}.unreadable"))
            at = ".".join(map(str, first["loc"])) or "the file"
            what = f"{path} is not usable ({at}: {first['msg']}): it is now {aside.name}"
            say(f"{what}, and every module is tried.")
            circuits = {}
        before = dict(circuits)
        change(circuits)
        if circuits != before:
            replace_file(path, Stored(circuits=circuits).model_dump_json(indent=1) + "\n")


def sweep(path: Path) -> None:
    """Remove the parts of the file that killed writers left; under the lock nobody writes one."""
    for part in path.parent.glob(f".{path.name}.*"):
        with contextlib.suppress(OSError):
            part.unlink()


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
def locked(path: Path, seconds: float = LOCK_SECONDS) -> Iterator[None]:
    """Hold the lock file, which ends with the process; raises TimeoutError after `seconds`."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + seconds
        while not _locks(handle):
            if time.monotonic() > deadline:
                what = f"another process has held {path.name} for {seconds:g} seconds"
                raise TimeoutError(None, what)
            time.sleep(LOCK_POLL_SECONDS)
        yield
    finally:
        os.close(handle)


def _locks(handle: int) -> bool:
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
