"""One worker process for one plugin: started when it is asked, ended at a deadline, started again a
few times.

The process has its own session, the root folder to be in, no environment but the constants below,
and no open file but its two pipes. Whatever happens in it is a ModuleError here.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from steelyard.errors import DeadlineStruck, ModuleError
from steelyard.modules.candidates import Candidates
from steelyard.modules.plugins import confine
from steelyard.modules.plugins.answers import ArraysTold, LoadedTold
from steelyard.modules.plugins.channel import (
    LENGTH,
    MOST_ANSWER,
    Answer,
    Array,
    Fault,
    pickled,
    read_answer,
    words,
)
from steelyard.modules.plugins.sources import Source
from steelyard.settings import Plugins

T = TypeVar("T")

MOST_STARTS = 4
"""The first one, and three after deaths."""
START_SECONDS = 60.0
"""For our own imports in the worker, on a machine that has other things to do."""
PIECE = 1 << 20

ENVIRONMENT: Mapping[str, str] = MappingProxyType(
    {
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }
)
"""All of it: the same order of sets in every run, one thread for arrays."""
BOOT = (
    "import sys; sys.path.append(sys.argv[1]);"
    " from steelyard.modules.plugins.child import main; main()"
)
ROOT = Path(__file__).resolve().parents[3]


class Worker:
    """The process of one plugin. Safe to use from several threads; a fork of this process starts
    one of its own.
    """

    def __init__(self, source: Source, settings: Plugins) -> None:
        self.source = source
        self.seconds = settings.seconds
        self.megabytes = settings.megabytes
        self.told: LoadedTold | None = None
        self.dropped: deque[int] = deque()
        """Numbers of what the worker need not keep any more."""
        self._lock = threading.RLock()
        self._starts = 0
        self._process: _Process | None = None
        self._sent: dict[str, tuple[Any, int]] = {}
        self._tokens = 0
        self._calls = 0

    def start(self) -> None:
        """Begin to start the process, without waiting for it."""
        with self._lock:
            if self._starts == MOST_STARTS:
                raise ModuleError(
                    f"its worker has ended {MOST_STARTS} times and is not started again; nothing of"
                    f" the plugin {self.source.label} runs until the strategy is loaded anew"
                )
            self._starts += 1
            self._sent, self.dropped = {}, deque()
            self._process = _Process()

    def load(self) -> LoadedTold:
        """What the plugin registers, the first time; raises ModuleError when a later start says
        something else.
        """
        with self._lock:
            process = self._running()
            self._exchange(
                process, "start", {"megabytes": self.megabytes}, Answer[ArraysTold], START_SECONDS
            )
            told, _ = self._exchange(
                process,
                "load",
                {"source": self.source, "seconds": self.seconds},
                Answer[LoadedTold],
                self.seconds,
            )
            if self.told is not None and told != self.told:
                self.end()
                raise ModuleError("started again, it registers something else than before")
            self.told = told
            return told

    def ask(
        self,
        what: str,
        facts: Mapping[str, Any],
        form: type[Answer[T]],
        records: Mapping[str, Any] | None = None,
    ) -> tuple[T, tuple[Array, ...]]:
        """Ask the plugin; starts its process when it is not running.

        records   name -> context or table: sent when the worker does not have it yet
        Raises DeadlineStruck when it takes too long, else ModuleError for whatever goes wrong in
        it.
        """
        with self._lock:
            if self._process is None or not self._process.ours:
                self._restart()
            sent = {name: self._record(name, record) for name, record in (records or {}).items()}
            dropped = [self.dropped.popleft() for _ in range(len(self.dropped))]
            return self._exchange(
                self._running(),
                what,
                {**facts, **sent, "dropped": dropped, "seconds": self.seconds},
                form,
                self.seconds,
            )

    def _restart(self) -> None:
        self.start()
        try:
            self.load()
        except ModuleError:
            self.end()
            raise

    @property
    def generation(self) -> int:
        """Which start this is: what was kept in an earlier one is gone."""
        return self._starts

    def end(self) -> None:
        """End the process and everything in its group; the next question starts another."""
        with self._lock:
            if self._process is not None:
                self._process.end()
                self._process = None

    def _running(self) -> _Process:
        if self._process is None:
            self.start()
        assert self._process is not None  # noqa: S101 `start` has just made it
        return self._process

    def _record(self, name: str, record: Any) -> tuple[int, bytes | None]:
        known, token = self._sent.get(name, (None, 0))
        if known is record:
            return token, None
        self._tokens += 1
        self._sent[name] = (record, self._tokens)
        return self._tokens, pickled(_travelling(record))

    def _exchange(
        self,
        process: _Process,
        what: str,
        facts: Mapping[str, Any],
        form: type[Answer[T]],
        seconds: float,
    ) -> tuple[T, tuple[Array, ...]]:
        self._calls += 1
        try:
            frame = process.exchange(pickled((what, {**facts, "call": self._calls})), seconds)
        except _Late as late:
            self.end()
            raise DeadlineStruck(
                f"it took longer than {seconds:g} s (plugins.seconds); its worker was ended"
            ) from late
        except ModuleError:
            self.end()
            raise
        answer, arrays = read_answer(frame, form)
        if answer.call != self._calls:
            self.end()
            raise ModuleError(
                "it answered another question than the one that it was asked; its worker was ended"
            )
        if answer.fault is not None:
            raise _told(answer.fault, self.source.label)
        if answer.value is None:
            raise ModuleError("its answer is empty")
        return answer.value, arrays


def _travelling(record: Any) -> Any:
    """A record as the worker may have it: a table without the predicates of row filters, which are
    functions of this process.
    """
    return replace(record, predicates=()) if isinstance(record, Candidates) else record


def _told(fault: Fault, label: str) -> ModuleError:
    """The error of a plugin: our own by its text, others by type and text, and where in the
    plugin.
    """
    said = (
        [fault.text]
        if fault.type == ModuleError.__name__
        else [fault.type, *filter(None, [fault.text])]
    )
    where = "" if fault.line is None else f" ({label} line {fault.line})"
    return ModuleError(words(": ".join(said)) + where)


class _Shut:
    """Keeps the planner's memory, environment and descriptors from its workers while there are any:
    they run as the same user.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._workers = 0
        self._before = True

    def enter(self) -> None:
        """One worker more."""
        with self._lock:
            if not self._workers:
                self._before = confine.dumpable(False)
            self._workers += 1

    def leave(self) -> None:
        """One worker less: after the last all is as it was."""
        with self._lock:
            self._workers -= 1
            if not self._workers:
                confine.dumpable(self._before)


_SHUT = _Shut()


class _Late(Exception):
    """The deadline is over."""


class _Process:
    """A process and its two pipes; killed with its group when it is forgotten, at the latest with
    the interpreter.
    """

    def __init__(self) -> None:
        # our own interpreter with our own code; `-s -P` and the empty environment are what `-I`
        # would be
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-s", "-P", "-B", "-c", BOOT, str(ROOT)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env=dict(ENVIRONMENT), cwd="/", start_new_session=True, bufsize=0,
        )  # fmt: skip
        assert self._process.stdin is not None  # noqa: S101 they are pipes
        assert self._process.stdout is not None  # noqa: S101
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._in, False)
        os.set_blocking(self._out, False)
        self._owner = os.getpid()
        _SHUT.enter()
        self.end = weakref.finalize(self, _end, self._process, self._owner)

    @property
    def ours(self) -> bool:
        """False in a fork of the process that started it."""
        return os.getpid() == self._owner

    def exchange(self, request: bytes, seconds: float) -> bytes:
        """Send a request, wait for the answer; raises _Late, or ModuleError when the process ends
        or says too much.
        """
        deadline = time.monotonic() + seconds
        pending = memoryview(LENGTH.pack(len(request)) + request)
        poll = select.poll()
        poll.register(self._out, select.POLLIN)
        poll.register(self._in, select.POLLOUT)
        found = bytearray()
        due: int | None = None
        while due is None or len(found) < due:
            left = deadline - time.monotonic()
            ready = [handle for handle, _ in poll.poll(max(left, 0.0) * 1000)]
            if not ready:
                raise _Late
            if self._out in ready:
                found += self._read(PIECE)
            elif self._in in ready:
                pending = self._write(pending)
                if not pending:
                    poll.unregister(self._in)
            if due is None and len(found) >= LENGTH.size:
                (size,) = LENGTH.unpack_from(found)
                if size > MOST_ANSWER:
                    raise ModuleError(
                        f"its answer is {size:,} bytes long; at most {MOST_ANSWER:,} are read"
                    )
                due = LENGTH.size + size
        if len(found) != due:
            raise ModuleError(f"it says {len(found) - due:,} bytes more than its answer")
        return bytes(found[LENGTH.size :])

    def _write(self, pending: memoryview) -> memoryview:
        """What is left to send; nothing when nobody reads any more: then the answer ends, and says
        why.
        """
        try:
            return pending[os.write(self._in, pending[:PIECE]) :]
        except BlockingIOError:
            return pending
        except BrokenPipeError:
            return pending[:0]

    def _read(self, most: int) -> bytes:
        with contextlib.suppress(BlockingIOError):
            piece = os.read(self._out, most)
            if not piece:
                raise self._ended()
            return piece
        return b""

    def _ended(self) -> ModuleError:
        """Why the pipe ended."""
        try:
            code = self._process.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            return ModuleError("it closed its channel; its worker was ended")
        if -code in {signal.SIGXCPU, signal.SIGALRM}:
            return DeadlineStruck(
                "it used more processor time than one call may (plugins.seconds); its worker was "
                "ended"
            )
        how = (
            f"was ended by signal {signal.Signals(-code).name}"
            if code < 0
            else f"ended itself with exit code {code}"
        )
        return ModuleError(f"its worker {how}")


def _end(process: subprocess.Popen[bytes], owner: int) -> None:
    """Kill the group and close the pipes; nothing in a fork, which owns none of it."""
    if os.getpid() != owner:
        return
    _SHUT.leave()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
