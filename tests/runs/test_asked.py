"""What an owner asks of one plan: the same for the command line and for pages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from builders.management import load_own
from steelyard.cli import app
from steelyard.runs.asked import of_mode
from steelyard.services.api.keeping import planned
from steelyard.services.house import House


def test_a_mode_is_what_the_command_line_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = {"STEELYARD_HOME": str(tmp_path)}
    house = House(variables)
    load_own(house.store(), tmp_path)
    cases = (
        (of_mode("rebalance", "9", "USD"), []),
        (of_mode("invest", "500", "USD"), ["--deposit", "USD=500", "--no-sell"]),
        (of_mode("withdraw", "70", "USD", "2026-03-20"), ["--withdraw", "USD=70@2026-03-20"]),
    )
    monkeypatch.setenv("STEELYARD_HOME", str(tmp_path))
    for asked, options in cases:
        plan = planned(house, "core", 0, asked=asked).plan
        ran = CliRunner().invoke(app, ["plan", "--bucket", "core", "--json", *options])
        assert json.loads(ran.stdout)["plan_id"] == plan.plan_id
    house.close()
