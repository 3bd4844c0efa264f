"""`steelyard reconcile`: what differs is told, in JSON too, and stays until somebody looked."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from builders.plans import growth
from steelyard.cli import app


def typed(*words: str) -> Result:
    return CliRunner().invoke(app, [*words])


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which a plan was executed, and its paper account changed by hand."""
    monkeypatch.setenv("STEELYARD_HOME", str(tmp_path))
    monkeypatch.setenv("STEELYARD_PAPER_PACE", "0")
    plan = tmp_path / "plan.json"
    plan.write_text(growth().to_json(), "utf-8")
    done = typed("execute", str(plan), "--yes")
    assert done.exit_code == 0, done.output
    with sqlite3.connect(tmp_path / "paper.db") as paper:
        paper.execute("UPDATE positions SET quantity = quantity + 2 WHERE symbol = 'KO'")
    return tmp_path


@pytest.mark.usefixtures("home")
def test_a_difference_is_told_whole_although_it_is_an_alert_and_ends_when_it_is_acknowledged():
    differs = typed("reconcile", "--json")

    assert differs.exit_code == 1
    document = json.loads(differs.stdout)
    assert (document["clean"], [each["subject"] for each in document["breaks"]]) == (False, ["KO"])
    assert document["frozen"]
    assert "alert account_frozen" in differs.stderr
    assert typed("reconcile", "--acknowledge").exit_code == 1
    assert typed("reconcile", "--acknowledge", "--reason", "a gift").exit_code == 0
    agrees = typed("reconcile")
    assert agrees.exit_code == 0
    assert "2 KO are in no book: nobody trades them" in agrees.stdout


def test_an_acknowledgement_without_an_account_acts_on_the_one_that_is_frozen_and_on_no_other(
    home: Path,
):
    plan = str(home / "plan.json")
    for account in ("aa", "zz"):
        assert typed("execute", plan, "--yes", "--account", account).exit_code == 0
    with sqlite3.connect(home / "paper.db") as paper:
        paper.execute(
            "UPDATE positions SET quantity = quantity + 1 WHERE account = 'zz' AND symbol = 'KO'"
        )
    assert "--account zz --acknowledge" in typed("reconcile").stderr
    release = ("reconcile", "--acknowledge", "--reason", "a gift")

    several = typed(*release)
    (core,) = {*json.loads(typed("reconcile", "--json").stdout)["frozen"]} - {"zz"}
    named = typed(*release, "--account", core)
    last = typed(*release)
    none = typed(*release)

    assert (several.exit_code, "2 accounts are frozen" in several.stderr) == (1, True)
    assert f"{core} is as you saw it, and is released" in named.stdout
    assert last.exit_code == 0
    assert last.stdout.startswith("zz is as you saw it, and is released\n")
    assert (none.exit_code, "No account is frozen. Nothing was" in none.stderr) == (1, True)


def test_a_journal_without_a_run_has_nothing_to_compare_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("STEELYARD_HOME", str(tmp_path))
    (tmp_path / "journal.db").touch()

    told = typed("reconcile")
    document = typed("reconcile", "--json")

    assert told.stderr == "There was no run yet: there is nothing to compare.\n"
    assert json.loads(document.stdout)["clean"] is True
