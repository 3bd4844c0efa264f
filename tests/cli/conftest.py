"""Each test of a command starts in an empty current folder."""

import json
from pathlib import Path

import pytest

from builders.commands import own_files, run


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def files(folder: Path) -> tuple[str, str]:
    """Two plans of one small portfolio by other rules, saved as files."""
    options = own_files(folder)
    (folder / "s.toml").write_text("[limits]\nmax_turnover_weight = 0.1\n")
    (folder / "a.json").write_text(run("plan", *options, "--json").stdout)
    (folder / "b.json").write_text(run("plan", *options, "--strategy", "s.toml", "--json").stdout)
    return "a.json", "b.json"


@pytest.fixture
def stored(folder: Path) -> tuple[str, str]:
    """The ids of two plans in the database."""
    options = own_files(folder)
    (folder / "s.toml").write_text("[limits]\nmax_turnover_weight = 0.1\n")
    made = [
        json.loads(run("plan", *options, *more, "--save", "--json").stdout)["plan_id"]
        for more in ([], ["--strategy", "s.toml"])
    ]
    return made[0], made[1]
