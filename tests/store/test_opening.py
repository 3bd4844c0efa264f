"""A database is made, brought up to date once, or refused with what to do."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import text

from steelyard.errors import StoreError
from steelyard.sqlite import journal
from steelyard.store import migrations
from steelyard.store.assignments import ensure_core
from steelyard.store.buckets import buckets
from steelyard.store.events import since
from steelyard.store.opening import open_store, revision
from steelyard.store.schema import metadata
from steelyard.store.strategies import Draft, history, save

OLD = Draft(name="old", toml="max_depth = 3\n", rules_sha256="0" * 64)


def at_state(path: Path, state: str) -> None:
    """A database as an earlier version left it, with a strategy in it."""
    store = open_store(str(path))
    save(store, OLD)
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with store.writing() as transaction:
        config.attributes["connection"] = transaction.connection
        for table in reversed(metadata.sorted_tables):
            if table.name not in {"strategy_version", "preset", "preset_use", "event"}:
                table.drop(transaction.connection)
        transaction.connection.execute(
            text("UPDATE alembic_version SET version_num = :state"), {"state": state}
        )
    store.close()


def test_a_new_database_has_the_tables_that_the_code_reads(tmp_path: Path):
    store = open_store(str(tmp_path / "new.db"))

    with store.reading() as connection:
        context = MigrationContext.configure(connection)
        differences = compare_metadata(context, metadata)
    assert differences == []
    assert revision(store) == migrations.REVISIONS[-1]
    assert (tmp_path / "new.db").stat().st_mode & 0o077 == 0


def test_every_state_of_the_tables_has_a_migration():
    folder = Path(migrations.__file__).parent / "versions"

    assert [path.name[:4] for path in sorted(folder.glob("0*.py"))] == list(migrations.REVISIONS)


def test_an_older_database_is_brought_up_to_date_and_copied_before(tmp_path: Path):
    path = tmp_path / "old.db"
    at_state(path, "0001")
    before = path.read_bytes()

    with pytest.raises(StoreError, match="steelyard db upgrade"):
        open_store(str(path), upgrade=False)
    store = open_store(str(path))

    assert [version.toml for version in history(store, "old")] == [OLD.toml]
    assert revision(store) == migrations.REVISIONS[-1]
    copy = sqlite3.connect(tmp_path / f"old.db.before-{migrations.REVISIONS[-1]}")
    assert copy.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)
    assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert before != path.read_bytes()


def test_processes_that_start_on_an_old_database_at_once_change_it_once(tmp_path: Path):
    path = tmp_path / "old.db"
    at_state(path, "0001")
    program = (
        "import sys; from steelyard.store.opening import open_store, revision; "
        "print(revision(open_store(sys.argv[1])))"
    )

    def start(_: int) -> str:
        done = subprocess.run(
            [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    with ThreadPoolExecutor(4) as pool:
        states = list(pool.map(start, range(4)))

    assert states == [migrations.REVISIONS[-1]] * 4
    upgrades = sqlite3.connect(path).execute(
        "SELECT count(*) FROM event WHERE event_type = 'DatabaseUpgraded' AND data LIKE '%0001%'"
    )
    assert upgrades.fetchone() == (1,)


def test_a_database_of_a_later_version_is_refused_and_left_alone(tmp_path: Path):
    path = tmp_path / "new.db"
    open_store(str(path)).close()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    before = path.read_bytes()

    with pytest.raises(StoreError, match=r"later version of Steelyard.*9999") as refusal:
        open_store(str(path))

    assert refusal.value.fault.code == "store_newer"
    assert path.read_bytes() == before


def test_what_cannot_be_opened_says_why_and_what_to_do(tmp_path: Path):
    garbage = tmp_path / "garbage.db"
    garbage.write_bytes(b"not a database at all" * 100)
    (tmp_path / "folder.db").mkdir()
    os.mkfifo(tmp_path / "pipe.db")
    cases = {
        str(garbage): ("store_damaged", "Restore a backup"),
        str(tmp_path / "folder.db"): ("store_unreachable", "no regular file"),
        str(tmp_path / "pipe.db"): ("store_unreachable", "no regular file"),
        "mysql://u:secret@h/d": ("store_url", "neither sqlite nor postgresql"),
        "postgresql://u:secret@h:port/d": ("store_url", "cannot be read"),
        "postgresql://u:secret@[::1/d": ("store_url", "cannot be read"),
        "postgresql://:secret@h/d": ("store_url", "names no user"),
        "postgresql://u:secret@h/d?password=secret": ("store_url", "it has password"),
        "sqlite:///": ("store_url", "no path"),
        str(tmp_path / ("x" * 300)): ("store_unreachable", "File name too long"),
        "postgresql://u:secret@127.0.0.1:1/d": ("store_unreachable", "its server runs"),
    }

    for place, (code, words) in cases.items():
        with pytest.raises(StoreError) as refusal:
            open_store(place)
        assert refusal.value.fault.code == code, place
        assert words in str(refusal.value), place
        assert "secret" not in str(refusal.value), place


def test_cells_that_are_not_what_was_written_are_a_damaged_database(tmp_path: Path):
    path = tmp_path / "a.db"
    store = open_store(str(path))
    save(store, OLD)
    ensure = "INSERT INTO bucket_cash (bucket, currency, amount) VALUES ('core', 'USD', '1.x')"
    with store.writing() as transaction:
        ensure_core(transaction)
    damages = {
        "UPDATE strategy_version SET created_at = '2026-1.-29'": lambda: history(store, OLD.name),
        "UPDATE event SET data = '{\"a'": lambda: since(store),
        "UPDATE event SET timestamp = CAST(x'ff32' AS TEXT)": lambda: since(store),
        ensure: lambda: buckets(store),
        "UPDATE bucket SET universe = '['": lambda: buckets(store),
    }
    for damage, read in damages.items():
        connection = sqlite3.connect(path)
        connection.execute(damage)
        connection.commit()
        connection.close()

        with pytest.raises(StoreError, match="Restore a backup") as refusal:
            read()

        assert refusal.value.fault.code == "store_damaged", damage


def test_a_writer_that_waited_while_the_file_was_replaced_is_told_and_writes_nothing(
    tmp_path: Path,
):
    path, other = tmp_path / "a.db", tmp_path / "b.db"
    open_store(str(other)).close()
    store = open_store(str(path))
    save(store, OLD)
    holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    old = tmp_path / "old.db"
    old.hardlink_to(path)

    def replace() -> None:
        other.replace(path)
        holder.execute("ROLLBACK")

    timer = threading.Timer(1.0, replace)
    timer.start()
    with pytest.raises(StoreError, match="replaced by a restore meanwhile"):
        save(store, OLD)
    timer.join()

    assert [v.version for v in history(open_store(str(old)), OLD.name)] == [1]
    assert save(store, OLD).version.version == 1


def test_a_locked_database_is_waited_for_and_then_refused_with_nothing_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("steelyard.store.sqlite.BUSY_SECONDS", 0.2)
    path = tmp_path / "a.db"
    store = open_store(str(path))
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")

    with pytest.raises(StoreError, match="another process is writing") as refusal:
        save(store, OLD)

    holder.execute("ROLLBACK")
    assert refusal.value.fault.code == "store_locked"
    assert save(store, OLD).version.version == 1


def test_a_full_disk_leaves_what_there_was(tmp_path: Path):
    path = tmp_path / "a.db"
    open_store(str(path)).close()
    program = (
        "import resource, sys; from steelyard.errors import StoreError; "
        "from steelyard.store.opening import open_store; "
        "from steelyard.store.strategies import Draft, save; "
        "import os; size = os.path.getsize(sys.argv[1]); "
        "store = open_store(sys.argv[1]); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)); "
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "try: save(store, Draft(name='big', toml='#' * 500000, rules_sha256='0' * 64))\n"
        "except StoreError as error: print(error.fault.code)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() in {"store_full", "store_disk"}, done.stdout + done.stderr
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert connection.execute("SELECT count(*) FROM strategy_version").fetchone() == (0,)


def test_the_journal_follows_the_version_of_the_library():
    assert journal((3, 7, 0)) == journal((3, 51, 2)) == ("DELETE", "EXTRA")
    assert journal((3, 51, 3)) == journal((4, 0, 0)) == ("WAL", "FULL")


def test_alembic_can_run_the_migrations_by_itself(tmp_path: Path):
    store = open_store(str(tmp_path / "a.db"))
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with store.reading() as connection:
        config.attributes["connection"] = connection
        command.check(config)
