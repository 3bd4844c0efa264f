"""A plan handed over to the runner, and its run followed in the journal until it stands."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from steelyard.cli.output import if_signalled, note
from steelyard.cli.trading import Wish, folder
from steelyard.errors import NotExecuted

if TYPE_CHECKING:
    from steelyard.execution.journal.journal import Journal
    from steelyard.execution.journal.rows import RunRow

LOOK_S = 0.2
ASK_EVERY = 5
"""Looks between two questions to the runner: is it still at it?"""
MOST_LOOKS = 50


def handed_over(entry: Journal, wish: Wish) -> RunRow:
    """The run that the runner made of a plan, as it stands when the runner is done with it.

    Raises NotExecuted where there is no runner, where it refuses, and where it dies meanwhile.
    """
    from steelyard.execution.runner.client import ask

    request: dict[str, Any] = {
        "request": "execute",
        "plan_id": wish.saved.plan.plan_id,
        "broker": wish.broker,
        "account": wish.account,
        "live": wish.live,
    }
    run_id = str(ask(folder(), request)["run"]["run_id"])
    note(f"The runner has it, as the run {run_id}.")
    if_signalled(f"The runner goes on with the run {run_id}. See: steelyard runs {run_id}")
    return _followed(entry, run_id)


def _followed(entry: Journal, run_id: str) -> RunRow:
    from steelyard.execution.journal import rows
    from steelyard.execution.states import RUN_OVER

    looks = 0
    while True:
        run = rows.run(entry, run_id)
        if run.state in RUN_OVER:
            _until_done(run_id)
            return run
        if looks % ASK_EVERY == ASK_EVERY - 1 and not _at_it(run_id):
            return rows.run(entry, run_id)  # it may have ended between the two looks
        time.sleep(LOOK_S)
        looks += 1


def _until_done(run_id: str) -> None:
    """Wait while the runner still writes down what a run that is over left in its bucket."""
    with suppress(NotExecuted):  # it may be gone: the run is over as it is
        for _ in range(MOST_LOOKS):
            if not _at_it(run_id):
                return
            time.sleep(LOOK_S)


def _at_it(run_id: str) -> bool:
    """Is the runner at that run? Raises NotExecuted where it is gone."""
    from steelyard.execution.runner.client import ask

    now = ask(folder(), {"request": "status"})["run"]
    return isinstance(now, dict) and now.get("run_id") == run_id
