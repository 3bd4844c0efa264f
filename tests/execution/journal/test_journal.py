"""The journal: whole changes or none, nothing after a failure, nothing by who was replaced."""

import multiprocessing
import sqlite3

import pytest

from builders.accounts import ACCOUNT, journal
from steelyard.errors import JournalFailed, NotExecuted
from steelyard.execution.journal.journal import Journal, Lease
from steelyard.execution.journal.opening import connect, now
from steelyard.telemetry.events import AlertRaised

KEY = b"k" * 32
ALERT = AlertRaised("code", "words")


class Failing:
    """A connection of which one statement fails, once."""

    def __init__(self, path):
        self.inner, self.fails = connect(path), ""

    def execute(self, sql, *parameters):
        if self.fails and sql.startswith(self.fails):
            self.fails = ""
            raise sqlite3.OperationalError("disk I/O error")
        return self.inner.execute(sql, *parameters)

    def close(self):
        self.inner.close()


def tells_and_raises(store):
    with store.writing() as change:
        change.tell(ALERT, "r-1", "core")
        raise NotExecuted("a rail")


def tells(store, lease):
    with store.writing(lease) as change:
        change.tell(ALERT, "r-1", "core")


def alerts(store):
    return len(store.events())


def test_what_fails_halfway_is_not_there_at_all_and_is_told_nobody(tmp_path):
    heard = []
    store = Journal(lambda: connect(tmp_path / "j.db"), KEY, now=now, heard=heard.append)

    with pytest.raises(NotExecuted):
        tells_and_raises(store)
    assert (alerts(store), heard) == (0, [])

    with store.writing() as change:
        change.tell(ALERT, "r-1", "core")
    assert [event.event_type for event in heard] == ["AlertRaised"]
    assert store.events()[0] == (1, heard[0])


@pytest.mark.parametrize("statement", ["BEGIN", "INSERT INTO event", "COMMIT"])
def test_after_a_write_that_failed_nothing_more_is_written(tmp_path, statement):
    connection = Failing(tmp_path / "j.db")
    store = Journal(lambda: connection, KEY, now=now)
    connection.fails = statement

    with pytest.raises(JournalFailed, match="disk I/O error"), store.writing() as change:
        change.tell(ALERT, "r-1", "core")
    with pytest.raises(JournalFailed, match="a write before has failed"), store.writing():
        pass

    assert alerts(store) == 0
    assert alerts(Journal(lambda: connect(tmp_path / "j.db"), KEY, now=now)) == 0


def test_a_read_that_failed_does_not_end_writing(tmp_path):
    connection = Failing(tmp_path / "j.db")
    store = Journal(lambda: connection, KEY, now=now)
    connection.fails = "SELECT"

    with pytest.raises(JournalFailed):
        store.row("SELECT 1")
    with store.writing() as change:
        change.tell(ALERT, "r-1", "core")
    assert store.row("SELECT COUNT(*) FROM event") == (1,)


def test_reading_writes_nothing(tmp_path):
    store = journal(tmp_path)

    with store.reading() as change:
        change.tell(ALERT, "r-1", "core")

    assert alerts(store) == 0


def test_who_was_replaced_writes_nothing(tmp_path):
    store = journal(tmp_path)
    with store.writing() as change:
        change.execute("INSERT INTO lease VALUES (?,2,'boot',1,0)", (ACCOUNT,))

    for lease in (Lease(ACCOUNT, 1), Lease("another", 2)):
        with pytest.raises(NotExecuted, match="Another process trades") as caught:
            tells(store, lease)
        assert caught.value.fault.code == "fenced_off"
    tells(store, Lease(ACCOUNT, 2))

    assert alerts(store) == 1


def test_a_journal_of_a_later_version_is_neither_read_nor_written(tmp_path):
    store = journal(tmp_path)
    store.connection.execute("PRAGMA user_version = 99")

    with pytest.raises(JournalFailed, match="later version") as caught:
        journal(tmp_path)
    assert (caught.value.fault.value, caught.value.fault.limit) == ("99", "1")


def test_a_damaged_file_is_said_to_be_so(tmp_path):
    store = journal(tmp_path)
    for number in range(300):
        with store.writing() as change:
            change.tell(AlertRaised("code", f"{number}" * 200), "r-1", "core")
    store.whole()
    path = next(tmp_path.glob("*.db"))
    store.close()
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 8_192] = b"\xff" * 8_192
    path.write_bytes(data)

    with pytest.raises(JournalFailed):
        journal(tmp_path).whole()


def opened(path):
    store = Journal(lambda: connect(path), KEY, now=now)
    with store.writing() as change:
        change.tell(ALERT, "r-1", "core")
    return store.row("PRAGMA user_version")[0]


def test_processes_that_make_the_file_at_once_all_write_to_one(tmp_path):
    with multiprocessing.get_context("fork").Pool(4) as pool:
        versions = pool.map(opened, [tmp_path / "j.db"] * 12, chunksize=1)

    store = Journal(lambda: connect(tmp_path / "j.db"), KEY, now=now)
    assert (versions, alerts(store)) == ([1] * 12, 12)
    assert store.verify() == store.head()
