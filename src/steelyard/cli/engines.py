"""Which engine plans, and the other one beside it: `[engine]` of $STEELYARD_HOME/execution.toml.

Where both agree nothing is said. A difference that nothing explains is a line on stderr and an
event that is kept; then `engine.on_divergence` decides: `log` goes on, `alert` ends with 1, `block`
makes no plan.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import typer

from steelyard.cli.output import FAILED, note
from steelyard.errors import StoreError

if TYPE_CHECKING:
    from steelyard.cli.options import Inputs
    from steelyard.engine import Engine, EngineSettings
    from steelyard.planning.solve import Solution
    from steelyard.telemetry.events import Event, Observe, PlannerEvent


@dataclass
class Engines:
    """The settings of one run, frozen when it begins, and what was met.

    asked   the engine that the command itself names
    """

    settings: EngineSettings
    asked: Engine | None = None
    differ: bool = field(default=False, init=False)

    @classmethod
    def read(cls, environment: Mapping[str, str], asked: Engine | None = None) -> Engines:
        """As the user set them; raises SettingsError."""
        from steelyard.engine import read_engine
        from steelyard.environment import home

        return cls(read_engine(home(environment), environment), asked)

    def of(self, inputs: Inputs) -> Engine:
        """Which engine plans; without targets only the planner can."""
        if self.asked is not None or self.settings.active == "fast":
            return self.asked or "fast"
        from steelyard.targets import Targets

        if isinstance(inputs.imported.targets, Targets):
            return "reference"
        note("engine.active is reference, which needs targets; without them the planner plans.")
        return "fast"

    def watching(
        self, inputs: Inputs, observe: Observe | None
    ) -> Callable[[Solution], None] | None:
        """What compares both engines on what a plan was made of; None where nobody watches."""
        if self.settings.shadow == "none":
            return None

        def compare(solution: Solution) -> None:
            from steelyard.runs.solving import compared

            bucket, action = inputs.imported.snapshot.bucket, self.settings.on_divergence
            if what := compared(solution, action, observe or _kept(bucket)):
                self.differ = True
                note(what)

        return compare

    def end(self) -> None:
        """End with 1 where the engines differ and that is an alert."""
        if self.differ and self.settings.on_divergence != "log":
            raise typer.Exit(FAILED)


def _kept(bucket: str) -> Observe:
    """Keeps one event by itself; where that cannot be, the line on stderr alone tells of it.

    The library of databases is loaded when there is one to keep, and not before.
    """

    def observe(event: Event) -> None:
        from datetime import UTC, datetime

        from steelyard.cli.stored import opened, run_id
        from steelyard.store.events import append
        from steelyard.telemetry.recorder import stamped

        def keep(entry: PlannerEvent) -> None:
            with suppress(StoreError), opened() as store:
                append(store, [entry])

        stamped(bucket, run_id(), lambda: datetime.now(UTC), [keep])(event)

    return observe
