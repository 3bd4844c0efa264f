"""`steelyard runner`: the one process that holds broker keys, and trades what it is asked to.

It takes the ids of stored plans over a socket of this user, and does with each what `execute` does
in the foreground: the same function, the same rails. Its runs are in the journal; who handed a plan
over reads there how it goes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from steelyard.cli.execute import executed, recovered, unfinished
from steelyard.cli.output import guarded, if_signalled, note
from steelyard.cli.trading import NOTHING_SENT, Wish, folder, journal, let_follow
from steelyard.environment import BROKER_KEYS

if TYPE_CHECKING:
    from steelyard.execution.journal.journal import Journal
    from steelyard.execution.journal.rows import RunRow
    from steelyard.execution.runner.jobs import Job, Jobs
    from steelyard.execution.runner.requests import Execute, Halt, Request, Runs

BEGIN_S = 60.0
"""In which the run of a plan has to begin."""
AUTHOR = "the runner"
IDLE = "The runner has ended, and its socket is gone. No run was under way."


def runner() -> None:
    """Hold the broker's keys and trade the plans that are handed over: execute PLAN --runner

    It first goes on with what was interrupted. Ctrl-C leaves runs that the next one goes on with.
    """
    with guarded(NOTHING_SENT):
        from steelyard.execution.journal import tables
        from steelyard.execution.runner.jobs import Jobs
        from steelyard.execution.runner.place import alone
        from steelyard.execution.runner.server import served

        keys = taken_keys(os.environ)
        home = folder()
        if_signalled(IDLE)
        with alone(home) as secret, journal() as entry:
            entry.verify()
            entry.whole()
            tables.check(entry)
            jobs = Jobs()
            with served(home, secret, _Answers(home, jobs)):
                _told(entry)
                _disarm(entry)
                note(f"The runner listens at {home}. Ctrl-C ends it.")
                _recover(entry, keys)
                let_follow(entry)
                jobs.over()
                while True:
                    _carry_out(entry, jobs.take(), keys)
                    let_follow(entry)
                    jobs.over()


def taken_keys(environment: MutableMapping[str, str]) -> dict[str, str]:
    """Everything of an environment, out of which the keys are taken: no child gets them."""
    whole = dict(environment)
    for name in [name for name in environment if name.startswith(BROKER_KEYS)]:
        del environment[name]
    return whole


def _disarm(entry: Journal) -> None:
    """No consent outlives the process that it was given to."""
    from steelyard.execution.arming import disarm

    for (account,) in entry.rows("SELECT DISTINCT account FROM arm"):
        disarm(entry, account)


def _told(entry: Journal) -> None:
    from steelyard.execution.room import build
    from steelyard.telemetry.events import RunnerStarted

    with entry.writing() as change:
        change.tell(RunnerStarted(os.getpid(), build()), "", "")


def _recover(entry: Journal, keys: Mapping[str, str]) -> None:
    """Go on with runs that were interrupted; those that a person has to look at stay as they are.

    Raises JournalFailed.
    """
    from steelyard.errors import JournalFailed, SteelyardError
    from steelyard.execution.states import RunState

    for run in unfinished(entry):
        stands = run.state in {RunState.NEEDS_HUMAN, RunState.HALTED}
        if stands or run.broker == "file":
            note(f"The run {run.run_id} is {run.state}: it waits for you. See: steelyard runs")
            continue
        note(f"Going on with the run {run.run_id}, which is {run.state}.")
        try:
            _ended(recovered(entry, run, keys))
        except JournalFailed:
            raise
        except SteelyardError as error:
            note(str(error))


def _carry_out(entry: Journal, job: Job, keys: Mapping[str, str]) -> None:
    """Trade the plan of a job; raises JournalFailed, after which nothing more may be sent."""
    from steelyard.errors import JournalFailed, SteelyardError
    from steelyard.execution.approved import approved

    try:
        wish = _wish(job.ask, keys)
        orders = approved(wish.saved.plan)
        _ended(executed(entry, wish, orders, begun=lambda run: job.begin(_run(run))))
    except SteelyardError as error:
        job.fail(error)
        note(str(error))
        if isinstance(error, JournalFailed):
            raise
    except BaseException as error:
        job.fail(error)
        raise


def _wish(ask: Execute, keys: Mapping[str, str]) -> Wish:
    """What is asked for, its plan from the database; raises NotStored."""
    from steelyard.cli.saved import stored

    return Wish(
        saved=stored(ask.plan_id),
        broker=ask.broker,
        account=ask.account,
        live=ask.live,
        environment=keys,
    )


def _ended(run: RunRow) -> None:
    note(f"The run {run.run_id} in {run.account}: {run.outcome or run.state} {run.reason}".rstrip())


def _run(run: RunRow) -> dict[str, str]:
    return {"run_id": run.run_id, "account": run.account, "plan_id": run.plan_id}


@dataclass(frozen=True, slots=True)
class _Answers:
    """What each request is answered; called in threads of the server."""

    home: Path
    jobs: Jobs

    def __call__(self, request: Request) -> Mapping[str, Any]:
        from steelyard.execution.runner.requests import Execute, Halt, Runs

        if isinstance(request, Execute):
            return {"run": dict(self.jobs.hand_over(request, BEGIN_S))}
        if isinstance(request, Runs):
            return self._runs(request)
        if isinstance(request, Halt):
            return self._halt(request)
        return {"pid": os.getpid(), **self.jobs.document()}

    def _runs(self, request: Runs) -> Mapping[str, Any]:
        from contextlib import closing

        from steelyard.execution.journal.opening import open_journal
        from steelyard.execution.journal.rows import runs
        from steelyard.execution.listing import run_document

        with closing(open_journal(self.home)) as entry:
            rows = runs(entry)[: request.limit]
            return {"runs": [run_document(entry, run) for run in rows]}

    def _halt(self, request: Halt) -> Mapping[str, Any]:
        """Engage the switch; a journal that cannot be written does not hinder it."""
        from datetime import UTC, datetime

        from steelyard.execution.halting import halt

        result = halt(self.home, request.reason, AUTHOR, datetime.now(UTC))
        return {"engaged": result.switch.engaged, "reason": result.switch.why}
