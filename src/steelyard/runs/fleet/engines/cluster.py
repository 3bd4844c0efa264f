"""A fleet on Dask distributed, as a bare executor: slices out, rows in, nothing else is used of it.

At most so many slices are on their way at once, for a scheduler gets slow with a hundred thousand
tasks. What the accounts have in common is a plugin of the workers: each gets it once, also one that
is started later in place of one that died. The scheduler keeps nothing that would be missed: what
came back is in the store, what did not is handed out again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager, suppress
from itertools import islice
from tempfile import TemporaryDirectory
from typing import Any, Final

import distributed
from distributed import WorkerPlugin

from steelyard.errors import InputError, OtherBuild, ServiceError, SteelyardError
from steelyard.importers.values import NOTHING
from steelyard.runs.code import code_sha256
from steelyard.runs.fleet.engines import Chunk, Done, Work
from steelyard.runs.fleet.shared import Packed
from steelyard.runs.fleet.threads import ONE_THREAD
from steelyard.runs.fleet.worker import Planned, begin

WINDOW: Final = 200
"""Slices on their way at once."""
CONNECT_S: Final = 5.0
WORKERS_S: Final = 30.0
"""How long a scheduler may be without any worker."""
SILENT: Final = logging.CRITICAL + 1
"""Above every level: what goes wrong is said by us, once."""
LOOK_S: Final = 0.5
SHOWN: Final = 12
DASK: Any = distributed
"""The same, whose functions have no types."""


class Ready(WorkerPlugin):
    """Makes a worker ready for a run."""

    def __init__(self, packed: Packed, code: str) -> None:
        self.packed, self.code, self.name = packed, code, f"steelyard-{packed.key}"

    def setup(self, worker: Any) -> None:
        """Raises OtherBuild where the worker's Steelyard is not that of the run."""
        here = code_sha256()
        if here != self.code:
            raise OtherBuild(
                f"The worker {worker.address} has another Steelyard: its code is {here[:SHOWN]}, "
                f"that of the run {self.code[:SHOWN]}. {NOTHING} Install the same on both.",
                code="fleet_other_code",
                place=str(worker.address),
                value=here,
                limit=self.code,
                hint="install the same Steelyard on both",
            )
        begin(self.packed)


class Cluster:
    """A scheduler and its workers; without an address, ones that are started and ended here."""

    def __init__(self, address: str | None, workers: int) -> None:
        self.address, self.workers = address, workers
        self._client: Any = None
        self._key = ""
        self._count = 0
        self._without_since: float | None = None

    @contextmanager
    def begin(self, packed: Packed) -> Iterator[None]:
        """Workers that are ready; raises ServiceError where nothing answers."""
        for name in ("distributed", *logging.root.manager.loggerDict):
            if name.partition(".")[0] == "distributed":  # some of them have levels of their own
                logging.getLogger(name).setLevel(SILENT)
        with ExitStack() as stack:
            address = self.address or stack.enter_context(_local(self.workers))
            self._client = _connected(address)
            stack.callback(self._close)
            self._key = packed.key
            self._make_ready(packed)
            self._wait_for_workers()
            yield

    def map(self, work: Work, chunks: Iterable[Chunk], window: int = 0) -> Iterator[Done]:
        """What the chunks came to; of one whose workers died again and again, None.

        Raises ServiceError when the scheduler, or its last worker, is gone.
        """
        source, running = iter(chunks), dict[Any, Chunk]()
        while True:
            for chunk in islice(source, (window or WINDOW) - len(running)):
                running[self._submit(work, chunk)] = chunk
            if not running:
                return
            for future in self._done(running):
                yield running.pop(future), self._result(future)

    def _submit(self, work: Work, chunk: Chunk) -> Any:
        self._count += 1
        name = f"steelyard-{id(self)}-{self._count}"
        return self._client.submit(work, self._key, chunk.tasks, key=name, pure=False)

    def _done(self, running: Iterable[Any]) -> list[Any]:
        """Those that are done by now, after a short wait."""
        try:
            with suppress(TimeoutError), self._client.as_current():
                DASK.wait(list(running), timeout=LOOK_S, return_when="FIRST_COMPLETED")
        except CancelledError as error:
            raise _gone(self.address) from error
        if self._client.status != "running":
            raise _gone(self.address)
        done = [future for future in running if future.status != "pending"]
        if not done:
            self._wait_for_workers()
        return done

    def _result(self, future: Any) -> list[Planned] | None:
        if future.status in {"cancelled", "lost"}:
            raise _gone(self.address)
        if future.status == "error" and isinstance(future.exception(), DASK.KilledWorker):
            return None
        planned: list[Planned] = future.result()
        return planned

    def _make_ready(self, packed: Packed) -> None:
        """Every worker, also those that come later; raises OtherBuild, ServiceError."""
        try:
            self._client.register_plugin(Ready(packed, code_sha256()))
        except SteelyardError:
            raise
        except Exception as error:  # whatever a worker says that has no Steelyard, or an old one
            reason = f"{type(error).__name__}: {error}"
            raise ServiceError(
                f"A worker of {self.address or 'the cluster'} cannot be made ready: {reason}. "
                f"{NOTHING} Install the same Steelyard there.",
                code="fleet_worker_unfit",
                place="--address",
                value=reason,
                hint="install the same Steelyard on every worker",
            ) from error

    def _wait_for_workers(self) -> None:
        """Raise ServiceError once there has been no worker for too long."""
        while not self._client.nthreads():
            now = time.monotonic()
            self._without_since = self._without_since or now
            if now - self._without_since > WORKERS_S:
                raise ServiceError(
                    f"The scheduler {self.address} has had no worker for {WORKERS_S:.0f} seconds. "
                    "What was planned is kept. Start one: dask worker ADDRESS. The same command "
                    "goes on.",
                    code="fleet_without_workers",
                    place="--address",
                    value=self.address,
                    limit=WORKERS_S,
                    hint="start one: dask worker ADDRESS",
                )
            time.sleep(LOOK_S)
        self._without_since = None

    def _close(self) -> None:
        client, self._client = self._client, None
        with suppress(Exception):  # whatever is still there of it ends with this process
            client.close(timeout=CONNECT_S)


@contextmanager
def _local(workers: int) -> Iterator[str]:
    """The address of a cluster on this machine, whose files are gone with it."""
    with TemporaryDirectory(prefix="steelyard-fleet-") as folder:
        cluster = DASK.LocalCluster(
            n_workers=workers, threads_per_worker=1, processes=True, host="127.0.0.1",
            dashboard_address=None, local_directory=folder, silence_logs=SILENT,
            env=dict.fromkeys(ONE_THREAD, "1"),
        )  # fmt: skip
        try:
            yield str(cluster.scheduler_address)
        finally:
            cluster.close(timeout=CONNECT_S)


def _connected(address: str) -> Any:
    try:
        return DASK.Client(address, timeout=CONNECT_S, set_as_default=False, name="steelyard-fleet")
    except (OSError, TimeoutError) as error:
        raise ServiceError(
            f"No scheduler of Dask answers at {address} ({CONNECT_S:.0f} seconds). {NOTHING} Start "
            "one with: dask scheduler, or leave --address out for a cluster on this machine.",
            code="fleet_no_scheduler",
            place="--address",
            value=address,
            hint="start one with: dask scheduler",
        ) from error
    except (ValueError, TypeError) as error:
        raise InputError(
            f"--address is {address!r}, which is no address of a scheduler: {error}. {NOTHING} "
            "Write tcp://HOST:8786.",
            code="fleet_bad_address",
            place="--address",
            value=address,
            limit="tcp://HOST:PORT",
            hint="write tcp://HOST:8786",
        ) from error


def _gone(address: str | None) -> ServiceError:
    return ServiceError(
        f"The scheduler {address or 'of this machine'} is gone. What was planned is kept. Start it "
        "again: the same command goes on.",
        code="fleet_scheduler_gone",
        place="--address",
        value=address,
        hint="start it again: the same command goes on",
    )
