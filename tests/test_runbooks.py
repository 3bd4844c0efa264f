"""The runbooks, where something has to go wrong first: by the commands that they name."""

import json
import resource
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

from builders.commands import run
from builders.paths import ROOT
from builders.stored import PROGRAM, environment, planned

PAGE = (ROOT / "docs" / "runbooks.md").read_text(encoding="utf-8")
TESTED = {
    "Halt": "test_docs.py", "Flatten": "test_docs.py",
    "Go back to the other engine": "test_docs.py", "Roll back a strategy": "test_docs.py",
    "A run was interrupted": "test_demo_execute.py", "The runner died": "cli/test_runner.py",
    "An order whose fate is not known": "execution/test_unanswered.py",
    "A frozen account": "test_runbooks.py", "The disk is full": "test_runbooks.py",
    "The journal is no use": "test_runbooks.py",
}  # fmt: skip
"""Section -> the tests that exercise it."""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("runbooks")
    return folder / "home", planned(folder)


@pytest.fixture
def home(prepared, tmp_path, monkeypatch) -> Path:
    place = tmp_path / "home"
    shutil.copytree(prepared[0], place)
    monkeypatch.setenv("STEELYARD_HOME", str(place))
    monkeypatch.setenv("STEELYARD_PAPER_PACE", "0")
    return place


def test_every_section_is_exercised_somewhere():
    titles = [line.removeprefix("## ") for line in PAGE.splitlines() if line.startswith("## ")]
    assert titles == list(TESTED)
    assert all((ROOT / "tests" / file).is_file() for file in TESTED.values())


def test_a_frozen_account_is_traded_again_after_somebody_looked(home, prepared):
    plan = prepared[1]
    assert run("execute", plan, "--yes").exit_code == 0
    with sqlite3.connect(home / "paper.db") as store:
        store.execute("UPDATE cash SET amount = '999.99'")

    result = run("reconcile", "--json")
    assert (result.exit_code, json.loads(result.stdout)["clean"]) == (1, False)
    assert "core" in json.loads(result.stdout)["frozen"]
    assert "is frozen" in run("health").stderr
    assert "`steelyard reconcile --acknowledge --reason" in PAGE
    assert run("reconcile", "--acknowledge").exit_code == 1
    assert run("reconcile", "--acknowledge", "--reason", "a deposit").exit_code == 0
    assert run("reconcile").exit_code == 0
    assert run("health").exit_code == 0


def test_a_full_disk_ends_with_70_and_the_run_goes_on_after_room_was_made(home, prepared):
    plan, journal = prepared[1], home / "journal.db"
    assert run("halt", "--reason", "x").exit_code == 0  # makes the journal
    assert run("halt", "--lift", "--reason", "x").exit_code == 0
    room = journal.stat().st_size + 24 * 1024

    full = subprocess.run(
        [*PROGRAM, "execute", plan, "--yes"], env=environment(home), text=True,
        capture_output=True, check=False, timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
    )  # fmt: skip

    assert full.returncode == 70, full.stderr
    assert "journal.db failed" in full.stderr
    assert "Nothing further was sent." in full.stderr
    assert run("resume").exit_code == 0
    assert run("reconcile").exit_code == 0
    with sqlite3.connect(home / "paper.db") as store:
        names = [name for (name,) in store.execute("SELECT client_order_id FROM orders")]
    assert len(names) == len(set(names))


def test_without_its_key_a_journal_is_read_and_not_traded_on_and_all_can_be_sold(home, prepared):
    assert run("execute", prepared[1], "--yes").exit_code == 0
    key = (home / "journal.key").read_bytes()
    (home / "journal.key").unlink()

    for command in (["resume"], ["reconcile"], ["execute", prepared[1], "--yes"]):
        result = run(*command)
        assert (result.exit_code, "journal.key is not there" in result.stderr) == (70, True), (
            command
        )
    assert "Done" in run("runs").stdout
    assert run("halt", "--reason", "journal").exit_code == 0
    assert (home / "HALT").exists()
    assert run("halt", "--lift", "--reason", "looked").exit_code == 0
    sold = run("flatten", "--without-journal", "--yes")
    assert "is in no journal of it" in sold.stdout
    with sqlite3.connect(home / "paper.db") as store:
        assert [*store.execute("SELECT * FROM positions WHERE quantity != '0'")] == []

    (home / "journal.key").write_bytes(key)
    (home / "journal.key").chmod(0o600)
    assert run("reconcile").exit_code == 1
    assert run("reconcile", "--acknowledge", "--reason", "sold").exit_code == 0
