"""The kill switch: whatever is there halts; only nothing at all does not."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from steelyard.errors import NotExecuted, StoreError
from steelyard.execution import halt

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)


def _folder(path):
    path.mkdir()


def _link_to_nowhere(path):
    path.symlink_to(path.parent / "nowhere")


def _link_to_itself(path):
    path.symlink_to(path)


def _pipe(path):
    os.mkfifo(path)


def _link_to_a_pipe(path):
    os.mkfifo(path.parent / "pipe")
    path.symlink_to(path.parent / "pipe")


def _empty(path):
    path.touch()


def _garbage(path):
    path.write_bytes(b"\xff\x00[")


def _deep(path):
    path.write_text("[" * 5000)


def _other_json(path):
    path.write_text("[1]")


def _other_types(path):
    path.write_text('{"reason": {"a": 1}, "author": null}')


def _huge(path):
    path.write_bytes(b" " * 20_000_000)


THINGS = [
    _folder, _link_to_nowhere, _link_to_itself, _pipe, _link_to_a_pipe, _empty, _garbage, _deep,
    _other_json, _other_types, _huge,
]  # fmt: skip


@pytest.mark.parametrize("thing", THINGS)
def test_whatever_is_there_halts_and_looking_never_waits(tmp_path, thing):
    thing(tmp_path / halt.FILE)

    start = time.perf_counter()
    switch = halt.look(tmp_path)

    assert switch.engaged
    assert switch.why
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize("thing", THINGS)
def test_whatever_is_there_can_be_lifted_with_a_reason(tmp_path, thing):
    thing(tmp_path / halt.FILE)

    before = halt.lift(tmp_path, "looked at it")

    assert before.engaged
    assert not halt.look(tmp_path).engaged


def test_nothing_there_is_off_and_no_folder_at_all_is_too(tmp_path):
    assert halt.look(tmp_path) == halt.OFF
    assert halt.look(tmp_path / "no" / "such") == halt.OFF


def test_a_home_that_cannot_be_looked_into_halts(tmp_path):
    (tmp_path / "home").write_text("no folder")

    assert halt.look(tmp_path / "home").engaged
    assert halt.look(tmp_path / ("x" * 5000)).engaged
    assert halt.look(tmp_path / "a\0b").engaged


@pytest.mark.parametrize("mode", [0o755, 0])
def test_what_nobody_may_read_or_look_into_halts(mode):
    home = Path(tempfile.mkdtemp())
    (home / halt.FILE).touch(mode=0)
    home.chmod(mode)

    child = os.fork()
    if child == 0:
        if os.geteuid() == 0:
            os.setuid(65534)
        os._exit(10 + halt.look(home).engaged)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    home.chmod(0o700)
    shutil.rmtree(home)
    assert code == 11


def test_it_says_why_by_whom_and_since_when(tmp_path):
    switch = halt.engage(tmp_path / "home", "odd fills", "eva", NOW)

    assert switch == halt.Switch(True, "odd fills", "eva", NOW.isoformat())
    assert json.loads((tmp_path / "home" / halt.FILE).read_text())["reason"] == "odd fills"
    assert [path.name for path in (tmp_path / "home").iterdir()] == [halt.FILE]


def test_a_second_halt_leaves_the_first_ones_reason(tmp_path):
    halt.engage(tmp_path, "first", "eva", NOW)

    assert halt.engage(tmp_path, "second", "bob", NOW).why == "first"


def test_where_no_words_can_be_written_an_empty_file_halts(tmp_path):
    # the draft's name is taken by a folder: as good as a disk without room
    (tmp_path / f".{halt.FILE}.{os.getpid()}").mkdir()

    switch = halt.engage(tmp_path, "why", "eva", NOW)

    assert switch.engaged
    assert (tmp_path / halt.FILE).read_bytes() == b""


def test_a_halt_that_cannot_be_written_at_all_is_told():
    with pytest.raises(StoreError, match="stop the process that trades") as error:
        halt.engage(Path("/proc/steelyard"), "why", "eva", NOW)

    assert error.value.fault.code == "halt_not_written"


@pytest.mark.parametrize("reason", ["", "  ", "\n"])
def test_it_is_not_lifted_without_a_reason(tmp_path, reason):
    halt.engage(tmp_path, "why", "eva", NOW)

    with pytest.raises(NotExecuted) as error:
        halt.lift(tmp_path, reason)

    assert error.value.fault.code == "halt_no_reason"
    assert halt.look(tmp_path).engaged


def test_a_folder_that_is_not_empty_stays_and_halts(tmp_path):
    (tmp_path / halt.FILE / "more").mkdir(parents=True)

    with pytest.raises(NotExecuted) as error:
        halt.lift(tmp_path, "why")

    assert error.value.fault.code == "halt_not_lifted"
    assert halt.look(tmp_path).engaged


def test_lifting_what_is_not_engaged_does_nothing(tmp_path):
    assert halt.lift(tmp_path, "why") == halt.OFF


def _ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


@pytest.mark.parametrize(
    ("endings", "count"),
    [
        ([], 0),
        ([(3, "failed"), (2, "failed"), (1, "failed")], 3),
        ([(1, "failed"), (3, "failed"), (2, "done")], 1),
        ([(3, "failed"), (2, "done_with_skips")], 0),
        # neither a failure nor a success
        ([(3, "failed"), (2, "partial"), (1, "not_started")], 1),
        ([(24, "failed"), (23.999, "failed")], 1),
        ([(30, "done"), (2, "failed")], 1),
    ],
)
def test_runs_that_failed_are_counted_since_the_last_that_did_not(endings, count):
    assert halt.failures([(_ago(hours), word) for hours, word in endings], NOW) == count


def test_a_person_who_lifted_the_switch_starts_the_count_anew():
    endings = [(_ago(3), "failed"), (_ago(2), "failed"), (_ago(1), "failed")]

    assert halt.failures(endings, NOW, lifted_at=_ago(2)) == 1


def test_the_third_failure_halts_by_itself_and_the_second_does_not(tmp_path):
    assert not halt.engage_after(tmp_path, 2, 3, NOW).engaged

    switch = halt.engage_after(tmp_path, 3, 3, NOW)

    assert (switch.author, switch.why) == (halt.ITSELF, "3 runs failed within 24 hours")
    assert halt.look(tmp_path).engaged
