"""`steelyard modules`: what is registered, what a strategy lists, and why something does not
run.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from builders.paths import PLUGINS
from builders.plugins import pin
from steelyard.cli import app

EXAMPLES = PLUGINS
BUILT_IN = 27


def run(*arguments: str):
    return CliRunner().invoke(app, ["modules", *arguments])


@pytest.fixture
def strategy(tmp_path: Path) -> Path:
    """A strategy with two plugins, one of them changed since it was pinned."""
    pins = {"calm_buys.py": pin(EXAMPLES / "calm_buys.py"), "my_custom.py": "sha256:" + "0" * 64}
    listed = ", ".join(f'"{name}" = "{digest}"' for name, digest in pins.items())
    path = tmp_path / "mine.toml"
    path.write_text(
        f'[plugins]\nfolder = "{EXAMPLES}"\nfiles = {{ {listed}'
        " }\n[filters.calm_buys]\nmax_volatility = 0.3\n"
    )
    return path


def test_every_built_in_module_and_score_term_is_listed():
    listed = json.loads(run("--json").stdout)

    assert sum(entry["kind"] != "score_terms" for entry in listed) >= BUILT_IN
    assert any(entry["kind"] == "score_terms" for entry in listed)
    assert all(
        entry["source"] == "built-in" and entry["requires_python"] == ">=3.11" for entry in listed
    )


def test_a_tag_cuts_the_list_and_a_slip_of_one_is_answered_with_a_near_one():
    tagged = json.loads(run("--tag", "sell", "--json").stdout)
    refused = run("--tag", "sel")

    assert {"profit_taking", "rebalance_sells"} <= {entry["name"] for entry in tagged}
    assert "opportunity_buys" not in {entry["name"] for entry in tagged}
    assert refused.exit_code == 1
    assert "Did you mean sell?" in refused.stderr


def test_why_a_module_may_not_run_stands_under_it():
    text = " ".join(run().stdout.split())

    assert "Does not run when no target weights were given." in text


def test_plugins_are_listed_with_where_they_come_from_and_what_could_not_be_had_is_told(
    strategy: Path,
):
    result = run("--strategy", str(strategy), "--json")

    entry = next(entry for entry in json.loads(result.stdout) if entry["name"] == "calm_buys")
    assert entry["enabled"]
    assert entry["source"] == "calm_buys.py"
    assert entry["params"] == {"max_volatility": 0.3}
    assert "my_custom.py was not loaded" in result.stderr
    assert "sha256:" + "0" * 64 in result.stderr


def test_on_the_screen_a_plugin_says_who_wrote_it_and_its_digest(strategy: Path):
    text = " ".join(run("--strategy", str(strategy)).stdout.split())

    assert "From calm_buys.py, by Steelyard examples; Python >=3.11; sha256:" in text


def test_a_strategy_with_plugins_plans_and_validates_from_the_command_line(strategy: Path):
    planned = CliRunner().invoke(app, ["plan", "--strategy", str(strategy), "--json"])

    plan = json.loads(planned.stdout)
    assert planned.exit_code == 0
    assert [run["outcome"] for run in plan["modules"] if run["name"] == "calm_buys"] == ["ok"]
    assert any("my_custom.py" in problem["message"] for problem in plan["problems"])
