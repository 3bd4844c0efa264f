"""A path or a URL to a `Store` of this version: made, brought up to date, or refused.

Which state the tables are in is one query; Alembic is loaded only to change them, by one process at
a time, after a copy of the file was made.
"""

from __future__ import annotations

import errno
import sqlite3
import stat
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from steelyard.errors import StoreError
from steelyard.store import sqlite
from steelyard.store.failures import explained, failure, only_text
from steelyard.store.migrations import REVISIONS
from steelyard.store.store import NOT_READ, Store, now_utc
from steelyard.telemetry.events import DatabaseUpgraded, PlannerEvent
from steelyard.telemetry.health import locked
from steelyard.telemetry.recorder import to_each

POSTGRES = ("postgresql", "postgres", "postgresql+pg8000")
SERVER_OPTIONS = ("application_name", "unix_sock")
"""What the driver takes as text after the `?` of a URL."""
LOCK_SECONDS = 60.0
"""How long a process waits for another one that brings the tables up to date."""
NEWEST = REVISIONS[-1]


def is_url(place: str) -> bool:
    """Is it a URL, and not a path?"""
    return "://" in place


def open_store(
    place: str,
    *,
    now: Callable[[], datetime] = now_utc,
    heard: Callable[[PlannerEvent], None] = lambda _: None,
    correlation_id: str = "",
    upgrade: bool = True,
) -> Store:
    """The database at a path or a URL, made where there is none.

    heard            told every event once it is in the database; its failure disturbs nothing
    correlation_id   of the events of this process
    upgrade          bring older tables up to date; else they are refused
    Raises StoreError for one that cannot be opened, is damaged, or is of a later version.
    """
    url = url_of(place)
    engine = _engine(url)
    event.listen(engine, "before_cursor_execute", only_text)
    store = Store(engine, _shown(url), now, to_each([heard]), correlation_id)
    if url.get_backend_name() == "sqlite":
        _prepare(Path(str(url.database)), store.place)
    state = revision(store)
    if state != NEWEST:
        _refuse_newer(store.place, state)
        if not upgrade:
            raise _older(store.place, state)
        bring_up_to_date(store)
    return store


def path_of(store: Store) -> Path | None:
    """The file of a SQLite database; None of a server's."""
    return None if is_url(store.place) else Path(store.place)


def revision(store: Store) -> str | None:
    """In which state the tables are, None without any; raises StoreError."""
    with store.reading() as connection:
        return _revision(connection)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    row = connection.execute(text("SELECT version_num FROM alembic_version")).first()
    return None if row is None else str(row[0])


def bring_up_to_date(store: Store) -> str | None:
    """Make or change the tables, once however many processes begin at once; the state before."""
    path = path_of(store)
    if path is None:
        return _upgraded(store, None)
    try:
        with locked(path.with_name(f"{path.name}.lock"), LOCK_SECONDS):
            return _upgraded(store, path)
    except OSError as error:
        raise failure(store.place, "Its tables were not changed.", error) from error


def _upgraded(store: Store, path: Path | None) -> str | None:
    state = revision(store)
    if state == NEWEST:
        return state
    _refuse_newer(store.place, state)
    if path is not None and state is not None:
        with explained(store.place, "Its tables were not changed."):
            copy_of(path, path.with_name(f"{path.name}.before-{NEWEST}"))
    _run_alembic(store, state)
    return state


def _run_alembic(store: Store, state: str | None) -> None:
    """Every change since a state, in one transaction."""
    from alembic import command  # noqa: PLC0415 - half a second, and only for this
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with store.writing() as transaction:
        connection = transaction.connection
        if _revision(connection) == NEWEST:
            return
        config.attributes["connection"] = connection
        command.upgrade(config, NEWEST)
        transaction.tell(DatabaseUpgraded(state, NEWEST))


def copy_of(path: Path, target: Path) -> None:
    """Copy a SQLite file as one state of it, also while others write; raises sqlite3.Error."""
    source = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        copy = sqlite3.connect(target, timeout=sqlite.BUSY_SECONDS)
        try:
            source.backup(copy)
        finally:
            copy.close()
        target.chmod(stat.S_IRUSR | stat.S_IWUSR)
    finally:
        source.close()


def _prepare(path: Path, place: str) -> None:
    """The folder of the file; only a regular file is opened."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if path.exists() and not path.is_file():
            raise OSError(errno.EINVAL, "it is no regular file")
        if not path.exists():
            path.touch(mode=0o600)
    except OSError as error:
        raise failure(place, "It was not made.", error) from error


def _refuse_newer(place: str, state: str | None) -> None:
    if state is not None and state not in REVISIONS:
        mend = "Update Steelyard, or restore a backup that this version made."
        raise StoreError(
            f"The database {place} is of a later version of Steelyard: its tables are in state "
            f"{state}, this one knows up to {NEWEST}. {NOT_READ} {mend}",
            code="store_newer",
            place=place,
            value=state,
            limit=NEWEST,
            hint=mend,
        )


def _older(place: str, state: str | None) -> StoreError:
    has = "has no tables" if state is None else f"is in state {state}"
    return StoreError(
        f"The database {place} {has}, and this version needs {NEWEST}. {NOT_READ} Bring it up to "
        "date with: steelyard db upgrade",
        code="store_older",
        place=place,
        value=state,
        limit=NEWEST,
        hint="steelyard db upgrade",
    )


def url_of(place: str) -> URL:
    """The URL of a path or a URL; raises StoreError for what can be neither."""
    if not is_url(place):
        return URL.create("sqlite", database=str(Path(place).expanduser().absolute()))
    try:
        url = make_url(place)
    except (ArgumentError, ValueError) as error:
        raise _unusable("its URL cannot be read") from error
    if url.drivername in POSTGRES:
        return _of_server(url)
    if url.drivername == "sqlite" and url.database:
        return url.set(database=str(Path(url.database).expanduser().absolute()))
    if url.drivername == "sqlite":
        raise _unusable("after sqlite:/// it has no path")
    raise _unusable(f"{url.drivername} is neither sqlite nor postgresql")


def _of_server(url: URL) -> URL:
    """A server's URL as the driver takes it, which fails late for what it does not know."""
    if not url.username:
        raise _unusable("it names no user")
    if others := sorted(set(url.query) - set(SERVER_OPTIONS)):
        names = " and ".join(SERVER_OPTIONS)
        raise _unusable(f"after ? it may have {names}, and it has {', '.join(others)}")
    return url.set(drivername="postgresql+pg8000")


def _unusable(reason: str) -> StoreError:
    mend = "Set it to a path, or to postgresql://USER:PASSWORD@HOST/NAME."
    return StoreError(
        f"STEELYARD_DATABASE names no database: {reason}. {NOT_READ} {mend}",
        code="store_url",
        place="STEELYARD_DATABASE",
        limit="a path, or a URL of postgresql",
        hint=mend,
    )


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        return sqlite.sqlite_engine(Path(str(url.database)))
    try:
        return create_engine(url, pool_pre_ping=True)
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        mend = 'Install it: pip install "steelyard[postgres]"'
        raise StoreError(
            f"The database {_shown(url)} needs pg8000, which is not installed. {NOT_READ} {mend}",
            code="store_no_driver",
            place=_shown(url),
            hint=mend,
        ) from error


def _shown(url: URL) -> str:
    """The path, or the URL without its password."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    hidden: Any = url.render_as_string(hide_password=True)
    return str(hidden)
