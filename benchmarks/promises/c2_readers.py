"""Exactly one version is active at every instant that a reader can see."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from itertools import count
from pathlib import Path

import sqlalchemy as sa

from benchmarks.promises.databases import FORK, NAME, Profile, draft, folder, line_to
from benchmarks.promises.figures import Figure
from benchmarks.promises.postgres import running
from benchmarks.promises.script import script
from steelyard.errors import StoreError
from steelyard.store import strategies
from steelyard.store.opening import open_store
from steelyard.store.schema import strategy_version
from steelyard.store.store import Store

PROMISE = "Exactly one version is active, at every instant that any reader can see."
HOW = (
    "Two processes save and roll back again and again while readers count the active versions of "
    "the name, on SQLite and, where it is there, on PostgreSQL. Counted as bad: a count other than "
    "1, and a read that failed."
)
MUTANT = "the old version is put down in one transaction, the new one written in the next"
WRITERS, READERS = 2, 2
PAUSE = 0.02
"""Seconds after each write, in which readers get at a file that one writer locks at a time."""


def measure(profile: Profile, *, mutant: bool = False) -> Figure:
    """So many reads on each database that is there."""
    reads = 1_000 if mutant else profile.reads
    with folder() as home, nullcontext() if mutant else running() as server:
        places = [str(home / "store.db"), *([] if server is None else [server.fresh()])]
        results = [_read_meanwhile(place, home / f"log-{i}", reads // len(places), mutant)
                   for i, place in enumerate(places)]  # fmt: skip
    versions = sum(newest for _, _, newest in results)
    kinds = "SQLite" if server is None else "SQLite and PostgreSQL"
    return Figure(
        "C2", sum(r for r, _, _ in results), sum(bad for _, bad, _ in results),
        note=f"{kinds}, {versions} versions meanwhile",
    )  # fmt: skip


def _read_meanwhile(place: str, log: Path, reads: int, mutant: bool) -> tuple[int, int, int]:
    """(reads, breaches, versions written meanwhile)."""
    store = open_store(place)
    strategies.save(store, draft(1))
    store.close()
    log.touch()
    stop = FORK.Event()
    write = _in_two_steps if mutant else _write
    writers = [FORK.Process(target=_writes, args=(place, write, stop)) for _ in range(WRITERS)]
    share = reads // READERS
    readers = [FORK.Process(target=_reads, args=(place, log, share)) for _ in range(READERS)]
    for process in (*writers, *readers):
        process.start()
    for reader in readers:
        reader.join()
    stop.set()
    for writer in writers:
        writer.join()
    rows = [line.split() for line in log.read_text().splitlines()]
    store = open_store(place)
    newest = len(strategies.history(store, NAME))
    store.close()
    return sum(int(r) for r, _ in rows), sum(int(bad) for _, bad in rows), newest


def _reads(place: str, log: Path, reads: int) -> None:
    store = open_store(place)
    query = sa.select(sa.func.count()).where(
        strategy_version.c.name == NAME, strategy_version.c.active == 1
    )
    bad = 0
    for _ in range(reads):
        try:
            with store.reading() as connection:
                bad += connection.scalar(query) != 1
        except StoreError:
            bad += 1
    store.close()
    line_to(log, f"{reads} {bad}")


def _writes(place: str, write: Callable[[Store, int], None], stop: threading.Event) -> None:
    store = open_store(place)
    for k in count(2):
        if stop.is_set():
            break
        with suppress(StoreError):  # a writer that had to give up: counted by the first promise
            write(store, k)
        time.sleep(PAUSE)
    store.close()


def _write(store: Store, number: int) -> None:
    if number % 4:
        strategies.save(store, draft(number))
    else:
        strategies.rollback(store, NAME, 1)


def _in_two_steps(store: Store, number: int) -> None:
    """The mutant."""
    with store.writing() as transaction:
        transaction.connection.execute(sa.update(strategy_version).values(active=0))
    strategies.save(store, draft(number))


if __name__ == "__main__":
    script(measure)
