"""Lives of the process that executes a plan: each is forked from a warm parent, and may be killed.

A trial is one account: lives that are killed, and a last one that is not. What they leave is judged
by `checker`, which knows nothing of how it came about.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.promises import checker
from benchmarks.promises.broker_process import ACCOUNT, Remote, Served
from steelyard.brokers.broker import Broker
from steelyard.brokers.paper import Opening, Script
from steelyard.errors import BrokerError, NotExecuted
from steelyard.execution.approved import approved
from steelyard.execution.begin import ExecutedBefore, start
from steelyard.execution.comparing import agree
from steelyard.execution.journal import rows
from steelyard.execution.journal.journal import Journal
from steelyard.execution.journal.opening import leased, open_journal
from steelyard.execution.paper import opening_of
from steelyard.execution.recovery import recover
from steelyard.execution.room import Room, build
from steelyard.execution.settings import Limits, PaperHistoryNeeds
from steelyard.execution.states import RUN_OVER
from steelyard.execution.trade import trade
from steelyard.execution.working import Working
from steelyard.plans.account import HoldingShown
from steelyard.plans.plan import Plan, content

HOLDINGS = (
    "symbol,quantity,price,currency\nAAPL,30,250.00,USD\nMSFT,20,420.00,USD\nKO,5,70.00,USD\n"
    "JNJ,4,150.00,USD\nXOM,4,110.00,USD\nCASH:USD,900,,\n"
)
TARGETS = "symbol,weight\nAAPL,0.20\nMSFT,0.20\nKO,0.20\nJNJ,0.20\nXOM,0.19\n"
QUICK = Working(
    walk=(Decimal("0.5"), Decimal(1)), far_side_tries=1, step_wait_s=6, poll_s=2,
    cancel_wait_s=60, settle_timeout_s=10,
)  # fmt: skip
FAULTS = Script(
    partial=0.7, parts=3, fill_after_s=(0.5, 4), part_gap_s=(0.5, 3), told_after_s=(0, 4),
    told_twice=0.4, cancel_after_s=(0.5, 3), late_cancel=0.3, power_lag_s=2,
    lost_answers=0.15, dropped=0.10,
)  # fmt: skip
SCRIPTS: Mapping[str, Script] = {
    "faults": FAULTS,
    "hidden": replace(FAULTS, hidden=0.5, visible_after_s=3.0, reissued_ids=True),
    "instant": Script(instant=True, lost_answers=0.15, dropped=0.10),
    "ghosts": replace(FAULTS, cancelled_that_filled=0.5, dedups=True),
}
REFUSED = 1
LAST_LIVES = 3
"""At most: one that is not killed, and more where the start was refused or a person is needed."""
PATIENCE_S = 30.0
"""Seconds after which a life that was not killed counts as hanging."""


@contextmanager
def memory() -> Iterator[Path]:
    """A folder in memory where there is one: SIGKILL ends a process, not the machine."""
    place = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
    usable = place.is_dir() and os.access(place, os.W_OK)
    with TemporaryDirectory(prefix="steelyard-a1-", dir=place if usable else None) as name:
        yield Path(name)


@cache
def document() -> str:
    """A plan of two sales and three buys, made by the command line."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "H.csv").write_text(HOLDINGS)
        (folder / "T.csv").write_text(TARGETS)
        return subprocess.run(
            [sys.executable, "-m", "steelyard", "plan", "--holdings", "H.csv", "--targets",
             "T.csv", "--as-of", "2026-03-10", "--json"],
            cwd=folder, capture_output=True, text=True, check=True,
            env={**os.environ, "STEELYARD_HOME": name},
        ).stdout  # fmt: skip


@cache
def plan() -> Mapping[str, Any]:
    """The same as JSON values."""
    values: Mapping[str, Any] = json.loads(document())
    return values


@cache
def opening() -> Opening:
    """What the paper account of it begins with."""
    return opening_of(approved(Plan.from_document(content(document().encode()))))


def holdings() -> tuple[HoldingShown, ...]:
    """What the plan stands on."""
    return Plan.from_document(content(document().encode())).holdings


def warm() -> None:
    """Do once what every life would do anew."""
    build(), document(), plan(), opening()


def room(home: Path, journal: Journal, broker: Broker) -> Room:
    """What a life has at hand."""
    return Room(
        home=home, journal=journal, broker=broker, account=ACCOUNT, mode="paper", limits=Limits(),
        working=QUICK, needs=PaperHistoryNeeds(),
    )  # fmt: skip


def opened(home: Path, probe: Callable[[str], None]) -> Journal:
    """As the command line opens it."""
    return open_journal(home, probe=probe)


def live(
    home: Path,
    broker: Broker,
    probe: Callable[[str], None],
    opens: Callable[[Path, Callable[[str], None]], Journal] = opened,
) -> None:
    """Go on with the run that is there, as `resume` does; else execute the plan."""
    journal = opens(home, probe)
    journal.verify()
    here = room(home, journal, broker)
    with leased(journal, home, ACCOUNT) as lease:
        for run in reversed(rows.runs(journal, ACCOUNT)):
            if run.state not in RUN_OVER:
                recover(here.again(lease, run), crashed=lease.crashed)
        with suppress(ExecutedBefore):
            if all(run.state in RUN_OVER for run in rows.runs(journal, ACCOUNT)):
                trade(start(here, lease, document()), agree)


@dataclass(frozen=True, slots=True)
class Kill:
    """When a life ends: at a point by its number, or after so many seconds."""

    point: int = -1
    after_s: float = 0.0


def forked(work: Callable[[], object], log: Path, kill_after_s: float = 0.0) -> int:
    """Do it in a process of its own; its exit code, below 0 for a signal, 124 for hanging."""
    pid = os.fork()
    if not pid:
        code = 70
        try:
            work()
            code = 0
        except (NotExecuted, BrokerError):
            code = REFUSED
        except BaseException:  # noqa: BLE001 - written down, and ends the process
            with log.open("a") as file:
                traceback.print_exc(file=file)
        finally:
            os._exit(code)
    if kill_after_s:
        time.sleep(kill_after_s)
        os.kill(pid, signal.SIGKILL)
    return _ended(pid)


def _ended(pid: int) -> int:
    until = time.monotonic() + PATIENCE_S
    pause = 0.001
    while time.monotonic() < until:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(pause)
        pause = min(pause * 1.5, 0.01)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return 124


class Counter:
    """Counts the points of a life by their names, and kills it at one."""

    def __init__(self, kill: int = -1) -> None:
        self.names: list[str] = []
        self._kill = kill

    def __call__(self, name: str) -> None:
        """At a point."""
        if len(self.names) == self._kill:
            os.kill(os.getpid(), signal.SIGKILL)
        self.names.append(name)


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one: kills that hit, what is wrong, where the runs ended."""

    kills: int
    wrongs: tuple[str, ...]
    states: tuple[str, ...]


def trial(server: Served, home: Path, script: Script, kills: Sequence[Kill]) -> Trial:
    """Lives that are killed, then one that is not, and where a person is needed one more."""
    home.mkdir()
    log = home / "log"
    server.open(home / "paper.db", opening(), script)
    hit, codes = 0, []
    for kill in kills:
        life = partial(_life, home, server.place, kill)
        code = forked(life, log, kill.after_s)
        hit += code == -signal.SIGKILL
        if code not in {-signal.SIGKILL, 0, REFUSED}:
            codes.append(code)
    for _ in range(LAST_LIVES):
        codes.append(forked(lambda: _life(home, server.place, Kill()), log))
        if codes[-1] != REFUSED and not any("NEEDS_HUMAN" in s for s in checker.states(home)):
            break
    ghosts = bool(script.cancelled_that_filled or script.expired_that_fills)
    wrong = [f"a life ended with {code}" for code in codes if code not in {0, REFUSED}]
    wrong += checker.wrongs(home, plan(), ghosts=ghosts)
    if log.exists():
        wrong.append(log.read_text().strip().splitlines()[-1])
    states = tuple(checker.states(home))
    if not wrong:
        shutil.rmtree(home)
    return Trial(hit, tuple(wrong), states)


def _life(home: Path, place: str, kill: Kill) -> None:
    live(home, Remote(place), Counter(kill.point))


def points(server: Served, home: Path, script: Script) -> list[str]:
    """Names of the points of an undisturbed life, in their order."""
    home.mkdir()
    server.open(home / "paper.db", opening(), script)
    names = home / "points"

    def counted() -> None:
        counter = Counter()
        live(home, Remote(server.place), counter)
        names.write_text("\n".join(counter.names))

    code = forked(counted, home / "log")
    if code:
        raise RuntimeError((home / "log").read_text())
    return names.read_text().splitlines()


def random_kills(rng: random.Random, number: int, life_s: float) -> list[Kill]:
    """Up to three, at points or at times."""
    return [
        Kill(after_s=rng.uniform(0.002, life_s))
        if rng.random() < 0.5
        else Kill(rng.randrange(number))
        for _ in range(rng.randint(1, 3))
    ]
