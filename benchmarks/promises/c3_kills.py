"""A crash during create, assign or rollback leaves the old or the new state, never a torn one."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from functools import partial
from itertools import count, islice
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from benchmarks.promises.databases import (
    NAME,
    SEED,
    Contents,
    Profile,
    contents,
    copies,
    draft,
    folder,
    forked,
    made,
    still,
)  # fmt: skip
from benchmarks.promises.figures import Figure
from benchmarks.promises.postgres import Server, running
from benchmarks.promises.script import script
from steelyard.store import assignments, buckets, strategies
from steelyard.store.store import Store

PROMISE = "A crash during create, activate, assign or rollback leaves the old or the new state."
HOW = (
    "A process is killed with SIGKILL before and after each SQL statement and each commit of a "
    "save, an assignment, a rollback and the rollback of a pinned bucket, and, once all of these "
    "are through, at random times; on PostgreSQL, where it is there, the same ends the connection. "
    "Every row of every table is then compared with the state before and the state after, and "
    "SQLite checks its file. Counted as bad: any other state, and a file that is not sound."
)
MUTANT = "each statement is committed by itself"
LONGEST = 0.02
"""Seconds within which a kill at a random time falls."""
Work = Callable[[Store], object]
OPERATIONS: Mapping[str, Work] = MappingProxyType(
    {
        "save": lambda store: strategies.save(store, draft(9, "new")),
        "assign": lambda store: assignments.assign(store, "core", NAME, 1),
        "rollback": lambda store: strategies.rollback(store, NAME, 1),
        "rollback of a bucket": lambda store: assignments.rollback_bucket(store, "pin", 1, NAME),
    }
)


def measure(profile: Profile, *, mutant: bool = False) -> Figure:
    """So many kills on each database that is there."""
    with folder() as home, nullcontext() if mutant else running() as server:
        results = [_kills(str(home / "template.db"), profile.kills, mutant)]
        if server is not None:
            results.append(_kills(server.fresh(), profile.kills // 3, mutant, server))
    note = ", ".join(
        f"{kills} on {kind}"
        for kind, (kills, _) in zip(("SQLite", "PostgreSQL"), results, strict=False)
    )
    return Figure("C3", sum(k for k, _ in results), sum(bad for _, bad in results), note=note)


def _kills(place: str, kills: int, mutant: bool, server: Server | None = None) -> tuple[int, int]:
    """(kills, torn states)."""
    template = made(place, _fill)
    copy = copies(template, server)
    before = contents(next(copy))
    after = {name: _after(next(copy), work) for name, work in OPERATIONS.items()}
    bad = tried = 0
    for name, kill in islice(_points({name: n for name, (_, n) in after.items()}), kills * 2):
        here = next(copy)
        code = forked(partial(_doomed, here, OPERATIONS[name], kill, mutant))
        if code != -signal.SIGKILL:
            continue  # a random time after its end
        tried += 1
        bad += _state(here) not in (before, after[name][0])
        if tried == kills:
            break
    return tried, bad


def _fill(store: Store) -> None:
    for depth in (1, 2):
        strategies.save(store, draft(depth))
    for name in ("pin", "follow"):
        buckets.create(store, name)
    assignments.assign(store, "core", NAME)
    assignments.assign(store, "follow", NAME)
    assignments.assign(store, "pin", NAME, 2)


def _after(place: str, work: Work) -> tuple[Contents, int]:
    """The state after an operation that nobody disturbs, and how many points it has to kill it."""
    store = still(place)
    points = count()
    at_every_point(store, lambda: next(points))
    work(store)
    store.close()
    return contents(place), next(points)


def _points(numbers: Mapping[str, int]) -> Iterator[tuple[str, int | float]]:
    """(operation, number of the point or seconds): all points, spread, then random times."""
    rng = random.Random(SEED)  # noqa: S311 - the same kills each time
    every = [(name, k) for name, number in numbers.items() for k in range(number)]
    rng.shuffle(every)
    yield from every
    while True:
        yield rng.choice(sorted(numbers)), rng.uniform(0, LONGEST)


def at_every_point(store: Store, call: Callable[[], object]) -> None:
    """Call something before and after each statement, and before each commit."""

    def passed(*_: Any, **__: Any) -> None:
        call()

    for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
        sa.event.listen(store.engine, name, passed)


def _doomed(place: str, work: Work, kill: float, mutant: bool) -> None:
    """Do it and be killed: at the point of a whole number, or after so many seconds."""
    store = still(place)
    if mutant:
        sa.event.listen(store.engine, "after_cursor_execute", by_itself)

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    if isinstance(kill, int):
        points = count()
        at_every_point(store, lambda: die() if next(points) == kill else None)
    else:
        threading.Timer(kill, die).start()
    work(store)
    store.close()
    die()


def by_itself(connection: sa.Connection, _: Any, statement: str, *__: Any) -> None:
    """The mutant."""
    if not statement.startswith("BEGIN"):
        raw: Any = connection.connection.driver_connection
        raw.execute("COMMIT")
        raw.execute("BEGIN IMMEDIATE")


def _state(place: str) -> Contents | None:
    """None for a file that is not sound."""
    try:
        return contents(place)
    except RuntimeError:
        return None


if __name__ == "__main__":
    script(measure)
