"""Which account a plan is traded in: one that can be named, and the broker's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from builders.plans import growth
from steelyard.cli import app


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STEELYARD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("STEELYARD_PAPER_PACE", "0")
    path = tmp_path / "plan.json"
    path.write_text(growth().to_json(), "utf-8")
    return path


def execute(plan: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["execute", str(plan), "--yes", *words])


@pytest.mark.parametrize("name", ["", " ", "\x1b[31mred", "x" * 65])
def test_an_account_that_cannot_be_named_in_a_line_is_refused(plan: Path, name: str) -> None:
    result = execute(plan, "--account", name)

    assert result.exit_code == 1
    assert "Nothing was sent. Give 1 to 64 signs that can be seen." in result.stderr
    assert "\x1b" not in result.stderr
    assert not (plan.parent / "home" / "paper.db").exists()


def test_another_account_than_the_brokers_own_is_refused(plan: Path) -> None:
    day = str(plan.parent / "day.jsonl")
    assert execute(plan, "--account", "mine", "--record", day).exit_code == 0

    result = execute(plan, "--account", "other", "--replay", day)

    assert result.exit_code == 1
    assert "The broker's account is mine, and --account says other. Nothing was sent." in (
        result.stderr
    )
