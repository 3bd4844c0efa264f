"""The promises of execution in small: kills at points all over a run, a disk that fails.

`benchmarks/promises` tries them at every point; these are a few of each, so that none is unnoticed.
"""

import os
import resource
import subprocess
import sys
from collections import Counter as Tally

import pytest
from benchmarks.promises import a5_disk, a7_runners, checker, lives
from benchmarks.promises.broker_process import Served

FILE_BYTES = 130_000
"""More than an empty journal, less than one with a run."""


@pytest.fixture(scope="module")
def home():
    lives.warm()
    with lives.memory() as folder:
        yield folder


def test_points_to_kill_at_are_as_many_as_there_were(home):
    server = Served(home)
    names = Tally(lives.points(server, home / "points", lives.FAULTS))
    server.stop()

    assert names["before write"] == names["after write"] >= 35
    assert names["before send"] == names["after send"] >= 5
    assert names["after receive"] >= 20


def test_a_run_that_is_killed_anywhere_is_resumed_and_nothing_is_doubled_or_lost(home):
    server = Served(home)
    kills = [[lives.Kill(point)] for point in (24, 48, 96)] + [[lives.Kill(60)] * 3]

    trials = [
        lives.trial(server, home / f"trial-{number}", lives.FAULTS, each)
        for number, each in enumerate(kills)
    ]
    server.stop()

    assert [each.wrongs for each in trials] == [()] * len(kills)
    assert [each.kills for each in trials] == [1] * (len(kills) - 1) + [3]


def test_what_the_checker_looks_for_is_noticed(home):
    """It is what all the figures stand on: a lost fill, a double order, a cent."""
    where = home / "checked"
    a7_runners._opened(where)
    a7_runners._live(where, lambda _: None)
    assert checker.wrongs(where, lives.plan()) == []

    def wrong(file, sql):
        connection = checker._opened(where / file)
        connection.execute(sql)
        connection.commit()
        connection.close()
        return " ".join(checker.wrongs(where, lives.plan()))

    assert "cash" in wrong("paper.db", "UPDATE cash SET amount = '1.01'")
    assert "LOST" in wrong("journal.db", "DELETE FROM fill WHERE exec_id = 'e1'")
    assert "OVER" in wrong("paper.db", "UPDATE executions SET quantity = '100'")
    assert "DUPLICATE" in wrong(
        "paper.db",
        "UPDATE orders SET client_order_id = (SELECT MIN(client_order_id) FROM orders)",
    )
    assert "STRANDED" in wrong("journal.db", "UPDATE run SET state = 'SELLING'")


@pytest.mark.parametrize("fails", [3, 400, 701])
def test_after_a_write_that_failed_nothing_is_sent_and_the_run_can_be_resumed(home, fails):
    assert a5_disk._fault(home / f"fault-{fails}", fails, mutant=False) == []


@pytest.mark.parametrize("lock_there", [True, False])
def test_a_second_process_sends_nothing_while_the_first_is_stopped(home, lock_there):
    where = home / f"stop-{lock_there}"

    assert a7_runners._stopped(where, 60, lock_there=lock_there) == []


def test_a_run_of_another_build_ends_in_a_stated_state(home):
    assert a7_runners._other_build(home / "build", 60) == []


def test_the_command_line_ends_with_70_where_the_journal_cannot_be_written(tmp_path):
    (tmp_path / "plan.json").write_text(lives.document())
    a7_runners._opened(tmp_path / "home")

    result = subprocess.run(
        [sys.executable, "-m", "steelyard", "execute", "../plan.json", "--yes", "--account",
         "core"],
        cwd=tmp_path / "home", capture_output=True, text=True, check=False,
        env={**os.environ, "STEELYARD_HOME": str(tmp_path / "home")},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES)),
    )  # fmt: skip

    assert result.returncode == 70, result.stderr
    assert "Nothing further was sent" in result.stderr
    assert checker.ids_of(tmp_path / "home") == []
