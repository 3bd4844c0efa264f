"""The SQLite files that brokers of ours keep: how they are opened, and their transactions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from steelyard.errors import BrokerError
from steelyard.sqlite import pragmas

BUSY_SECONDS = 10.0


def connection_to(path: Path, schema: str) -> sqlite3.Connection:
    """A connection to a file that has these tables; the file is made where it is not there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        connection = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        for pragma in pragmas(sqlite3.sqlite_version_info):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        connection.row_factory = sqlite3.Row
        with transaction(connection, path):
            for statement in schema.split(";"):
                connection.execute(statement)
    except (OSError, sqlite3.Error) as error:
        raise _unusable(path, error) from error
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """All of what is done within, or nothing; raises BrokerError where the file is not usable."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise _unusable(path, error) from error


def _unusable(path: Path, error: Exception) -> BrokerError:
    return BrokerError(
        f"The broker's file {path} cannot be used: {error}. What was asked is not done.",
        code="broker_file", place=str(path),
        hint="see that the disk has room and the file is yours",
    )  # fmt: skip
