"""`steelyard rebalance`: exact trades to targets, and the other engine beside every plan."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from builders.commands import own_files, run
from steelyard.rebalance import watch
from steelyard.rebalance.planned import Account
from steelyard.rebalance.records import RebalancePlan


def plan_of(*arguments: object) -> Any:
    return json.loads(run(*arguments, "--json").stdout)


def sides(document: Mapping[str, Any]) -> dict[str, str]:
    return {step["symbol"]: f"{step['side']} {step['quantity']}" for step in document["steps"]}


def settings(text: str) -> None:
    home = Path(os.environ["STEELYARD_HOME"])
    home.mkdir(parents=True, exist_ok=True)
    (home / "execution.toml").write_text(f"[engine]\n{text}\n")


@pytest.fixture
def omitting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reference engine forgets a symbol: the fault that both directions of keys are for."""
    whole = watch.reference_rows

    def forgetful(account: Account) -> tuple[RebalancePlan, ...]:
        return tuple(row for row in whole(account) if row.symbol != "AAA")

    monkeypatch.setattr(watch, "reference_rows", forgetful)


def test_without_files_the_bundled_portfolio_is_rebalanced_and_says_so():
    result = run("rebalance")

    assert result.exit_code == 0
    assert "bundled portfolio growth" in result.stdout.splitlines()[0]
    assert "Exact to the targets." in result.stdout
    assert "rebalance --holdings H.csv" in result.stdout
    assert result.stderr == ""


def test_own_files_come_to_their_targets_and_the_second_opinion_agrees(folder: Path):
    files = own_files(folder)
    document = plan_of("rebalance", *files)
    (folder / "plan.json").write_text(json.dumps(document))

    assert sides(document) == {"AAA": "sell 25", "BBB": "buy 20"}
    assert run("verify", "plan.json").exit_code == 0
    assert "Sell 25" in run("why", "AAA", "--plan", "plan.json").stdout


def test_it_takes_the_options_of_a_plan_and_is_kept_as_one(folder: Path):
    files = own_files(folder)
    saved = run("rebalance", *files, "--save", "--report", "plan.html", "--timings", "--explain")

    assert saved.exit_code == 0
    assert (folder / "plan.html").exists()
    assert "rebalance" in saved.stdout
    (row,) = json.loads(run("plans", "list", "--json").stdout)
    assert plan_of("plans", "show", row["plan_id"])["certificate"]["scope"] == "targets"


def test_without_targets_it_is_refused(folder: Path):
    own_files(folder)
    result = run("rebalance", "--holdings", "h.csv")

    assert result.exit_code == 1
    assert "needs target weights" in result.stderr


def test_the_active_engine_is_switched_and_switched_back(folder: Path):
    files = own_files(folder)
    usual, exact = plan_of("plan", *files), plan_of("rebalance", *files)

    settings('active = "reference"')
    switched = plan_of("plan", *files)
    settings('active = "fast"')

    assert switched["plan_id"] == exact["plan_id"] != usual["plan_id"]
    assert plan_of("plan", *files)["plan_id"] == usual["plan_id"]


def test_the_reference_engine_leaves_plans_without_targets_to_the_planner(folder: Path):
    own_files(folder)
    settings('active = "reference"')

    result = run("plan", "--holdings", "h.csv")

    assert result.exit_code == 0
    assert "needs targets" in result.stderr


@pytest.mark.usefixtures("omitting")
@pytest.mark.parametrize(("action", "code"), [("log", 0), ("alert", 1), ("block", 1)])
def test_f04_a_difference_that_nothing_explains_is_told_and_kept(
    folder: Path, action: str, code: int
):
    files = own_files(folder)
    settings(f'on_divergence = "{action}"')

    result = run("plan", *files)

    assert result.exit_code == code
    assert "The engines differ in 1 of 2 symbols, unexplained: AAA:" in result.stderr
    assert (result.stdout == "") == (action == "block")
    events = json.loads(run("events", "--json").stdout)
    (told,) = [event for event in events if event["event_type"] == "EnginesDiffer"]
    assert (told["data"]["symbols"], told["data"]["action"]) == (1, action)


@pytest.mark.usefixtures("omitting")
def test_a_plan_that_is_kept_has_the_difference_among_its_events(folder: Path):
    result = run("plan", *own_files(folder), "--save")

    assert result.exit_code == 1
    assert "Kept as" in result.stdout
    types = [event["event_type"] for event in json.loads(run("events", "--json").stdout)]
    assert types.count("EnginesDiffer") == 1
    assert "PlanSaved" in types


@pytest.mark.usefixtures("omitting")
def test_where_nobody_watches_nothing_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ENABLE_REBALANCER_COMPARISON", "false")

    result = run("plan", *own_files(folder))

    assert (result.exit_code, result.stderr) == (0, "")


def test_a_setting_that_is_none_is_refused_before_anything_is_read(folder: Path):
    settings('active = "quick"')

    result = run("plan", *own_files(folder))

    assert result.exit_code == 1
    assert "engine.active" in result.stderr
