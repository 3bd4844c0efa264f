"""The default strategy and the hash of what acts."""

import dataclasses
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.modules.registry import Kind, modules
from steelyard.strategies import default, parse


def test_the_default_runs_every_module_that_is_on_by_itself_with_its_defaults():
    for kind in Kind:
        choices = default().choices[kind]

        assert [choice.module.name for choice in choices] == list(modules(kind))
        assert all(
            choice.why == "default" and choice.params == choice.module.params()
            for choice in choices
        )
        assert default().enabled(kind) == tuple(choice for choice in choices if choice.module.on)


def test_an_empty_file_is_the_default_under_its_own_name():
    strategy = parse("", "mine")

    assert strategy.name == "mine"
    assert strategy.version is None
    assert strategy.sha256 == default().sha256


@pytest.mark.parametrize(
    "text",
    [
        'name = "other"\ndescription = "words"',
        "[limits]\ncash_reserve_weight = 0.02",
        "[costs]\nfixed = 2",
        "[opportunity_calculators]\nprofit_taking = true",
        "[filters.eligibility]\nenabled = true",
        "[groups.sector]\n[groups.country]",
    ],
)
def test_saying_what_is_so_anyway_does_not_change_the_hash(text: str):
    assert parse(text, "x").sha256 == default().sha256


@pytest.mark.parametrize(
    "text",
    [
        "[limits]\ncash_reserve_weight = 0.03",
        "[costs]\nfixed = 1",
        "[search]\nmax_depth = 4",
        "[planner]\npriority_threshold = 0.2",
        "[rebalance]\ndrift_band_weight = 0.02",
        "[score]\nprofile = 'aggressive'",
        "[score.anchors]\nfit = [-0.2, 0]",
        "[groups.sector]\nEnergy = 0.1",
        "[opportunity_calculators]\nprofit_taking = false",
        "[opportunity_calculators.profit_taking]\npriority_weight = 1.0",
    ],
)
def test_whatever_acts_changes_the_hash(text: str):
    assert parse(text, "x").sha256 != default().sha256


def test_the_parameters_of_a_module_that_is_off_do_not_act():
    off = parse("[opportunity_calculators]\nprofit_taking = false", "x")
    tuned = parse(
        "[opportunity_calculators.profit_taking]\nenabled = false\npriority_weight = 1.0", "x"
    )

    assert off.sha256 == tuned.sha256


def test_a_new_version_of_a_module_changes_the_hash():
    usual = default()
    newer = tuple(
        dataclasses.replace(choice, module=dataclasses.replace(choice.module, version="99.0.0"))
        if choice.module.name == "eligibility"
        else choice
        for choice in usual.choices[Kind.FILTER]
    )
    changed = dataclasses.replace(usual, choices={**usual.choices, Kind.FILTER: newer})

    assert changed.sha256 != default().sha256


@given(st.permutations(["Energy", "Health Care", "Materials", "Utilities"]))
def test_the_order_of_groups_does_not_change_the_hash(order: list[str]):
    def text(names: list[str]) -> str:
        return "[groups.sector]\n" + "\n".join(f'"{name}" = 0.1' for name in names)

    assert parse(text(order), "x").sha256 == parse(text(sorted(order)), "x").sha256


def test_the_hash_does_not_depend_on_the_hash_seed():
    code = "from steelyard.strategies import default; print(default().sha256)"
    for seed in ("0", "1"):
        run = subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)}, capture_output=True,
            text=True, check=True,
        )  # fmt: skip
        assert run.stdout.strip() == default().sha256
