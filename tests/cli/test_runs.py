"""`steelyard runs` says what is missing on paper before anything may be traded live."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from builders.commands import run
from builders.trading import staged
from steelyard.execution.journal import rows
from steelyard.execution.journal.opening import open_to_look
from steelyard.execution.states import Outcome
from steelyard.report.exhibits.run import next_step


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STEELYARD_HOME", str(tmp_path))
    stage = staged(tmp_path, "AA 40 @ 100", "BB 40 @ 100", targets={"AA": 0.5, "BB": 0.4})
    stage.trade()
    stage.journal.close()
    return tmp_path


def test_runs_shows_what_live_trading_still_needs(home: Path) -> None:
    shown = run("runs")

    assert "r-" in shown.stdout
    assert shown.stderr == (
        "Before anything is traded live there have to be: 1 of 20 runs on paper that ended well; "
        "1 of 10 days with such a run.\n"
    )
    (home / "execution.toml").write_text("[paper_history]\nmin_runs = 1\nmin_days = 1\n")
    assert run("runs").stderr == ""


def test_a_run_that_is_partly_done_names_what_trades_the_rest(home: Path) -> None:
    with closing(open_to_look(home)) as journal:
        (run_,) = rows.runs(journal)

    assert next_step(run_) == ""
    assert "plan again, then approve" in next_step(replace(run_, outcome=Outcome.PARTIAL))


def test_a_second_halt_says_that_its_reason_was_not_kept(home: Path) -> None:
    first, second = run("halt", "--reason", "look"), run("halt", "--reason", "again")

    assert first.stderr.startswith("Halted: look.")
    assert "its reason stays: look. Yours was not kept." in second.stderr
