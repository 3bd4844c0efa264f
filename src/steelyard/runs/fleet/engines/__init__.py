"""Who plans the accounts of a fleet: `map(work, chunks)`, what comes back in the order it is done.

    serial      this process
    processes   processes of this machine
    cluster     Dask distributed, the extra [distributed]: a cluster somewhere, or one on this
                machine for as long as it takes

An engine decides nothing: which slices there are, who holds them and what they came to is in the
store. A worker that dies costs its slice, which is handed out again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from steelyard.errors import InputError
from steelyard.importers.values import NOTHING
from steelyard.runs.fleet.folder import Task
from steelyard.runs.fleet.shared import Packed
from steelyard.runs.fleet.threads import usable_cores
from steelyard.runs.fleet.worker import Planned
from steelyard.store.leases import Lease

Name = Literal["serial", "processes", "dask"]
NAMES: Final[tuple[Name, ...]] = ("serial", "processes", "dask")
EXTRA: Final = "distributed"
WORKERS: Final = 2
"""Processes of a cluster that a run starts for itself."""
MOST_WORKERS: Final = 1_024
WORTH_PROCESSES: Final = 8
"""Accounts from which on processes are quicker than one."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A slice that this process holds, and its accounts."""

    lease: Lease
    tasks: tuple[Task, ...]


Work = Callable[[str, tuple[Task, ...]], list[Planned]]
Done = tuple[Chunk, list[Planned] | None]
"""A chunk and what it came to; None = the worker that had it is dead."""


class Engine(Protocol):
    """Plans chunks."""

    def begin(self, packed: Packed) -> AbstractContextManager[object]:
        """Workers that have what a run has in common, for as long as the block lasts."""

    def map(self, work: Work, chunks: Iterable[Chunk], window: int = 0) -> Iterator[Done]:
        """What the chunks came to, each as soon as it is done.

        chunks   asked for one only when there is room for it
        window   how many may be on their way; 0 = as many as the engine likes
        """


def engine_of(name: Name, address: str | None = None, workers: int | None = None) -> Engine:
    """An engine by its name; raises InputError for what goes not together, or is not installed.

    address   of a scheduler of Dask
    workers   processes; None = one for each core, of a cluster of its own two
    """
    if workers is not None and not 1 <= workers <= MOST_WORKERS:
        raise _not_together(f"--workers is {workers}: from 1 to {MOST_WORKERS:,}", "--workers")
    if address is not None and name != "dask":
        raise _not_together("--address is of a scheduler of Dask: add --engine dask", "--address")
    if address is not None and workers is not None:
        raise _not_together("the cluster at --address has its own workers", "--workers")
    if name == "serial":
        if workers not in {None, 1}:
            raise _not_together("--engine serial is one process: try processes", "--workers")
        from steelyard.runs.fleet.engines.serial import Serial  # noqa: PLC0415 one is needed

        return Serial()
    if name == "processes":
        from steelyard.runs.fleet.engines.processes import Processes  # noqa: PLC0415 likewise

        return Processes(workers or usable_cores())
    return _cluster(address, workers or WORKERS)


def _cluster(address: str | None, workers: int) -> Engine:
    try:
        from steelyard.runs.fleet.engines.cluster import Cluster  # noqa: PLC0415 an extra
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"distributed", "dask"}:
            raise
        install = f"pip install 'steelyard[{EXTRA}]'"
        raise InputError(
            f"--engine dask needs Dask distributed, which is not installed. {NOTHING} Install it: "
            f"{install}. --engine processes needs nothing.",
            code="fleet_no_dask",
            place="--engine",
            value="dask",
            hint=install,
        ) from error
    engine: Any = Cluster(address, workers)
    return engine  # type: ignore[no-any-return]


def usual(accounts: int) -> Name:
    """The engine of who names none: processes take a second to start."""
    return "processes" if accounts >= WORTH_PROCESSES and usable_cores() > 1 else "serial"


def _not_together(reason: str, place: str) -> InputError:
    return InputError(
        f"{reason}. {NOTHING}", code="fleet_engine", place=place, limit=reason, hint=reason
    )
