"""Two processes never trade one account, and whoever comes second neither sends nor strands."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import sys
import time
from collections import Counter as Tally
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from unittest.mock import patch

from benchmarks.promises import checker, lives
from benchmarks.promises.broker_process import ACCOUNT
from benchmarks.promises.databases import Profile, line_to
from benchmarks.promises.figures import Figure
from benchmarks.promises.lives import Counter, memory
from benchmarks.promises.script import script
from steelyard.brokers.paper import Script, open_paper
from steelyard.errors import BrokerError, NotExecuted
from steelyard.execution.journal import opening
from steelyard.execution.journal.journal import Journal

PROMISE = "One account is traded by one process; a second one sends nothing, and strands nothing."
HOW = (
    "Two processes are let go at the same moment on an account that neither has opened, and both "
    "execute the same plan. Then a process is stopped (SIGSTOP) at points all over its run, also "
    "with an order on its way; a second one starts on the same store, with and without the lock "
    "file there, and the first goes on. Last, a run that was killed is resumed by a program whose "
    "recorded build is another one. Counted as bad: two holders of the lease at a time, what the "
    "checker of A1 calls so, and a second process that ends in anything else than a refusal."
)
MUTANT = "the lock is not asked for, and the fence is not looked at"
STOPS = 12
"""Points over a run at which a process is stopped, each with and without its lock file."""
INSTANT = Script(instant=True)
WRITTEN = "before write"


def measure(profile: Profile, *, mutant: bool = False) -> Figure:
    """Races, stops, and builds."""
    lives.warm()
    results: list[tuple[str, list[str]]] = []
    with ExitStack() as stack:
        home = stack.enter_context(memory())
        if mutant:
            stack.enter_context(patch.object(opening, "_locks", lambda _: True))
            stack.enter_context(patch.object(Journal, "_fenced", lambda *_: None))
        number = len(_points(home / "points"))
        results += [("races", _race(home / f"race-{race}")) for race in range(profile.races)]
        for k in range(STOPS):
            point = 1 + k * (number - 2) // STOPS
            for lock_there in (True, False):
                where = home / f"stop-{k}-{lock_there}"
                results.append(("stops", _stopped(where, point, lock_there=lock_there)))
            results.append(("builds", _other_build(home / f"build-{k}", point)))
    for what, wrongs in [each for each in results if each[1]][:10]:
        print(f"A7: {what}: {'; '.join(wrongs)[:300]}", file=sys.stderr)
    tally = Tally(what for what, _ in results)
    note = ", ".join(f"{count} {what}" for what, count in tally.items())
    return Figure("A7", len(results), sum(bool(wrongs) for _, wrongs in results), note=note)


def _points(home: Path) -> list[str]:
    counter = Counter()
    _opened(home)
    _live(home, counter)
    return counter.names


def _opened(home: Path) -> None:
    home.mkdir()
    open_paper(home / "paper.db", ACCOUNT, lives.opening(), INSTANT).close()


def _live(home: Path, probe: Callable[[str], None]) -> None:
    """A life that says when it holds the account: at its first fenced write, and at its end."""
    broker = open_paper(home / "paper.db", ACCOUNT)
    lives.live(home, broker, probe)


def _run(home: Path, probe: Callable[[str], None], start: Callable[[], None]) -> int:
    """A process of it; its id."""
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        start()
        _live(home, probe)
        code = 0
    except (NotExecuted, BrokerError) as error:
        line_to(home / "refused", error.fault.code)
        code = lives.REFUSED
    except BaseException as error:  # noqa: BLE001 - written down, and ends the process
        line_to(home / "log", f"{type(error).__name__}: {error}")
    finally:
        os._exit(code)


def _held(home: Path) -> Callable[[str], None]:
    """Writes down who writes: turns that are mixed are two holders at a time."""

    def at(name: str) -> None:
        if name == "before send":
            line_to(home / "holders", str(os.getpid()))

    return at


def _race(home: Path) -> list[str]:
    _opened(home)
    gate, go = os.pipe()
    pids = [_run(home, _held(home), lambda: _await(gate, go)) for _ in range(2)]
    os.close(gate)
    time.sleep(0.005)
    os.close(go)
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    wrong = [] if 0 in codes else [f"nobody could: {codes}"]
    return _judged(home, [*wrong, *_mixed(home)], codes)


def _await(gate: int, go: int) -> None:
    """Until the parent lets go."""
    os.close(go)
    os.read(gate, 1)


def _mixed(home: Path) -> Iterator[str]:
    path = home / "holders"
    names = path.read_text().split() if path.exists() else []
    turns = [name for number, name in enumerate(names) if number == 0 or names[number - 1] != name]
    if len(turns) != len({*turns}):
        yield f"HOLDERS: two processes sent by turns: {turns}"


def _judged(home: Path, wrongs: list[str], codes: list[int]) -> list[str]:
    """With what the checker says; the folder is gone where nothing is wrong."""
    wrong = [*wrongs, *(f"ended with {code}" for code in codes if code not in {0, lives.REFUSED})]
    wrong += checker.wrongs(home, lives.plan())
    if (home / "log").exists():
        wrong += (home / "log").read_text().splitlines()
    if not wrong:
        shutil.rmtree(home)
    return wrong


def _stopped(home: Path, point: int, *, lock_there: bool) -> list[str]:
    """Stop the first in its run, start a second one, let the first go on, then end what is left."""
    _opened(home)
    first = _run(home, _stops_at(point), lambda: None)
    os.waitpid(first, os.WUNTRACED)
    if not lock_there:
        (home / "locks" / f"{ACCOUNT}.lock").unlink()
    second = os.waitstatus_to_exitcode(os.waitpid(_run(home, Counter(), lambda: None), 0)[1])
    os.kill(first, signal.SIGCONT)
    codes = [os.waitstatus_to_exitcode(os.waitpid(first, 0)[1]), second]
    expected = [0, lives.REFUSED] if lock_there else [lives.REFUSED, 0]
    wrong = [] if codes == expected else [f"ended with {codes}, not {expected}"]
    refusals = (home / "refused").read_text().split() if (home / "refused").exists() else []
    if refusals != ["account_busy" if lock_there else "fenced_off"]:
        wrong.append(f"refused as {refusals}")
    return _judged(home, wrong, codes)


def _stops_at(point: int) -> Callable[[str], None]:
    counter = Counter()

    def at(name: str) -> None:
        if len(counter.names) == point:
            os.kill(os.getpid(), signal.SIGSTOP)
        counter(name)

    return at


def _other_build(home: Path, point: int) -> list[str]:
    _opened(home)
    codes = [os.waitstatus_to_exitcode(os.waitpid(_run(home, Counter(point), lambda: None), 0)[1])]
    with closing(sqlite3.connect(home / "journal.db")) as connection, connection:
        connection.execute("UPDATE run SET build = 'another'")
    codes.append(os.waitstatus_to_exitcode(os.waitpid(_run(home, Counter(), lambda: None), 0)[1]))
    return _judged(home, [], [code for code in codes if code != -signal.SIGKILL])


if __name__ == "__main__":
    script(measure)
