"""`steelyard modules`: what is registered, what a strategy lists, why something does not run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from builders.commands import run
from builders.paths import PLUGINS
from builders.plugins import pin

BUILT_IN = 27


@pytest.fixture
def strategy(tmp_path: Path) -> Path:
    """A strategy with two plugins, one of them changed since it was pinned."""
    pins = {"calm_buys.py": pin(PLUGINS / "calm_buys.py"), "my_custom.py": "sha256:" + "0" * 64}
    listed = ", ".join(f'"{name}" = "{digest}"' for name, digest in pins.items())
    path = tmp_path / "mine.toml"
    path.write_text(
        f'[plugins]\nfolder = "{PLUGINS}"\nfiles = {{ {listed}'
        " }\n[filters.calm_buys]\nmax_volatility = 0.3\n"
    )
    return path


def test_every_built_in_module_and_score_term_is_listed():
    listed = json.loads(run("modules", "--json").stdout)
    text = run("modules").stdout

    keys = {
        "kind", "name", "version", "enabled", "why", "on_failure", "summary", "author", "tags",
        "needs", "dependencies", "source", "requires_python", "params",
    }  # fmt: skip
    (towards,) = (entry for entry in listed if entry["name"] == "weight_based")
    assert (towards["author"], towards["tags"]) == ("Steelyard", ["buy", "sell"])
    assert towards["needs"] == ["target_weights"]
    assert "Tags: buy, sell." in text
    assert {frozenset(entry) for entry in listed} == {frozenset(keys)}
    assert {entry["kind"] for entry in listed} == {
        "opportunity_calculators", "pattern_generators", "sequence_generators", "filters",
        "score_terms",
    }  # fmt: skip
    assert all(entry["name"] in text for entry in listed)
    assert sum(entry["kind"] != "score_terms" for entry in listed) >= BUILT_IN
    assert all(
        entry["source"] == "built-in" and entry["requires_python"] == ">=3.11" for entry in listed
    )


def test_a_tag_cuts_the_list_and_a_slip_of_one_is_answered_with_a_near_one():
    tagged = json.loads(run("modules", "--tag", "sell", "--json").stdout)
    refused = run("modules", "--tag", "sel")

    assert {"profit_taking", "rebalance_sells"} <= {entry["name"] for entry in tagged}
    assert "opportunity_buys" not in {entry["name"] for entry in tagged}
    assert refused.exit_code == 1
    assert "Did you mean sell?" in refused.stderr


def test_why_a_module_may_not_run_stands_under_it():
    text = " ".join(run("modules").stdout.split())

    assert "Does not run when no target weights were given." in text


def test_plugins_are_listed_with_where_they_come_from_and_what_could_not_be_had_is_told(
    strategy: Path,
):
    result = run("modules", "--strategy", strategy, "--json")

    entry = next(entry for entry in json.loads(result.stdout) if entry["name"] == "calm_buys")
    assert entry["enabled"]
    assert entry["source"] == "calm_buys.py"
    assert entry["params"] == {"max_volatility": 0.3}
    assert "my_custom.py was not loaded" in result.stderr
    assert "sha256:" + "0" * 64 in result.stderr


def test_on_the_screen_a_plugin_says_who_wrote_it_and_its_digest(strategy: Path):
    text = " ".join(run("modules", "--strategy", strategy).stdout.split())

    assert "From calm_buys.py, by Steelyard examples; Python >=3.11; sha256:" in text


def test_a_strategy_with_plugins_plans_and_validates_from_the_command_line(strategy: Path):
    planned = run("plan", "--strategy", strategy, "--json")

    plan = json.loads(planned.stdout)
    assert planned.exit_code == 0
    assert [entry["outcome"] for entry in plan["modules"] if entry["name"] == "calm_buys"] == ["ok"]
    assert any("my_custom.py" in problem["message"] for problem in plan["problems"])


def test_modules_of_a_strategy_say_what_it_turns_off(folder: Path):
    (folder / "s.toml").write_text("[opportunity_calculators.averaging_down]\nenabled = false\n")

    listed = json.loads(run("modules", "--strategy", "s.toml", "--json").stdout)

    entry = next(
        entry
        for entry in listed
        if entry["name"] == "averaging_down" and entry["kind"] == "opportunity_calculators"
    )
    assert entry["enabled"] is False
    assert entry["why"] == "strategy file"


def test_an_unknown_tag_is_refused():
    result = run("modules", "--tag", "no-such-tag")

    assert result.exit_code == 1
    assert "no-such-tag" in result.stderr
