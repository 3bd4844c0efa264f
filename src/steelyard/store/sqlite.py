"""How the database's SQLite file is opened, and how its transactions begin."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from steelyard.errors import StoreError
from steelyard.sqlite import pragmas
from steelyard.store.store import NOT_WRITTEN, WRITES

BUSY_SECONDS = 10.0
"""How long a transaction waits for another one."""


def sqlite_engine(path: Path) -> Engine:
    """An engine whose every connection is opened as above; nothing is opened yet."""

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            path,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            factory=Opened,
        )
        try:
            connection.file = _file(path)
            for pragma in pragmas(sqlite3.sqlite_version_info):
                connection.execute(f"PRAGMA {pragma}").fetchall()
        except BaseException:
            connection.close()
            raise
        return connection

    # a pooled connection would keep the file open over a restore
    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)
    event.listen(engine, "begin", lambda connection: _begin(connection, path))
    return engine


class Opened(sqlite3.Connection):
    """A connection that knows which file it opened; a restore puts another one in its place."""

    file: tuple[int, int] = (0, 0)


def _file(path: Path) -> tuple[int, int]:
    state = path.stat()
    return state.st_dev, state.st_ino


def _begin(connection: Connection, path: Path) -> None:
    """The driver begins no transaction by itself: `isolation_level` is None.

    Raises StoreError for a writer that waited while the file was replaced: what it wrote would be
    in the one that was.
    """
    options: Any = connection.get_execution_options()
    writes = options.get(WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
    opened: Any = connection.connection.driver_connection
    if writes and opened.file != _file(path):
        raise StoreError(
            f"The database {path} was replaced by a restore meanwhile. {NOT_WRITTEN} Do it again.",
            code="store_replaced",
            place=str(path),
            hint="do it again",
        )
