"""`steelyard batch`: interrupted it says what is stored, and the same command goes on."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from builders.commands import own_files, run
from builders.stored import DAY, environment
from steelyard.cli.batch import _draw
from steelyard.cli.output import screen
from steelyard.runs.batch.bucket import HELD, Outcome

SLOWLY = """
import sys, time
from steelyard.runs.batch import steps
real = steps.score_batch
def score_batch(*given):
    time.sleep(2)
    return real(*given)
steps.score_batch = score_batch
from steelyard.__main__ import main
sys.argv = ["steelyard", *sys.argv[1:]]
main()
"""


@pytest.fixture
def loaded(folder: Path) -> Path:
    """A bucket whose strategy takes the best of all proposals."""
    assert run("bucket", "load", "core", *own_files(folder), "--as-of", DAY).exit_code == 0
    (folder / "all.toml").write_text('[search]\nscope = "proposals"\n')
    assert run("strategy", "save", "all", "all.toml", "--yes").exit_code == 0
    assert run("strategy", "assign", "all", "--bucket", "core").exit_code == 0
    return folder


def batch(*more: str) -> list[dict[str, object]]:
    result = run("batch", *more, "--json")
    assert result.exit_code == 0, result.stderr
    rows: list[dict[str, object]] = json.loads(result.stdout)
    return rows


def test_interrupted_it_says_how_to_go_on_and_then_goes_on(loaded: Path):
    home = Path(os.environ["STEELYARD_HOME"])
    words = ("batch", "--bucket", "core", "--batch-size", "2")
    first = subprocess.Popen(
        [sys.executable, "-c", SLOWLY, *words], env=environment(home), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    deadline = time.monotonic() + 40
    while not (rows := batch("--list")) or not rows[0]["evaluated"]:
        assert time.monotonic() < deadline
        assert first.poll() is None
        time.sleep(0.05)

    (second,) = batch("--bucket", "core")
    first.send_signal(signal.SIGINT)
    out, err = first.communicate(timeout=30)
    (midway,) = batch("--list")
    (last,) = batch("--all", "--batch-size", "3")
    plain = json.loads(run("plan", "--bucket", "core", "--no-save", "--json").stdout)

    assert (second["because"], second["plan_id"]) == ("another batch holds it", None)
    assert (first.returncode, out) == (130, "")
    assert f"Interrupted. {midway['evaluated']} of {midway['total']} sequences of core" in err
    assert err.rstrip().endswith("To go on: steelyard batch --bucket core")
    assert 0 < midway["evaluated"] < midway["total"]
    assert last["because"] == f"went on from {midway['evaluated']} sequences that were stored"
    assert (last["final"], last["evaluated"]) == (True, last["total"])
    assert last["plan_id"] == plain["plan_id"]
    assert last.keys() == {
        *("bucket", "plan_id", "evaluated", "total", "final", "run_key", "because")
    }


def test_an_ordinary_plan_is_made_in_one_go_and_kept(loaded: Path):
    (row,) = batch("--bucket", "core")

    assert row["because"] == "planned in one go: nothing of it is slow enough to be stored"
    (listed,) = json.loads(run("plans", "list", "--json").stdout)
    assert listed["plan_id"] == row["plan_id"]
    text = run("batch", "--all").stdout
    assert "core" in text
    assert "nothing was planned" in text
    assert "No run" not in run("batch", "--list").stdout


def test_buckets_without_holdings_are_passed_over_and_said(loaded: Path):
    assert run("bucket", "create", "empty").exit_code == 0

    rows = {row["bucket"]: row for row in batch("--all")}

    assert rows["core"]["final"] is True
    assert "has no holdings yet" in str(rows["empty"]["because"])
    assert run("batch", "--bucket", "empty").exit_code == 1


def test_what_is_damaged_of_one_bucket_leaves_the_others_to_be_planned(loaded: Path):
    assert run("bucket", "create", "apart").exit_code == 0
    assert run("bucket", "load", "apart", *own_files(loaded), "--as-of", DAY).exit_code == 0
    assert run("strategy", "assign", "all", "--bucket", "apart").exit_code == 0
    batch("--bucket", "apart", "--batch-size", "2")
    place = Path(os.environ["STEELYARD_HOME"]) / "steelyard.db"
    with closing(sqlite3.connect(place)) as database:
        database.execute("UPDATE run SET final = 0, plan_id = NULL")
        assert database.execute("UPDATE run_slice SET body = x'00'").rowcount
        database.commit()

    result = run("batch", "--all", "--json")

    assert result.exit_code == 70
    assert "apart: A stored slice is damaged" in result.stderr
    rows = {row["bucket"]: row["final"] for row in json.loads(result.stdout)}
    assert rows == {"apart": False, "core": True}


@pytest.mark.parametrize("size", ["0", "-5", "1000000000", "many"])
def test_a_batch_size_that_is_none_is_a_usage_error(size: str):
    result = run("batch", "--all", "--batch-size", size)

    assert (result.exit_code, result.stdout) == (2, "")


def test_a_bucket_or_all_is_asked_for():
    assert run("batch").exit_code == run("batch", "--all", "--bucket", "core").exit_code == 2


def test_a_database_that_cannot_be_used_ends_with_70(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "no.db").write_bytes(b"no database at all" * 100)
    monkeypatch.setenv("STEELYARD_DATABASE", str(tmp_path / "no.db"))

    assert run("batch", "--all").exit_code == 70


def test_where_another_one_holds_a_bucket_it_says_when_to_come_again():
    there = Outcome(
        bucket="core", plan=None, plan_id=None, evaluated=3, total=9, final=False, run_key=None,
        because=HELD,
    )  # fmt: skip

    text = " ".join(screen(lambda console: _draw([there], console)).split())

    assert "core: another batch holds it. If that one was killed, its bucket is free within" in text
