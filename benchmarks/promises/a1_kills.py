"""A run that is killed anywhere resumes, and no order of it is sent twice, no fill lost."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter as Tally
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from benchmarks.promises import checker, lives
from benchmarks.promises.broker_process import ACCOUNT, Served
from benchmarks.promises.databases import SEED, Profile
from benchmarks.promises.figures import Figure
from benchmarks.promises.lives import Kill, Trial, memory, trial
from benchmarks.promises.script import script
from steelyard.brokers.paper import Script, open_paper
from steelyard.execution import recovery
from steelyard.execution.desk import Desk
from steelyard.execution.journal.changes import set_leg
from steelyard.execution.legs import work
from steelyard.execution.states import IN_DOUBT, LegState

PROMISE = "A run that is killed anywhere resumes: no order twice, no fill lost, every cent there."
HOW = (
    "The process that executes a plan of two sales and three buys is killed with SIGKILL before "
    "and after every write of its journal, every order and cancel that it sends, and after every "
    "answer (a hook counts these points, and their number may not fall), then up to three times "
    "at random points and times, and 20 times as the real command line in a fresh interpreter. "
    "The paper broker is a process of its own; it drops 10 % of orders and cancels, does not "
    "answer 15 % more, loses a quarter of all questions, fills in parts, late, out of order and "
    "told twice, overtakes cancels, hides fills until the next connect, and in one script fills "
    "orders that it said were over. Then the run is resumed, and a checker that shares no code "
    "with execution reads both databases. Counted as bad: two orders of one id, more filled than "
    "approved, an execution that is not in the journal, shares or cash that differ by anything, "
    "an order or a run in no stated state, a life that ends in a traceback."
)
MUTANT = "an order in doubt is taken for one that was not sent"
LEAST_POINTS = 110
"""Points of an undisturbed run; fewer of them is a breach by itself."""
LANES = 2
COMMANDS = 20
WEIGHTS = {"faults": 6, "hidden": 1, "instant": 2, "ghosts": 1}
Job = Callable[[Served, Path], Trial]


def measure(profile: Profile, *, mutant: bool = False) -> Figure:
    """Every point, then random kills, then the command line."""
    lives.warm()
    with ExitStack() as stack:
        home = stack.enter_context(memory())
        for module in (recovery, work) if mutant else ():
            stack.enter_context(patch.object(module, "resolve_all", _forget))
        names, life_s = _points(home)
        trials = _in_lanes(home, [*_sweep(len(names), profile), *_random(names, life_s, profile)])
        if not mutant:
            trials += _in_lanes(home, [_command(number) for number in range(COMMANDS)])
    bad = sum(bool(each.wrongs) for each in trials) + (len(names) < LEAST_POINTS)
    for each in [each for each in trials if each.wrongs][:10]:
        print(f"A1: {'; '.join(each.wrongs)[:300]}", file=sys.stderr)
    ends = Tally(each.states[-1].split()[0] for each in trials if each.states)
    parts = [
        f"{sum(each.kills for each in trials)} kills", f"{len(names)} points",
        *(f"{count} {state}" for state, count in sorted(ends.items())),
    ]  # fmt: skip
    return Figure("A1", len(trials), bad, note=", ".join(parts))


def _points(home: Path) -> tuple[list[str], float]:
    server = Served(home)
    start = time.perf_counter()
    names = lives.points(server, home / "points", lives.FAULTS)
    life_s = time.perf_counter() - start
    server.stop()
    return names, life_s


def _sweep(number: int, profile: Profile) -> Iterator[Job]:
    """A kill at every point; of every script, where there is time."""
    chosen = lives.SCRIPTS if profile.lives > 1_000 else {"faults": lives.FAULTS}
    for faults in chosen.values():
        yield from (_job(faults, [Kill(point)]) for point in range(number))


def _random(names: Sequence[str], life_s: float, profile: Profile) -> Iterator[Job]:
    rng = random.Random(SEED)  # noqa: S311 - the same kills each time
    for number in range(profile.lives):
        (name,) = rng.choices(sorted(WEIGHTS), [WEIGHTS[key] for key in sorted(WEIGHTS)])
        faults = replace(lives.SCRIPTS[name], seed=number + 1)
        yield _job(faults, lives.random_kills(rng, len(names), life_s))


def _job(faults: Script, kills: Sequence[Kill]) -> Job:
    return lambda server, home: trial(server, home, faults, kills)


def _in_lanes(home: Path, jobs: Sequence[Job]) -> list[Trial]:
    """Do them in a process for each processor, each with a broker of its own."""
    pids = [_lane(home, number, jobs[number::LANES]) for number in range(LANES)]
    for pid in pids:
        _, status = os.waitpid(pid, 0)
        if os.waitstatus_to_exitcode(status):
            raise RuntimeError("a lane of the trials ended early")
    rows = [
        json.loads(line)
        for number in range(LANES)
        for line in (home / f"lane-{number}").read_text().splitlines()
    ]
    for number in range(LANES):
        (home / f"lane-{number}").unlink()
    return [Trial(kills, tuple(wrongs), tuple(states)) for kills, wrongs, states in rows]


def _lane(home: Path, lane: int, jobs: Sequence[Job]) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        server = Served(home)
        with (home / f"lane-{lane}").open("w") as results:
            for number, job in enumerate(jobs):
                each = job(server, home / f"trial-{lane}-{number}")
                results.write(json.dumps([each.kills, each.wrongs, each.states]) + "\n")
                results.flush()
        server.stop()
        code = 0
    finally:
        os._exit(code)


def _command(number: int) -> Job:
    """The command line, killed at a random time, then resumed by itself."""

    def job(_: Served, home: Path) -> Trial:
        rng = random.Random(SEED + number)  # noqa: S311 - the same kills each time
        home.mkdir()
        (home / "plan.json").write_text(lives.document())
        faults = replace(lives.FAULTS, seed=number)
        open_paper(home / "paper.db", ACCOUNT, lives.opening(), faults).close()
        pid = _started(home, "execute", "plan.json", "--yes", "--account", ACCOUNT)
        _after_the_journal_is_there(home, pid)
        time.sleep(rng.uniform(0, 1.0))
        os.kill(pid, signal.SIGKILL)
        killed = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
        for command in (("resume",), ("execute", "plan.json", "--yes", "--account", ACCOUNT)):
            os.waitpid(_started(home, *command), 0)
        wrong = list(checker.wrongs(home, lives.plan()))
        text = (home / "out").read_text()
        wrong += ["a traceback of the command line"] if "Traceback" in text else []
        states = tuple(checker.states(home))
        shutil.rmtree(home)
        return Trial(int(killed), tuple(wrong), states)

    return job


def _started(home: Path, *command: str) -> int:
    with (home / "out").open("ab") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "steelyard", *command], cwd=home, stdout=out, stderr=out,
            env={**os.environ, "STEELYARD_HOME": str(home), "STEELYARD_PAPER_PACE": "0.02"},
        ).pid  # fmt: skip


def _after_the_journal_is_there(home: Path, pid: int) -> None:
    """Wait for its file: before it a kill says nothing."""
    for _ in range(2_000):
        if (home / "journal.db").exists() or not Path(f"/proc/{pid}").exists():
            return
        time.sleep(0.01)


def _forget(desk: Desk) -> None:
    """The mutant."""
    for leg in desk.legs:
        if leg.state in IN_DOUBT:
            with desk.journal.writing(desk.lease) as change:
                set_leg(change, desk.run, leg, LegState.EXPIRED, "not sent, surely")


if __name__ == "__main__":
    script(measure)
