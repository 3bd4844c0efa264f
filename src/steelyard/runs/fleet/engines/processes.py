"""A fleet on processes of this machine.

They are started anew (spawn): a fork while libraries have threads may hang. What they have in
common lies in a file that each reads once. A worker ends with the process that started it, also
where that was killed, and leaves Ctrl-C to it.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing import connection
from pathlib import Path
from tempfile import TemporaryDirectory

from steelyard.runs.fleet.engines import Chunk, Done, Work
from steelyard.runs.fleet.shared import Packed
from steelyard.runs.fleet.threads import ONE_THREAD
from steelyard.runs.fleet.worker import Planned
from steelyard.runs.fleet.worker import begin as make_ready

AHEAD = 2
"""Chunks on their way for each worker: one that it works at, one that it goes on with."""
Running = dict["Future[list[Planned]]", Chunk]


class Processes:
    """A pool of workers, made again where one of them dies."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._key, self._file = "", Path()
        self._pool: ProcessPoolExecutor | None = None

    @contextmanager
    def begin(self, packed: Packed) -> Iterator[None]:
        """Workers for as long as the block lasts; whatever ends it, they end with it."""
        before = {child.pid for child in multiprocessing.active_children()}
        environment = {name: os.environ.get(name) for name in ONE_THREAD}
        with TemporaryDirectory(prefix="steelyard-fleet-") as folder:
            self._key, self._file = packed.key, Path(folder) / "shared"
            self._file.write_bytes(pickle.dumps(packed))
            os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
            try:
                yield
            finally:
                self._end(before)
                for name, value in environment.items():
                    if value is None:
                        os.environ.pop(name, None)
                    else:
                        os.environ[name] = value

    def map(self, work: Work, chunks: Iterable[Chunk], window: int = 0) -> Iterator[Done]:
        """What the chunks came to; of one whose worker died, None."""
        source, running = iter(chunks), Running()
        most = window or AHEAD * self.workers
        while True:
            for chunk in islice(source, most - len(running)):
                running[self._submit(work, chunk)] = chunk
            if not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield running.pop(future), self._result(future)

    def _submit(self, work: Work, chunk: Chunk) -> Future[list[Planned]]:
        try:
            return self._workers().submit(work, self._key, chunk.tasks)
        except BrokenProcessPool:  # one died since the last result
            self._pool = None
            return self._workers().submit(work, self._key, chunk.tasks)

    def _result(self, future: Future[list[Planned]]) -> list[Planned] | None:
        try:
            return future.result()
        except BrokenProcessPool:
            self._pool = None  # all of its workers are ended: the next chunk gets new ones
            return None

    def _workers(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self.workers,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=ready,
                initargs=(str(self._file),),
            )
        return self._pool

    def _end(self, before: set[int | None]) -> None:
        """End the workers, also in the middle of an account."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None
        ours = [child for child in multiprocessing.active_children() if child.pid not in before]
        for child in ours:
            child.terminate()
        for child in ours:
            child.join()


def ready(file: str) -> None:
    """The first thing that a worker does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        watch = threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True)
        watch.start()
    make_ready(pickle.loads(Path(file).read_bytes()))  # noqa: S301 - written by the parent


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)
