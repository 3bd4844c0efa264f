"""Databases to break: a fresh one of each kind, what is in it, and processes that work on it.

Processes are forked before any connection is open: each opens its own.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import sqlalchemy as sa

from benchmarks.promises.postgres import Server
from steelyard.store.opening import open_store, path_of
from steelyard.store.schema import metadata
from steelyard.store.store import Store
from steelyard.store.strategies import Draft

FORK = multiprocessing.get_context("fork")
SEED = 20260310
NOW = datetime(2026, 3, 10, 9, tzinfo=UTC)
NAME = "momentum"
Contents = dict[str, list[str]]
"""Table -> its rows, spelled out."""


@dataclass(frozen=True, slots=True)
class Profile:
    """How hard a promise is tried."""

    creates: int
    reads: int
    kills: int
    steps: int
    exchanges: int
    runs: int
    lives: int = 300
    races: int = 200
    fault_runs: int = 100
    whole_runs: int = 4
    portfolios: int = 100
    fault_plans: int = 100
    killed_plans: int = 10
    still_plans: int = 1
    random_worlds: int = 10
    recorded: tuple[int, ...] = (20,)
    load_seconds: float = 3
    many_plans: tuple[int, int] = (18, 24)
    sequences: int = 20_000
    batch_lives: int = 1
    batch_stride: int = 10
    fleet_kills: int = 1
    scheduler_kills: int = 0


PROFILES = {
    "ci": Profile(creates=200, reads=10_000, kills=60, steps=300, exchanges=2_000, runs=5),
    "nightly": Profile(
        creates=1_000,
        reads=100_000,
        kills=300,
        steps=3_000,
        exchanges=20_000,
        runs=5,
        lives=10_000,
        races=1_000,
        fault_runs=2_000,
        whole_runs=100,
        portfolios=1_000,
        fault_plans=400,
        killed_plans=200,
        still_plans=10,
        random_worlds=200,
        recorded=(20, 50, 100, 200),
        load_seconds=60,
        many_plans=(200, 2_000),
        sequences=200_000,
        batch_lives=200,
        batch_stride=1,
        fleet_kills=20,
        scheduler_kills=20,
    ),
}


@contextmanager
def folder() -> Iterator[Path]:
    """A folder for the databases of one script."""
    with tempfile.TemporaryDirectory(prefix="steelyard-promise-") as name:
        yield Path(name)


def made(place: str, fill: Callable[[Store], None]) -> str:
    """A database with its tables and what `fill` writes."""
    store = still(place)
    fill(store)
    store.close()
    return place


def still(place: str) -> Store:
    """An open store whose clock stands."""
    return open_store(place, now=lambda: NOW)


def copies(template: Path | str, server: Server | None = None) -> Iterator[str]:
    """The same database again and again, each a new copy."""
    for number in count():
        if server is not None:
            yield server.fresh(str(template).rpartition("/")[2])
        else:
            copy = f"{template}.{number}"
            shutil.copyfile(template, copy)
            yield copy
            with suppress(FileNotFoundError):
                Path(copy).unlink()


def draft(depth: int, title: str = "", name: str = NAME) -> Draft:
    """A small strategy, told apart by a number."""
    text = f"[search]\nmax_depth = {depth}\n"
    return Draft(name=name, toml=text, rules_sha256=f"{depth:064x}", title=title)


def contents(place: str) -> Contents:
    """Every row of every table; raises RuntimeError for a damaged file."""
    store = still(place)
    try:
        path = path_of(store)
        if path is not None and (state := sound(path)) != "ok":
            raise RuntimeError(f"{place}: {state}")
        with store.reading() as connection:
            return {
                table.name: sorted(repr(row) for row in connection.execute(sa.select(table)))
                for table in metadata.sorted_tables
            }
    finally:
        store.close()


def sound(path: Path) -> str:
    """What SQLite says of a file."""
    connection = sqlite3.connect(path)
    try:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])
    finally:
        connection.close()


def forked(work: Callable[[], object]) -> int:
    """Do something in a process of its own; its exit code, below 0 for a signal."""
    child = FORK.Process(target=work)
    child.start()
    child.join()
    return int(child.exitcode or 0)


def line_to(log: Path, text: str) -> None:
    """Append a line at once: it is there when the process is killed."""
    handle = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, f"{text}\n".encode())
    finally:
        os.close(handle)
