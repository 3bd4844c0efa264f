"""`steelyard runs` says what is missing on paper before anything may be traded live."""

from __future__ import annotations

from pathlib import Path

import pytest

from builders.commands import run
from builders.trading import staged


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
