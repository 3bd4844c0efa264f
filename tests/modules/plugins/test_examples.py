"""Every documented plugin loads from its folder, pinned, and takes part in the bundled plan."""

from __future__ import annotations

import functools
import re
from dataclasses import replace

import pytest

from builders.paths import ROOT
from builders.plugins import every, pin, planned
from builders.world import World
from steelyard import importers, strategies
from steelyard.modules.plugins import load_plugins
from steelyard.samples import sample
from steelyard.settings import Plugins

FOLDER = ROOT / "examples" / "plugins"
KINDS = {
    "tax_loss_harvest": "opportunity_calculators", "my_custom": "opportunity_calculators",
    "swap_in_sector": "pattern_generators", "leave_one_out": "sequence_generators",
    "calm_buys": "filters", "home_currency": "score_terms",
}  # fmt: skip


@functools.cache
def growth() -> World:
    files = sample("growth")
    read = importers.read(
        files.holdings, prices=files.prices, securities=files.securities, targets=files.targets
    )
    inputs = importers.assemble(read)
    return World(inputs.snapshot, inputs.market, strategies.default(), inputs.targets)


@pytest.fixture(scope="module")
def loaded():
    pins = {path.name: pin(path) for path in FOLDER.glob("*.py")}
    listed = load_plugins(Plugins(folder=str(FOLDER), files=pins), None)
    yield listed
    listed.close()


@pytest.fixture(scope="module")
def plan(loaded):
    return planned(growth(), loaded, weight=0.1)


def test_there_is_an_example_of_each_kind_and_each_says_what_it_is(loaded):
    assert loaded.problems == ()
    assert {module.name: module.kind.value for module in every(loaded)} == KINDS
    assert all(module.source == f"{module.name}.py" and module.digest for module in every(loaded))
    assert all(
        module.summary.endswith(".") and module.author and module.tags for module in every(loaded)
    )


def test_every_example_runs_and_does_something_and_none_is_a_problem(plan):
    runs = {run.name: (run.outcome, run.error) for run in plan.modules if run.name in KINDS}

    assert runs == dict.fromkeys(KINDS, ("ok", None))
    assert not [problem for problem in plan.problems if problem.module]
    assert plan.reproducible


def test_an_example_asks_for_what_it_says(loaded):
    plan = planned(replace(growth(), targets=None), loaded, weight=0.1)

    (sale,) = (
        row
        for row in plan.candidates
        if row.symbol == "GE" and row.side == "sell" and "tax_loss_harvest" in row.sources
    )

    assert "tax_loss" in sale.tags
    assert any("my_custom" in row.sources for row in plan.candidates)


def test_a_plan_with_plugins_is_the_same_plan_every_time(loaded, plan):
    assert planned(growth(), loaded, weight=0.1).plan_id == plan.plan_id


def test_the_strategy_of_a_plan_with_plugins_has_their_digests(loaded, plan):
    acting = [
        module for modules in plan.strategy.settings["modules"].values() for module in modules
    ]

    assert {module["name"]: module["digest"] for module in acting if "digest" in module} == {
        module.name: module.digest for module in every(loaded)
    }


def test_parameters_of_a_plugin_act(loaded):
    (filter_,) = loaded.modules["filters"]
    harsh = replace(
        filter_,
        call=lambda ctx, table, params: filter_.call(
            ctx, table, filter_.params(max_volatility=0.01)
        ),
    )

    plan = planned(growth(), replace(loaded, modules={**loaded.modules, filter_.kind: (harsh,)}))

    assert [step.side for step in plan.steps if step.side == "buy"] == []


def test_the_page_shows_the_examples_as_they_are():
    page = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
    shown = dict(re.findall(r"^```python (\S+)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))

    assert set(shown) == {f"{name}.py" for name in KINDS}
    assert [
        name for name, text in shown.items() if text != (FOLDER / name).read_text(encoding="utf-8")
    ] == []
