"""The documents' circuit breaker: in memory, for one planner, by the rules that the command line's
health file follows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from threading import RLock
from typing import Protocol

from steelyard.telemetry.breaker import (
    Circuit,
    Moment,
    Rules,
    State,
    after_failure,
    reason,
    state_of,
)
from steelyard.telemetry.health import Outcome, this_moment


class Keeper(Protocol):
    """Who knows which modules are out of service: this breaker, or `telemetry.health.Health` with
    its file.
    """

    def out_of_service(self, versions: Mapping[str, str]) -> dict[str, str]:
        """Why modules may not run, by qualified name; `versions` of those about to run."""

    def record(self, outcomes: Iterable[Outcome]) -> None:
        """What became of the modules that ran."""


class CircuitBreaker:
    """Counts failures in a row of each module, by qualified name like `filters.eligibility`.

    A name without its kind, like `profit_taking`, stands for every module of that name, as in the
    documents.

    failure_threshold   failures in a row that put a module out of service
    timeout             how long, until one run may try
    now                 tells the moment
    Raises ValidationError for a threshold or a timeout out of range.
    """

    def __init__(
        self,
        failure_threshold: int = 3,
        timeout: timedelta = timedelta(minutes=5),
        *,
        now: Callable[[], Moment] = this_moment,
    ) -> None:
        self.rules = Rules(
            failure_threshold=failure_threshold, open_seconds=timeout.total_seconds()
        )
        self.now = now
        self._circuits: dict[str, Circuit] = {}
        self._tried: dict[str, Circuit] = {}
        self._lock = RLock()

    def is_open(self, module_name: str) -> bool:
        """Is the module out of service? False when one run may try."""
        with self._lock:
            return any(self._is(key, "open") for key in self._keys(module_name))

    def record_success(self, module_name: str) -> None:
        """Forget the failures of a module."""
        with self._lock:
            for key in self._keys(module_name):
                del self._circuits[key]

    def record_failure(self, module_name: str, error: str = "failed") -> None:
        """Count a failure."""
        with self._lock:
            self._circuits[module_name] = after_failure(
                self._circuits.get(module_name), error, self.now()
            )

    def out_of_service(self, versions: Mapping[str, str]) -> dict[str, str]:
        """See `Keeper`; a half-open module is left to this run, which must `record` it."""
        with self._lock:
            found = {
                name: [key for key in self._keys(name) if self._is(key, "open")]
                for name in sorted(versions)
            }
            out = {
                name: reason(self._circuits[keys[0]], self.rules)
                for name, keys in found.items()
                if keys
            }
            for key in {key for name in versions.keys() - out.keys() for key in self._keys(name)}:
                if self._is(key, "half-open"):
                    self._tried[key] = self._circuits[key]
                    self._circuits[key] = self._circuits[key].model_copy(
                        update={"since": self.now()}
                    )
            return out

    def record(self, outcomes: Iterable[Outcome]) -> None:
        """See `Keeper`; a module that was to be tried and did not run may be tried again."""
        with self._lock:
            for name, _, error in outcomes:
                for key in self._keys(name):
                    self._tried.pop(key, None)
                if error is None:
                    self.record_success(name)
                else:
                    self.record_failure(name, error)
            self._circuits |= self._tried
            self._tried.clear()

    def _keys(self, module_name: str) -> list[str]:
        """What was recorded of a module: under its qualified name, or under its name alone."""
        name = module_name.rpartition(".")[2]
        return [
            key
            for key in self._circuits
            if key in {module_name, name} or module_name == key.rpartition(".")[2]
        ]

    def _is(self, key: str, state: State) -> bool:
        return state_of(self._circuits[key], self.rules, self.now()) == state
