"""The documents' circuit breaker: the one of `telemetry.health`, in memory and for one planner."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from steelyard.telemetry.breaker import Moment, Rules, state_of
from steelyard.telemetry.health import Circuits, Health, this_moment


class CircuitBreaker(Health):
    """Counts failures in a row of each module, by qualified name like `filters.eligibility`.

    A name without its kind, like `profit_taking`, stands for every module of that name, as in the
    documents; a new version does not start anew.

    failure_threshold   failures in a row that put a module out of service
    timeout             how long, until one run may try
    Raises ValidationError for a threshold or a timeout out of range.
    """

    def __init__(
        self,
        failure_threshold: int = 3,
        timeout: timedelta = timedelta(minutes=5),
        *,
        now: Callable[[], Moment] = this_moment,
    ) -> None:
        rules = Rules(failure_threshold=failure_threshold, open_seconds=timeout.total_seconds())
        super().__init__({}, rules, now=now)

    def key(self, name: str, version: str) -> str:  # noqa: ARG002
        """The name itself."""
        return name

    def keys(self, name: str, version: str, circuits: Circuits) -> list[str]:  # noqa: ARG002
        """What is on record of a module: under its qualified name, or under its name alone."""
        alone = name.rpartition(".")[2]
        return [key for key in circuits if key in {name, alone} or name == key.rpartition(".")[2]]

    def is_open(self, module_name: str) -> bool:
        """Is the module out of service? False when one run may try."""
        circuits, now = self.circuits(), self.now()
        keys = self.keys(module_name, "", circuits)
        return "open" in [state_of(circuits[key], self.rules, now) for key in keys]

    def record_success(self, module_name: str) -> None:
        """Forget the failures of a module."""
        self.record([(module_name, "", None)])

    def record_failure(self, module_name: str, error: str = "failed") -> None:
        """Count a failure."""
        self.record([(module_name, "", error)])
