"""Writers at once get numbers without a gap, without a double, in the order of their commits."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import sqlalchemy as sa

from benchmarks.promises.databases import FORK, NAME, Profile, draft, folder, line_to
from benchmarks.promises.figures import Figure
from benchmarks.promises.postgres import running
from benchmarks.promises.script import script
from steelyard.errors import SteelyardError
from steelyard.store import strategies
from steelyard.store.opening import open_store
from steelyard.store.schema import strategy_version
from steelyard.store.store import Store

PROMISE = "Writers at once get numbers without a gap, without a double, in the order of commits."
HOW = (
    "2, 4 and 8 processes and 50 threads make versions of one name, on SQLite and, where it is "
    "there, on PostgreSQL; a third of the processes is killed with SIGKILL midway. Counted as bad: "
    "a gap, a double, a number out of the order of rows, an answer that the table contradicts, "
    "a create that failed without being killed, other than one active version."
)
MUTANT = "the number is read in one transaction and written in the next"
PROCESSES = (2, 4, 8)
THREADS = 50


def measure(profile: Profile, *, mutant: bool = False) -> Figure:
    """Every number of writers, on every database that is there."""
    trials = bad = 0
    crowds = [(4, 1)] if mutant else [*((n, 1) for n in PROCESSES), (1, THREADS)]
    with folder() as home, nullcontext() if mutant else running() as server:
        places = [str(home / f"{i}.db") for i in range(len(crowds))]
        if server is not None:
            places += [server.fresh() for _ in crowds]
        for place, crowd in zip(places, crowds * 2, strict=False):
            tried, wrong = _crowd(place, crowd, profile.creates, home, mutant)
            trials, bad = trials + tried, bad + wrong
    kinds = "SQLite" if server is None else "SQLite and PostgreSQL"
    return Figure("C1", trials, bad, note=f"{kinds}, {profile.creates} creates a crowd")


def _crowd(
    place: str, crowd: tuple[int, int], creates: int, home: Path, mutant: bool
) -> tuple[int, int]:
    """(creates, breaches) of so many processes of so many threads each."""
    processes, threads = crowd
    open_store(place).close()
    log = home / f"log-{time.monotonic_ns()}"
    log.touch()
    writers = [
        FORK.Process(target=_write, args=(place, log, i, threads, creates, mutant))
        for i in range(processes)
    ]
    for writer in writers:
        writer.start()
    doomed = writers[: -(-processes // 3)] if processes > 1 else []
    for number, writer in enumerate(doomed, 1):
        while _lines(log) < number * creates / (2 * len(doomed)) and writer.is_alive():
            time.sleep(0.001)
        os.kill(writer.pid or 0, signal.SIGKILL)
    for writer in writers:
        writer.join()
    store = open_store(place)
    try:
        wrong = [*_breaches(store, log.read_text().split("\n")[:-1])]
        return len(_rows(store)), len(wrong)
    finally:
        store.close()


def _write(place: str, log: Path, who: int, threads: int, creates: int, mutant: bool) -> None:
    """Make versions until there are enough, and note each that was answered."""
    store = open_store(place)

    def work(thread: int) -> None:
        for k in range(creates):
            if _newest(store) >= creates:
                return
            title = f"{who}.{thread}.{k}"
            try:
                save = _in_two_steps if mutant else _save
                line_to(log, f"{title} {save(store, title)}")
            except SteelyardError as error:
                line_to(log, f"{title} failed {str(error)[:200]!r}")

    workers = [threading.Thread(target=work, args=(i,)) for i in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    store.close()


def _save(store: Store, title: str) -> int:
    return strategies.save(store, draft(1, title)).version.version


def _in_two_steps(store: Store, title: str) -> int:
    """The mutant."""
    number = _newest(store) + 1
    old = {"toml": "", "sha256": "", "rules_sha256": "", "created_at": "", "created_by": ""}
    with store.writing() as transaction:
        table = strategy_version
        transaction.connection.execute(sa.update(table).values(active=0))
        row = {**old, "name": NAME, "version": number, "title": title, "active": 1}
        transaction.connection.execute(table.insert().values(**row))
    return number


def _newest(store: Store) -> int:
    with store.reading() as connection:
        return connection.scalar(sa.select(sa.func.max(strategy_version.c.version))) or 0


def _rows(store: Store) -> list[tuple[int, str, int]]:
    """(version, title, active) in the order of rows, which is that of commits."""
    table = strategy_version.c
    with store.reading() as connection:
        query = sa.select(table.version, table.title, table.active).order_by(table.id)
        return [(version, title, active) for version, title, active in connection.execute(query)]


def _breaches(store: Store, answers: list[str]) -> Iterator[str]:
    rows = _rows(store)
    if [version for version, _, _ in rows] != list(range(1, len(rows) + 1)):
        yield "the numbers have a gap, a double or another order"
    if [active for _, _, active in rows] != [0] * (len(rows) - 1) + [1]:
        yield "not the newest alone is active"
    numbers = {title: str(version) for version, title, _ in rows}
    for answer in answers:
        title, _, number = answer.partition(" ")
        if numbers.get(title) != number:
            yield f"{title} was answered {number} and has {numbers.get(title)}"


def _lines(log: Path) -> int:
    return log.read_bytes().count(b"\n")


if __name__ == "__main__":
    script(measure)
