"""The runner is asked to trade a plan, and its answer in words: what has and has not happened."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from steelyard.environment import command
from steelyard.errors import NotExecuted
from steelyard.execution.runner.client import ask
from steelyard.execution.runner.requests import RECOVERING
from steelyard.runs.approval.facts import Broker, Surroundings
from steelyard.store.approvals import Became
from steelyard.store.plans import SHOWN_DIGITS

PATIENCE_S = 20.0
"""How long a page waits for the run to begin; it may begin later."""
STATUS_S = 1.0
AGAIN_S = 0.25
"""Before a runner that has just begun is asked again."""
NOBODY = frozenset({"no_runner", "runner_silent"})
UNSURE = frozenset({"runner_slow", "runner_failed"})


def hand_over(
    where: Surroundings, plan_id: str, broker: Broker, account: str, seconds: float = PATIENCE_S
) -> Became:
    """What came of it; nothing is raised: whatever it is, it is written down beside the approval.

    The same plan handed over twice is one run.
    """
    own = account if broker == "paper" else None
    request = {
        "request": "execute",
        "plan_id": plan_id,
        "broker": broker,
        "account": own,
        "live": False,
    }
    end = time.monotonic() + seconds
    while True:
        try:
            answer = ask(where.home, request, max(end - time.monotonic(), STATUS_S))
        except NotExecuted as error:
            # one that was just started looks first whether anything was interrupted
            begins = error.fault.code == "runner_busy" and error.fault.value == RECOVERING
            if begins and time.monotonic() < end:
                time.sleep(AGAIN_S)
                continue
            return _became(error, plan_id, where.environment)
        return Became("handed_over", run_id=str(answer["run"]["run_id"]))


def _became(error: NotExecuted, plan_id: str, environment: Mapping[str, str]) -> Became:
    code, short = error.fault.code, plan_id[:SHOWN_DIGITS]
    if code == "runner_silent" and not isinstance(
        error.__cause__, ConnectionError | FileNotFoundError
    ):
        words = "The runner has it and has not answered yet: its run may begin. See the runs."
        return Became("handed_over", code="runner_unsure", words=words)
    if code in NOBODY:
        words = (
            "The approval is stored. No runner is there, so nothing was sent. Start one: "
            f"{command(environment, 'runner')}. Then hand it over here again, or: "
            f"{command(environment, f'execute {short} --runner')}"
        )
        return Became("stored", code=code, words=words)
    if code == "executed_before":
        return Became("handed_over", run_id=error.fault.place, code=code, words=str(error))
    if code in UNSURE:
        return Became("handed_over", code=code, words=str(error))
    return Became("refused", code=code, words=str(error))


def runner_now(home: Path) -> str:
    """What the runner of a folder does: idle, running, recovering; "" = none is there."""
    try:
        return str(ask(home, {"request": "status"}, STATUS_S)["state"])
    except NotExecuted:
        return ""
