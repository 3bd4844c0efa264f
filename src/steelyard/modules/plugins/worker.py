"""One worker process for one plugin: started when asked, ended at a deadline, a few times anew.

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
from typing import Any

from steelyard.errors import DeadlineStruck, ModuleError
from steelyard.modules.candidates import Candidates
from steelyard.modules.plugins import channel, codec, confine
from steelyard.modules.plugins.channel import LENGTH, MOST_ANSWER, Array, Fault, pickled, words
from steelyard.modules.plugins.sources import Source
from steelyard.modules.registry import Module
from steelyard.settings import Plugins

MOST_STARTS = 4
"""The first one, and three after deaths."""
START_SECONDS = 60.0
"""For our own imports in the worker, on a machine that has other things to do."""
PIECE = 1 << 20

ARRAYS = ("OMP", "OPENBLAS", "MKL")
ENVIRONMENT = MappingProxyType(
    {"PYTHONHASHSEED": "0", **{f"{name}_NUM_THREADS": "1" for name in ARRAYS}}
)
"""All of it: the same order of sets in every run, one thread for arrays."""
BOOT = (
    "import sys; sys.path.append(sys.argv[1]);"
    " from steelyard.modules.plugins.child import main; main()"
)
ROOT = Path(__file__).resolve().parents[3]
_BEFORE, _LIVING = confine.dumpable(), set[int]()
_LOCK = threading.RLock()  # a worker that is forgotten ends at any moment


class Worker:
    """The process of one plugin, for several threads; a fork of this process starts its own."""

    def __init__(self, source: Source, settings: Plugins) -> None:
        self.source = source
        self.seconds, self.megabytes = settings.seconds, settings.megabytes
        self.dropped: deque[int] = deque()
        """Numbers of what the worker need not keep any more."""
        self._listed: Any = None
        self._lock = threading.RLock()
        self._process: _Process | None = None
        self._sent: dict[str, tuple[Any, int]] = {}
        self._tokens = self._calls = 0
        self.starts = 0
        """Which start this is: what stayed in an earlier one is gone."""

    def start(self) -> None:
        """Begin to start the process, without waiting for it."""
        with self._lock:
            if self.starts == MOST_STARTS:
                raise ModuleError(
                    f"its worker has ended {MOST_STARTS} times and is not started again; nothing of"
                    f" the plugin {self.source.label} runs until the strategy is loaded anew",
                    code="worker_starts",
                    place=self.source.label,
                    limit=MOST_STARTS,
                )
            self.starts += 1
            self._sent, self.dropped = {}, deque()
            self._process = _Process()

    def load(self) -> tuple[tuple[Module, Any], ...]:
        """What the plugin registers; raises ModuleError when a later start says something else."""
        with self._lock:
            self._exchange("start", {"megabytes": self.megabytes}, START_SECONDS)
            value, _ = self._exchange("load", {"source": self.source, "seconds": self.seconds})
            if self._listed not in (None, value):
                self.end()
                raise ModuleError(
                    "started again, it registers something else than before", code="plugin_differs"
                )
            self._listed = value
            return codec.Reader().read(codec.LISTED, value)  # type: ignore[no-any-return]

    def ask(
        self, what: str, facts: Mapping[str, Any], records: Mapping[str, Any] | None = None
    ) -> tuple[Any, tuple[Array, ...]]:
        """Ask the plugin; starts its process when it is not running.

        records   name -> context or table: sent when the worker does not have it yet
        Raises DeadlineStruck when it takes too long, ModuleError for whatever goes wrong in it.
        """
        with self._lock:
            if self._process is None or self._process.owner != os.getpid():  # in a fork
                self.start()
                try:
                    self.load()
                except ModuleError:
                    self.end()
                    raise
            sent = {name: self._record(name, record) for name, record in (records or {}).items()}
            dropped = [self.dropped.popleft() for _ in range(len(self.dropped))]
            full = {**facts, **sent, "dropped": dropped, "seconds": self.seconds}
            return self._exchange(what, full)

    def end(self) -> None:
        """End the process and everything in its group; the next question starts another."""
        with self._lock:
            if self._process is not None:
                self._process.end()
                self._process = None

    def _record(self, name: str, record: Any) -> tuple[int, bytes | None]:
        last, token = self._sent.get(name, (None, 0))
        if last is record:
            return token, None
        self._tokens += 1
        self._sent[name] = (record, self._tokens)
        if isinstance(record, Candidates):  # what row filters answered with is of this process
            record = replace(record, predicates=())
        return self._tokens, pickled(record)

    def _exchange(
        self, what: str, facts: Mapping[str, Any], most: float | None = None
    ) -> tuple[Any, tuple[Array, ...]]:
        process, seconds = self._process, most or self.seconds
        assert process is not None  # noqa: S101 whoever asks has started it
        self._calls += 1
        try:
            frame = process.exchange(pickled((what, {**facts, "call": self._calls})), seconds)
        except ModuleError:
            self.end()
            raise
        answer, arrays = channel.read_answer(frame)
        if answer.call != self._calls:
            self.end()
            raise ModuleError(
                "it answered another question than it was asked; its worker was ended",
                code="answer_to_another",
            )
        if answer.fault is not None:
            raise _error(answer.fault, self.source.label)
        return answer.value, arrays


def _error(fault: Fault, label: str) -> ModuleError:
    """The error of a plugin: ours by its text, others by type and text, and where in the plugin."""
    ours = fault.type == ModuleError.__name__
    parts = [fault.text] if ours else [fault.type, *filter(None, [fault.text])]
    where = "" if fault.line is None else f" ({label} line {fault.line})"
    return ModuleError(
        words(": ".join(parts)) + where,
        code="plugin_raised",
        place=label if fault.line is None else f"{label} line {fault.line}",
    )


def _shut(worker: int, *, living: bool) -> None:
    """Shut the planner's memory and environment while workers live: they are of the same user."""
    with _LOCK:
        (_LIVING.add if living else _LIVING.discard)(worker)
        confine.dumpable(_BEFORE and not _LIVING)


class _Process:
    """A process and its two pipes, killed with its group when forgotten, or with this one."""

    def __init__(self) -> None:
        # our interpreter and our code; `-s -P` and the empty environment are what `-I` would be
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
        self.owner = os.getpid()
        _shut(self._process.pid, living=True)
        self.end = weakref.finalize(self, _end, self._process, self.owner)

    def exchange(self, request: bytes, seconds: float) -> bytes:
        """Send, wait for the answer; DeadlineStruck, or ModuleError for an end and for too much."""
        deadline = time.monotonic() + seconds
        pending = memoryview(LENGTH.pack(len(request)) + request)
        poll = select.poll()
        poll.register(self._out, select.POLLIN)
        poll.register(self._in, select.POLLOUT)
        frame = bytearray()
        due: int | None = None
        while due is None or len(frame) < due:
            rest = deadline - time.monotonic()
            ready = [handle for handle, _ in poll.poll(max(rest, 0.0) * 1000)]
            if not ready:
                late = f"it took longer than {seconds:g} s (plugins.seconds); its worker was ended"
                raise DeadlineStruck(
                    late, code="plugin_too_slow", place="plugins.seconds", limit=f"{seconds:g} s"
                )
            if self._out in ready:
                frame += self._read(PIECE)
            elif self._in in ready:
                pending = self._write(pending)
                if not pending:
                    poll.unregister(self._in)
            if due is None and len(frame) >= LENGTH.size:
                (size,) = LENGTH.unpack_from(frame)
                if size > MOST_ANSWER:
                    raise ModuleError(
                        f"its answer has {size:,} bytes; at most {MOST_ANSWER:,}",
                        code="answer_too_large",
                        value=size,
                        limit=MOST_ANSWER,
                    )
                due = LENGTH.size + size
        if len(frame) != due:
            raise ModuleError(
                f"it says {len(frame) - due:,} bytes more than its answer",
                code="answer_over_length",
                value=len(frame) - due,
                limit=0,
            )
        return bytes(frame[LENGTH.size :])

    def _write(self, pending: memoryview) -> memoryview:
        """What is still to send; nothing when nobody reads: then the answer ends, and says why."""
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
            return ModuleError("it closed its channel; its worker was ended", code="worker_silent")
        if -code in {signal.SIGXCPU, signal.SIGALRM}:
            why = "it used more processor time than one call may (plugins.seconds)"
            return DeadlineStruck(
                f"{why}; its worker was ended",
                code="plugin_processor_time",
                place="plugins.seconds",
            )
        if code < 0:
            return ModuleError(
                f"its worker was ended by signal {signal.Signals(-code).name}",
                code="worker_signalled",
                value=signal.Signals(-code).name,
            )
        return ModuleError(
            f"its worker ended itself with exit code {code}", code="worker_exited", value=code
        )


def _end(process: subprocess.Popen[bytes], owner: int) -> None:
    """Kill the group and close the pipes; nothing in a fork, which owns none of it."""
    if os.getpid() != owner:
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()
    _shut(process.pid, living=False)
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
