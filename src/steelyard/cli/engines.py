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
from steelyard.errors import PlanRefused, StoreError

if TYPE_CHECKING:
    from steelyard.cli.options import Inputs
    from steelyard.engine import Engine, EngineSettings
    from steelyard.planning.solve import Solution
    from steelyard.rebalance.watch import Watched
    from steelyard.telemetry.events import Observe

MOST_NAMED = 5


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
            from steelyard.rebalance.planned import Account
            from steelyard.rebalance.watch import watch

            account = Account.of(solution.case, solution.valuation, solution.ctx)
            watched = watch(account)
            if watched is not None and watched.unexplained:
                self._differ(watched, inputs.imported.snapshot.bucket, observe)

        return compare

    def end(self) -> None:
        """End with 1 where the engines differ and that is an alert."""
        if self.differ and self.settings.on_divergence != "log":
            raise typer.Exit(FAILED)

    def _differ(self, watched: Watched, bucket: str, observe: Observe | None) -> None:
        from steelyard.telemetry.events import EnginesDiffer

        self.differ = True
        rows, action = watched.unexplained, self.settings.on_divergence
        texts = [f"{row.symbol}: {row.difference}" for row in rows]
        event = EnginesDiffer(len(rows), texts[:MOST_NAMED], action)
        (observe or _kept(bucket))(event)
        more = f" and {len(texts) - MOST_NAMED} more" if len(texts) > MOST_NAMED else ""
        what = f"The engines differ in {len(rows)} of {len(watched.rows)} symbols, unexplained: "
        what += f"{'; '.join(texts[:MOST_NAMED])}{more}."
        if action == "block":
            raise PlanRefused(
                f"{what} No plan was made (engine.on_divergence is block). Set it to alert to see "
                "the plan.",
                code="engines_differ",
                place=rows[0].symbol,
                value=len(rows),
                limit=0,
                hint="set engine.on_divergence to alert to see the plan",
            )
        note(what)


def _kept(bucket: str) -> Observe:
    """Keeps one event by itself; where that cannot be, the line on stderr alone tells of it."""
    from datetime import UTC, datetime

    from steelyard.cli.stored import opened, run_id
    from steelyard.store.events import append
    from steelyard.telemetry.events import Event, PlannerEvent
    from steelyard.telemetry.recorder import stamped

    def keep(event: PlannerEvent) -> None:
        with suppress(StoreError), opened() as store:
            append(store, [event])

    def observe(event: Event) -> None:
        stamped(bucket, run_id(), lambda: datetime.now(UTC), [keep])(event)

    return observe
