"""A backup is one state of the database, and a restore brings it back to the byte."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from pathlib import Path

import pytest

from steelyard.errors import SteelyardError
from steelyard.store.backups import backup, restore
from steelyard.store.opening import open_store
from steelyard.store.strategies import Draft, history, save


def draft(depth: int) -> Draft:
    return Draft(name="mine", toml=f"[search]\nmax_depth = {depth}\n", rules_sha256="0" * 64)


def hashes(path: Path) -> str:
    connection = sqlite3.connect(path)
    return hashlib.sha256("\n".join(connection.iterdump()).encode()).hexdigest()


def test_a_restore_brings_back_what_was_backed_up_and_keeps_what_was_there(tmp_path: Path):
    path, copy = tmp_path / "a.db", tmp_path / "copy.db"
    store = open_store(str(path))
    save(store, draft(1))
    backup(store, copy)
    before = hashes(path)
    save(store, draft(2))

    aside = restore(path, copy)

    assert hashes(path) == hashes(copy) == before
    assert [row.version for row in history(open_store(str(path)), "mine")] == [1]
    assert [row.version for row in history(open_store(str(tmp_path / aside)), "mine")] == [2, 1]


def test_a_backup_while_others_write_is_one_of_the_states_that_there_were(tmp_path: Path):
    path = tmp_path / "a.db"
    store = open_store(str(path))
    save(store, draft(1))
    end = threading.Event()

    def write() -> None:
        depth = 2
        while not end.is_set():
            save(store, draft(depth))
            depth += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        copies = [tmp_path / f"copy{i}.db" for i in range(5)]
        for copy in copies:
            backup(store, copy)
    finally:
        end.set()
        writer.join()

    for copy in copies:
        rows = history(open_store(str(copy)), "mine")
        assert [row.version for row in rows] == list(range(len(rows), 0, -1))
        assert sum(row.active for row in rows) == 1


def test_a_second_restore_keeps_what_the_first_replaced(tmp_path: Path):
    path, copy = tmp_path / "a.db", tmp_path / "copy.db"
    store = open_store(str(path))
    backup(store, copy)
    save(store, draft(1))

    first, second = restore(path, copy), restore(path, copy)

    assert (first, second) == ("a.db.replaced", "a.db.replaced2")
    assert [row.version for row in history(open_store(str(tmp_path / first)), "mine")] == [1]


def test_a_restore_where_nothing_was_says_that_nothing_was_replaced(tmp_path: Path):
    path, copy = tmp_path / "a.db", tmp_path / "copy.db"
    backup(open_store(str(path)), copy)
    (tmp_path / "b.db.replaced").write_bytes(b"of another day")

    assert restore(tmp_path / "b.db", copy) == ""


def test_a_damaged_database_can_be_restored_over(tmp_path: Path):
    path, copy = tmp_path / "a.db", tmp_path / "copy.db"
    store = open_store(str(path))
    save(store, draft(1))
    backup(store, copy)
    path.write_bytes(b"damaged" * 1000)

    restore(path, copy)

    assert len(history(open_store(str(path)), "mine")) == 1


def test_what_is_no_backup_is_refused_and_the_database_stays(tmp_path: Path):
    path = tmp_path / "a.db"
    store = open_store(str(path))
    save(store, draft(1))
    before = hashes(path)
    (tmp_path / "garbage.db").write_bytes(b"x" * 4096)
    sqlite3.connect(tmp_path / "other.db").execute("CREATE TABLE t (a)")
    later = tmp_path / "later.db"
    backup(store, later)
    connection = sqlite3.connect(later)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()

    for name in ("nowhere.db", "garbage.db", "other.db", "later.db"):
        with pytest.raises(SteelyardError):
            restore(path, tmp_path / name)
        assert hashes(path) == before, name
    with pytest.raises(SteelyardError, match="is there already"):
        backup(store, later)


def test_a_restore_that_fails_at_its_end_leaves_the_database_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path, copy = tmp_path / "a.db", tmp_path / "copy.db"
    store = open_store(str(path))
    save(store, draft(1))
    backup(store, copy)
    save(store, draft(2))
    replace = Path.replace

    def refuse(part: Path, target: Path) -> Path:
        if target == path:
            raise OSError(28, "No space left on device")
        return replace(part, target)

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(SteelyardError, match="The database is as it was"):
        restore(path, copy)

    assert [row.version for row in history(store, "mine")] == [2, 1]
