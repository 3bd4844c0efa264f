"""Whatever of a fleet is killed, each account has its plan once, and it is the plan of one go."""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from benchmarks.promises.databases import SEED, Profile, forked, line_to
from benchmarks.promises.figures import Figure
from benchmarks.promises.script import script
from steelyard.errors import ServiceError
from steelyard.plans.plan import Plan
from steelyard.runs.fleet.engines import Engine, engine_of
from steelyard.runs.fleet.ready import Ready
from steelyard.runs.fleet.run import Fleet, Pages, begin
from steelyard.store import leases
from steelyard.store.fleets import Progress
from steelyard.store.opening import open_store

TESTS = str(Path(__file__).resolve().parents[2] / "tests")
if TESTS not in sys.path:
    sys.path.insert(0, TESTS)

from builders.clusters import Machines, machines  # noqa: E402 - of the tests, put on the path above
from builders.fleets import TODAY, accounts, asked, ready_of  # noqa: E402

PROMISE = "Whatever of a fleet is killed, each account has its plan once: the plan of one go."
HOW = (
    "A fleet of twelve accounts is planned by one process, by two workers of it, and on a "
    "scheduler of Dask with two workers. A worker, the scheduler or the process that runs the "
    "fleet is killed with SIGKILL, after a random number of accounts or a random time later; then "
    "the same command goes on until it is done. Every worker notes each account as it plans it. "
    "Counted as bad: an account without a plan, with another plan than the one of one go, or "
    "planned again after it was kept; a command that does not end; a worker that outlives the "
    "process that started it."
)
MUTANT = "a slice is written and not marked as done"
ACCOUNTS = 12
ALONE = ("0", "2", "4", "6", "8")
"""How the numbers of trials end in which the process that runs the fleet is the only one."""
LEASE_S = 1.0
PATIENCE_S = 90.0
NOTES = "STEELYARD_G1_NOTES"
"""Where workers note what they plan."""
Kill = Callable[[Progress], None]


def measure(profile: Profile, *, mutant: bool = False) -> Figure:
    """So many kills of each part; of the scheduler fewer in the quick profile."""
    rng = random.Random(SEED)  # noqa: S311 - the same kills each time
    plan = {"worker": profile.fleet_kills, "client": profile.fleet_kills}
    plan["scheduler"] = 0 if mutant else profile.scheduler_kills
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        fleet = accounts(Path(folder) / "fleet", ACCOUNTS)
        whole = _one_go(fleet, Path(folder))
        for part, trials in plan.items():
            for number in range(trials):
                home = Path(folder) / f"{part}-{number}"
                home.mkdir()
                bad += bool(_trial(part, fleet, home, whole, rng, mutant=mutant))
    note = ", ".join(f"{number} of the {part}" for part, number in plan.items())
    return Figure(
        "G1", sum(plan.values()), bad, note=note.replace("client", "process that runs it")
    )


def noted(plan: Plan, account: str) -> str:  # noqa: ARG001 - as every page
    """Instead of a page: that an account was planned, and when."""
    line_to(Path(os.environ[NOTES]), f"{time.monotonic()} {account}")
    return account


def _ready(fleet: Path) -> Ready:
    ready: Ready = ready_of(asked(fleet, page=noted))
    return ready


def _one_go(fleet: Path, folder: Path) -> dict[str, str | None]:
    os.environ[NOTES] = str(folder / "notes")
    if forked(partial(_life, fleet, folder, lambda: engine_of("serial"), None, False)):
        raise RuntimeError("the fleet cannot be planned at all")
    return _plans(folder)


def _trial(
    part: str, fleet: Path, home: Path, whole: dict[str, str | None], rng: random.Random, *,
    mutant: bool,
) -> list[str]:  # fmt: skip
    """What is wrong after one kill and as many lives as it takes."""
    os.environ[NOTES] = str(home / "notes")
    after, wait = rng.randint(1, ACCOUNTS - 1), rng.choice([0.0, rng.uniform(0, 0.2)])
    if part == "scheduler":
        with machines(home) as every:
            return _of_cluster(every, fleet, home, whole, after)
    kill = partial(_kill_me if part == "client" else _kill_child, after, wait)
    alone = part == "client" and home.name.endswith(ALONE)
    engine = partial(engine_of, "serial") if alone else partial(engine_of, "processes", None, 2)
    forked(partial(_life, fleet, home, engine, kill, mutant))
    before = _plans(home)
    stopped = time.monotonic()
    code = 0 if mutant and not before else forked(partial(_life, fleet, home, engine, None, mutant))
    return _wrongs(home, whole, before, stopped, code)


def _of_cluster(
    every: Machines, fleet: Path, home: Path, whole: dict[str, str | None], after: int
) -> list[str]:
    address = every.scheduler()
    for name in ("one", "two"):
        every.worker(name, address)
    engine = partial(engine_of, "dask", address)
    pid = every.running["scheduler"].pid
    forked(partial(_life, fleet, home, engine, partial(_kill_pid, pid, after), False))
    before, stopped = _plans(home), time.monotonic()
    for name in list(every.running):
        every.kill(name)
    every.worker("three", every.scheduler())
    code = forked(partial(_life, fleet, home, engine, None, False))
    for name in list(every.running):
        every.kill(name)
    return _wrongs(home, whole, before, stopped, code)


def _life(
    fleet: Path, home: Path, engine: Callable[[], Engine], kill: Kill | None, mutant: bool
) -> None:
    """One command, which may be killed."""
    signal.alarm(int(PATIENCE_S))
    ready = _ready(fleet)
    store = open_store(str(home / "steelyard.db"))
    if mutant:
        vars(leases)["finish"] = lambda *_, **__: "finished"
    began = begin(store, ready.folder, ready.parts, TODAY, Pages())
    part = Fleet(
        store=store, folder=ready.folder, shared=ready.shared,
        strategy_of=ready.strategies.key, seen=kill or (lambda _: None), lease_s=LEASE_S,
    )  # fmt: skip
    try:
        part.plan(began, engine())
    except ServiceError:
        os._exit(1)
    store.close()


def _after(count: int, wait: float, work: Callable[[], None], progress: Progress) -> None:
    if progress.done >= count:
        threading.Timer(wait, work).start() if wait else work()


def _kill_me(count: int, wait: float, progress: Progress) -> None:
    _after(count, wait, lambda: os.kill(os.getpid(), signal.SIGKILL), progress)


def _kill_pid(pid: int, count: int, progress: Progress) -> None:
    def end() -> None:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return

    _after(count, 0.0, end, progress)


KILLED: list[int] = []


def _kill_child(count: int, wait: float, progress: Progress) -> None:
    """Kill one worker, once."""
    import multiprocessing  # noqa: PLC0415 - of the process that is asked

    def end() -> None:
        children = multiprocessing.active_children()
        if children and not KILLED:
            KILLED.append(1)
            os.kill(int(children[0].pid or 0), signal.SIGKILL)

    if not KILLED:
        _after(count, wait, end, progress)


def _plans(home: Path) -> dict[str, str | None]:
    """Folder -> plan, of what is kept; an account that is there twice has none."""
    engine = sa.create_engine(f"sqlite:///{home / 'steelyard.db'}")
    plans: dict[str, str | None] = {}
    try:
        with engine.connect() as connection:
            for folder, plan in connection.execute(
                sa.text("SELECT folder, plan_id FROM fleet_account")
            ):
                plans[folder] = None if folder in plans else plan
    except sa.exc.SQLAlchemyError:
        return {}
    finally:
        engine.dispose()
    return plans


def _wrongs(
    home: Path, whole: dict[str, str | None], before: dict[str, str | None], stopped: float,
    code: int,
) -> list[str]:  # fmt: skip
    wrong = [f"the last command ended with {code}"] * bool(code)
    after = _plans(home)
    wrong += [f"{name} has {after.get(name)}" for name in whole if after.get(name) != whole[name]]
    for line in (home / "notes").read_text().splitlines():
        at, name = line.split()
        if name in before and float(at) > stopped:
            wrong.append(f"{name} was planned again")
    wrong += [f"a worker is left: {name}" for name in _workers_of(home)]
    for text in wrong:
        print(f"G1 {home.name}: {text}", file=sys.stderr)
    return wrong


def _workers_of(home: Path) -> Iterator[str]:
    """Processes that were started for a trial and are still there."""
    if not Path("/proc").is_dir():
        return
    mark = f"{NOTES}={home / 'notes'}".encode()
    until = time.monotonic() + 5
    while time.monotonic() < until:
        names = [pid for pid in _pids() if mark in _environment(pid).split(b"\0")]
        if not names:
            return
        time.sleep(0.1)
    yield from map(str, names)


def _pids() -> list[int]:
    mine = os.getpid()
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()
            and int(path.name) != mine]  # fmt: skip


def _environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


if __name__ == "__main__":
    script(measure)
