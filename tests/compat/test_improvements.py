"""What the list of improvements builds on the planner's names works on ours, as written there."""

from __future__ import annotations

import asyncio
import hashlib
import re
from pathlib import Path
from typing import Any

import pytest

from steelyard import compat
from steelyard.compat import (
    HolisticPlanner,
    PlannerConfiguration,
    PlannerContext,
    parse_toml_config,
)

PAGE = Path(__file__).parent / "improvements.txt"
FENCE = re.compile(
    r"^## (?P<title>[^\n]+)\n\n```python\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
WRITTEN = "455395b33713eab46c70ae7d550b12d2f50ccbfbc059f9b51e52ed4a5121b46f"
"""SHA-256 of the document's blocks, one after the other: no formatter may touch them."""
BLOCKS = {
    match["title"]: match["text"] for match in FENCE.finditer(PAGE.read_text(encoding="utf-8"))
}


@pytest.fixture
def names() -> dict[str, Any]:
    """What the blocks take for granted, and then what they define."""
    return {
        "Dict": dict, "List": list, "PlannerConfiguration": PlannerConfiguration,
        "PlannerContext": PlannerContext, "HolisticPlanner": HolisticPlanner,
        "parse_toml_config": parse_toml_config,
    }  # fmt: skip


def test_the_blocks_are_the_document_s_to_the_byte():
    assert hashlib.sha256("".join(BLOCKS.values()).encode()).hexdigest() == WRITTEN


def test_the_differ_of_the_document_compares_two_strategies(names: dict[str, Any]):
    exec(BLOCKS["3.2 Configuration Diffing"], names)
    old = "[opportunity_calculators]\nrebalance_buys = false\n"
    new = (
        "[opportunity_calculators]\nweight_based = "
        "false\n[opportunity_calculators.profit_taking]\nwindfall_threshold = 0.2\n"
    )

    changes = names["ConfigurationDiffer"]().semantic_diff(old, new)

    assert (changes["modules_added"], changes["modules_removed"]) == (
        ["rebalance_buys"],
        ["weight_based"],
    )
    assert list(changes["params_changed"]) == ["profit_taking"]
    assert changes["params_changed"]["profit_taking"]["new"]["windfall_threshold"] == 0.2


def test_the_a_b_runner_of_the_document_compares_two_plans(
    names: dict[str, Any], small: PlannerContext
):
    exec(BLOCKS["4.2 A/B Testing Framework"], names)
    one_order = PlannerConfiguration(max_depth=1)

    comparison = asyncio.run(
        names["ABTestRunner"]().run_test("core", PlannerConfiguration(), one_order, small)
    )

    assert comparison["winner"] == "a"
    assert comparison["config_a"]["end_score"] > comparison["config_b"]["end_score"]
    assert (comparison["config_a"]["num_steps"] > 1, comparison["config_b"]["num_steps"]) == (
        True,
        1,
    )


def test_a_health_check_finds_the_modules_of_a_planner():
    planner = HolisticPlanner()

    assert {calculator.name for calculator in planner.opportunity_calculators} >= {
        "profit_taking",
        "weight_based",
    }
    assert all(
        isinstance(module.default_params(), dict) for module in planner.opportunity_calculators
    )
    assert [
        module.name for module in planner.pattern_generators
    ] == planner.config.enabled_pattern_generators
    assert [
        module.name for module in planner.sequence_generators
    ] == planner.config.enabled_sequence_generators
    assert [module.name for module in planner.filters] == planner.config.enabled_filters


def test_a_validator_may_be_an_object_and_answer_as_one():
    result = compat.ConfigurationValidator().validate({"max_deph": 3})

    assert not result.is_valid
    assert result.errors == ["max_deph is not a known key. Did you mean max_depth?"]
