"""Databases for tests: a SQLite file, and a PostgreSQL server of the machine's own binaries."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from benchmarks.promises.postgres import Server, running

from steelyard.store.opening import open_store
from steelyard.store.store import Store

START = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """One server of this process; without binaries its tests are skipped, or fail where required:
    STEELYARD_REQUIRE_POSTGRES=1.
    """
    with running() as server:
        if server is None:
            pytest.skip("there are no binaries of PostgreSQL")
        yield server


@pytest.fixture(scope="session")
def postgres_tables(postgres_server: Server) -> str:
    """The name of a database with its tables made, to copy."""
    url = postgres_server.fresh()
    open_store(url).close()
    return url.rpartition("/")[2]


@pytest.fixture
def postgres_url(postgres_server: Server) -> str:
    """A new database, empty."""
    return postgres_server.fresh()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new database of each kind: what the store promises holds on both."""
    if request.param == "sqlite":
        return str(tmp_path / "store.db")
    server: Server = request.getfixturevalue("postgres_server")
    return server.fresh(request.getfixturevalue("postgres_tables"))


@pytest.fixture
def store(place: str) -> Iterator[Store]:
    """An open store whose clock goes on by a second each time it is looked at."""
    seconds = count()
    opened = open_store(place, now=lambda: START + timedelta(seconds=next(seconds)))
    yield opened
    opened.close()
