"""The right to trade an account: of one process at a time, and known to have been lost."""

import os
import signal

import pytest

from steelyard.errors import JournalFailed, NotExecuted
from steelyard.execution.journal.chain import KEY_FILE
from steelyard.execution.journal.opening import FILE, is_there, leased, open_journal


def in_a_process(work):
    """Do it in another process; the signal or code that it ended with."""
    pid = os.fork()
    if not pid:
        try:
            work()
        finally:
            os._exit(7)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_each_lease_is_newer_and_one_that_was_let_go_of_leaves_no_crash(tmp_path):
    store = open_journal(tmp_path)
    leases = []
    for _ in range(2):
        with leased(store, tmp_path, "core") as lease:
            leases.append((lease.fence, lease.crashed))

    assert leases == [(1, False), (2, False)]


def test_a_journal_whose_key_is_lost_is_refused_and_gets_no_other(tmp_path):
    open_journal(tmp_path).close()
    (tmp_path / KEY_FILE).unlink()

    with pytest.raises(JournalFailed, match="is not there, and the journal beside it is"):
        open_journal(tmp_path)
    assert not (tmp_path / KEY_FILE).exists()


def test_a_journal_that_another_process_holds_says_so_and_asks_for_no_other_disk(tmp_path):
    store = open_journal(tmp_path)
    store.connection.execute("PRAGMA busy_timeout = 1")
    with (
        open_journal(tmp_path).writing(),
        pytest.raises(JournalFailed, match="Another process has it open: once that is done"),
        store.writing(),
    ):
        raise AssertionError("two write at once")


def test_a_process_that_died_without_a_word_is_known_to_have(tmp_path):
    def dies():
        with leased(open_journal(tmp_path), tmp_path, "core"):
            os.kill(os.getpid(), signal.SIGKILL)

    assert in_a_process(dies) == -signal.SIGKILL
    with leased(open_journal(tmp_path), tmp_path, "core") as lease:
        assert (lease.fence, lease.crashed) == (2, True)


@pytest.mark.parametrize("error", [NotExecuted("a rail"), KeyboardInterrupt(), SystemExit(1)])
def test_whoever_ends_with_a_word_did_not_crash(tmp_path, error):
    store = open_journal(tmp_path)
    with pytest.raises(type(error)), leased(store, tmp_path, "core"):
        raise error

    with leased(store, tmp_path, "core") as lease:
        assert not lease.crashed


def test_a_second_process_is_refused_and_told_which_one_has_it(tmp_path):
    store = open_journal(tmp_path)
    refusals = tmp_path / "refusals"

    def second():
        try:
            with leased(open_journal(tmp_path), tmp_path, "core"):
                pass
        except NotExecuted as error:
            refusals.write_text(f"{error.fault.code} {error.fault.value}")

    with leased(store, tmp_path, "core"):
        in_a_process(second)
        with leased(store, tmp_path, "another"):
            pass

    assert refusals.read_text() == f"account_busy {os.getpid()}"


def test_a_name_of_an_account_is_never_a_path(tmp_path):
    with leased(open_journal(tmp_path), tmp_path, "../../etc/core"):
        pass

    assert [path.name for path in (tmp_path / "locks").iterdir()] == [
        "%2e%2e%2f%2e%2e%2fetc%2fcore.lock"
    ]


def test_a_lock_that_cannot_be_made_is_a_failed_journal(tmp_path):
    store = open_journal(tmp_path)

    with (
        pytest.raises(JournalFailed, match="could not be made") as caught,
        leased(store, tmp_path, "n" * 300),
    ):
        pass
    assert caught.value.fault.code == "journal_lock"


def test_a_folder_in_place_of_the_file_is_refused(tmp_path):
    assert not is_there(tmp_path)
    (tmp_path / FILE).mkdir()

    with pytest.raises(JournalFailed, match="no regular file"):
        open_journal(tmp_path)


def test_the_file_is_for_its_owner_alone(tmp_path):
    open_journal(tmp_path).close()

    assert is_there(tmp_path)
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
