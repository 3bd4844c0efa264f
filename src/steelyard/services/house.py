"""What a service stands in: its folder, its database, its clock, its settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from os import cpu_count
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

from anyio import CapacityLimiter

from steelyard import environment
from steelyard.calculations.cache import Calculations, calculations_from
from steelyard.execution.journal.opening import FILE as JOURNAL
from steelyard.planning.solve import LOCAL, Steps
from steelyard.runs.planners import Planners
from steelyard.services.answers import Answers
from steelyard.services.topology import Topology
from steelyard.store.opening import open_store, path_of
from steelyard.store.state import Seen, State
from steelyard.store.store import Store
from steelyard.telemetry.metrics import Meters
from steelyard.telemetry.traces import Traces

if TYPE_CHECKING:
    from steelyard.services.security.pages import Pages

CHECKS_AT_ONCE = 4


def utc_now() -> datetime:
    """The time of this machine's clock."""
    return datetime.now(UTC)


@dataclass
class House:
    """One process's surroundings; `variables` are its environment.

    utc      the clock
    port     where this process listens: the Host header must name it; 0 = where a request comes in
    hosts    names and addresses, beside those of loopback, under which it is asked: `name`, or
             `name:port` where the port is another
    seconds  a clock that only goes on, for what is granted in a while
    meters   what it counts and times, for /metrics
    traces   makes spans, where they are asked for
    topology who listens where
    steps    what carries a plan that is made here
    ending   what is done when it closes
    planning whoever plans takes a place of it: there are as many as processors
    checking places of those who only ask how it is: whoever works takes none of them
    comparing the place of whoever compares strategies to look at: nobody waits for a plan meanwhile
    answers  of reads, as long as the database stays as it is
    calculations  of plans before, shared by all that plan here
    pages    those for people, where this process has them
    """

    variables: Mapping[str, str]
    utc: Callable[[], datetime] = utc_now
    port: int = 0
    hosts: tuple[str, ...] = ()
    seconds: Callable[[], float] = monotonic
    meters: Meters = field(default_factory=Meters, repr=False)
    traces: Traces = field(default_factory=Traces, repr=False)
    topology: Topology = field(default_factory=Topology)
    steps: Callable[[], Steps] = lambda: LOCAL
    ending: list[Callable[[], object]] = field(default_factory=list, repr=False)
    planning: CapacityLimiter = field(
        default_factory=lambda: CapacityLimiter(cpu_count() or 1), repr=False
    )
    checking: CapacityLimiter = field(
        default_factory=lambda: CapacityLimiter(CHECKS_AT_ONCE), repr=False
    )
    comparing: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1), repr=False)
    answers: Answers = field(default_factory=Answers, repr=False)
    pages: Pages | None = field(default=None, repr=False)
    _states: tuple[State, ...] = field(default=(), repr=False)
    _store: Store | None = field(default=None, repr=False)
    _planners: Planners | None = field(default=None, repr=False)
    _opening: Lock = field(default_factory=Lock, repr=False)

    @cached_property
    def calculations(self) -> Calculations:
        """The cache of this process, made at its first use; raises SettingsError."""
        calculations = calculations_from(self.variables, self.seconds)
        self.meters.calculations(calculations.counts)
        return calculations

    @property
    def home(self) -> Path:
        """Where Steelyard keeps its files."""
        return environment.home(self.variables)

    def store(self) -> Store:
        """The database, opened at its first use and then shared; raises StoreError.

        Blocks: handlers that call this are plain functions, which run in a thread.
        """
        with self._opening:
            if self._store is None:
                self._store = open_store(environment.database(self.variables), now=self.utc)
            return self._store

    def state(self) -> tuple[Seen, Seen] | None:
        """The state of database and journal; None where it cannot be told. Blocks as `store`."""
        store = self.store()
        with self._opening:
            if not self._states:
                self._states = State(path_of(store)), State(self.home / JOURNAL)
        stored, journal = (state.now() for state in self._states)
        return None if stored is None or journal is None else (stored, journal)

    def planners(self) -> Planners:
        """The strategies of its buckets, read once for as long as they stay; blocks as `store`."""
        store = self.store()
        with self._opening:
            if self._planners is None:
                self._planners = Planners(store)
            return self._planners

    def close(self) -> None:
        """Close what was opened."""
        self.traces.close()
        while self.ending:
            self.ending.pop()()
        with self._opening:
            if self._store is not None:
                self._store.close()
                self._store = self._planners = None
            for state in self._states:
                state.close()
            self._states = ()


@contextmanager
def open_house(variables: Mapping[str, str], port: int = 0) -> Iterator[House]:
    """A house, closed at the end: for programs that ask a service within their own process."""
    house = House(variables, port=port)
    try:
        yield house
    finally:
        house.close()
