"""A copy of the database while it is in use, and the database from such a copy."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from steelyard.errors import InputError
from steelyard.store.failures import failure
from steelyard.store.migrations import REVISIONS
from steelyard.store.opening import LOCK_SECONDS, copy_of, open_store, path_of, url_of
from steelyard.store.store import Store
from steelyard.telemetry.health import locked

NO_BACKUP = "No backup was made."
NOT_RESTORED = "The database is as it was."
MOST_REPLACED = 100


def backup(store: Store, target: Path) -> int:
    """Copy the database to a file that is not there, whole; its bytes. Raises StoreError."""
    path = path_of(store)
    if path is None:
        raise InputError(
            f"{store.place} is a server's database and is backed up with its own tool, pg_dump. "
            f"{NO_BACKUP}",
            code="servers_own_backup",
            place=store.place,
            hint="pg_dump",
        )
    if target.exists() or target.is_symlink():
        raise InputError(
            f"{target} is there already and was left as it is. {NO_BACKUP} Name another file.",
            code="backup_is_there",
            place=str(target),
            hint="name another file",
        )
    part = target.with_name(f".{target.name}.part")
    try:
        part.unlink(missing_ok=True)
        copy_of(path, part)
        part.replace(target)
        return target.stat().st_size
    except (sqlite3.Error, OSError) as error:
        part.unlink(missing_ok=True)
        raise failure(str(target), NO_BACKUP, error) from error


def restore(store_path: Path, source: Path) -> str:
    """Put a backup in the place of the database, which is kept beside it; what that is called.

    Raises InputError for a file that is no database of this or an earlier version.
    """
    check(source)
    aside: Path | None = None
    part = store_path.with_name(f".{store_path.name}.restored")
    try:
        store_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with locked(store_path.with_name(f"{store_path.name}.lock"), LOCK_SECONDS):
            part.unlink(missing_ok=True)
            copy_of(source, part)
            with _quiet(store_path):
                if store_path.exists():
                    aside = _beside(store_path)
                    _keep_beside(store_path, aside)
                for journal in ("-wal", "-shm", "-journal"):
                    store_path.with_name(store_path.name + journal).unlink(missing_ok=True)
                part.replace(store_path)
    except (sqlite3.Error, OSError) as error:
        part.unlink(missing_ok=True)
        raise failure(str(store_path), NOT_RESTORED, error) from error
    open_store(str(store_path)).close()  # brings an older one up to date
    return "" if aside is None else aside.name


def _beside(store_path: Path) -> Path:
    """Where the database goes that a backup replaces: never over an earlier one, for the first of
    two restores may have been the wrong backup.
    """
    names = (f"{store_path.name}.replaced{number}" for number in ("", *range(2, MOST_REPLACED)))
    free = (path for path in map(store_path.with_name, names) if not path.exists())
    path = next(free, None)
    if path is None:
        raise InputError(
            f"Beside {store_path} are {MOST_REPLACED - 1} databases that were replaced. "
            f"{NOT_RESTORED} Move some of {store_path.name}.replaced* away.",
            code="too_many_replaced",
            place=str(store_path),
            limit=MOST_REPLACED - 1,
            hint=f"move some of {store_path.name}.replaced* away",
        )
    return path


def target_of(place: str) -> Path:
    """The file of a database by path or URL; raises InputError for a server's."""
    url = url_of(place)
    if url.get_backend_name() == "sqlite":
        return Path(str(url.database))
    raise InputError(
        f"The database is a server's and is restored with its own tool, psql. {NOT_RESTORED}",
        code="servers_own_tool",
        place="STEELYARD_DATABASE",
        hint="psql",
    )


def check(source: Path) -> None:
    """Raise InputError unless a file is a whole database that this version can read."""
    if not source.is_file():
        raise InputError(
            f"There is no file {source}. {NOT_RESTORED}", code="no_backup", place=str(source)
        )
    try:
        connection = sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)
        try:
            whole = connection.execute("PRAGMA integrity_check").fetchone()[0]
            state = connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise failure(str(source), NOT_RESTORED, error) from error
    if whole != "ok" or state not in REVISIONS:
        reason = f"it is damaged ({whole})" if whole != "ok" else f"its tables are in state {state}"
        raise InputError(
            f"{source} cannot be restored: {reason}, this version reads up to {REVISIONS[-1]}. "
            f"{NOT_RESTORED}",
            code="backup_unusable",
            place=str(source),
            value=whole if whole != "ok" else state,
            limit=REVISIONS[-1],
        )


def _keep_beside(path: Path, aside: Path) -> None:
    """Give a file a second name: at every moment there is a database under its own."""
    part = aside.with_name(f".{aside.name}.part")
    part.unlink(missing_ok=True)
    try:
        part.hardlink_to(path)
    except OSError:  # a file system without links
        shutil.copyfile(path, part)
    part.replace(aside)


@contextmanager
def _quiet(path: Path) -> Iterator[None]:
    """Wait until nobody writes, and let nobody: what is written from now on would be lost."""
    if not path.exists():
        yield
        return
    connection = sqlite3.connect(path, timeout=LOCK_SECONDS, isolation_level=None)
    try:
        try:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as error:
            if "locked" in str(error):
                raise
            # a damaged file is what a backup is for
        if sys.platform == "win32":  # where a file that is open cannot be replaced
            connection.close()
        yield
    finally:
        connection.close()
