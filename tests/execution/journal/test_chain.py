"""The chain of events, and the key that it hangs on."""

import multiprocessing

import pytest

from builders.accounts import journal
from steelyard.errors import ChainBroken, JournalFailed
from steelyard.execution.journal.chain import KEY_FILE, key_of
from steelyard.telemetry.events import AlertRaised


def told(folder, count=4):
    """A journal of so many events; the head after each."""
    store, heads = journal(folder), []
    for number in range(count):
        with store.writing() as change:
            change.tell(AlertRaised("code", f"event {number}"), "r-1", "core")
        heads.append(store.head())
    return store, heads


def test_a_head_that_was_printed_is_found_again_at_any_later_time(tmp_path):
    store, heads = told(tmp_path)

    assert [store.verify(head) for head in heads] == [heads[-1]] * 4


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE event SET body = replace(body, 'event 2', 'event 9') WHERE seq = 3",
        "UPDATE event SET ts_utc = '2020-01-01T00:00:00+00:00' WHERE seq = 3",
        "DELETE FROM event WHERE seq = 3",
        "UPDATE event SET hash = randomblob(32) WHERE seq = 3",
        "UPDATE event SET prev = zeroblob(32) WHERE seq = 3",
    ],
)
def test_whatever_is_done_to_an_event_is_noticed_there(tmp_path, change):
    store, _ = told(tmp_path)
    store.connection.execute(change)

    with pytest.raises(ChainBroken, match="broken at event 3:"):
        store.verify()


def test_an_event_before_the_first_is_noticed(tmp_path):
    store, _ = told(tmp_path)
    store.connection.execute(
        "INSERT INTO event SELECT -5, ts_utc, mono_ns, boot_id, run_id, kind, body, prev, hash "
        "FROM event WHERE seq = 1"
    )

    with pytest.raises(ChainBroken, match="broken at event 1:"):
        store.verify()


def test_events_that_are_cut_off_the_end_are_noticed_with_the_printed_head_alone(tmp_path):
    store, heads = told(tmp_path)
    store.connection.execute("DELETE FROM event WHERE seq > 2")

    assert store.verify() == heads[1]
    with pytest.raises(ChainBroken, match=r"broken at event 3: the head .* is not in it"):
        store.verify(heads[-1])


def test_a_reader_of_many_events_never_holds_up_who_writes(tmp_path, monkeypatch):
    store, heads = told(tmp_path, 7)
    monkeypatch.setattr("steelyard.execution.journal.journal.PAGE", 2)
    reader, writer = journal(tmp_path), journal(tmp_path)
    writer.connection.execute("PRAGMA busy_timeout = 0")
    pages = reader._pages()
    next(pages)

    with writer.writing() as change:
        change.tell(AlertRaised("code", "meanwhile"), "r-1", "core")

    assert len([*pages]) == 7
    assert store.verify(heads[-1]) == writer.head()


def test_the_key_is_for_its_owner_alone_and_stays_what_it_is(tmp_path):
    first = key_of(tmp_path / "home")
    path = tmp_path / "home" / KEY_FILE

    assert len(first) == 32
    assert key_of(tmp_path / "home") == first
    assert path.stat().st_mode & 0o777 == 0o600
    assert [*path.parent.iterdir()] == [path]


def test_of_processes_that_make_the_key_at_once_all_have_the_same(tmp_path):
    with multiprocessing.get_context("fork").Pool(8) as pool:
        keys = pool.map(key_of, [tmp_path / str(n // 8) for n in range(160)], chunksize=1)

    assert {len(key) for key in keys} == {32}
    assert all(len({*keys[n : n + 8]}) == 1 for n in range(0, 160, 8))


def spoilt(path, how):
    key_of(path.parent)
    if how == "can be read by others":
        path.chmod(0o644)
    elif how == "has 3 bytes":
        path.write_bytes(b"abc")
    else:
        path.unlink()
        path.symlink_to(path.parent / "elsewhere")


@pytest.mark.parametrize("how", ["can be read by others", "has 3 bytes", "is no regular file"])
def test_a_key_that_is_not_as_it_was_made_is_refused(tmp_path, how):
    spoilt(tmp_path / KEY_FILE, how)

    with pytest.raises(JournalFailed, match=how) as caught:
        key_of(tmp_path)
    assert caught.value.fault.code == "journal_key"


def test_a_folder_that_cannot_be_made_is_a_failed_journal(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(JournalFailed, match="could not be used"):
        key_of(tmp_path / "file" / "home")
