"""The second opinion agrees with the plans of every preset: their filters and ranks too."""

from __future__ import annotations

import pytest

from steelyard import importers, strategies
from steelyard.planning import planner
from steelyard.plans import verify
from steelyard.plans.plan import Plan
from steelyard.samples import sample


def test_it_agrees_with_the_plan_of_every_preset():
    assert disagreements([("growth", True), ("euro", False)]) == {}


@pytest.mark.nightly
def test_it_agrees_with_the_other_plans_of_every_preset_too():
    assert disagreements([("growth", False), ("euro", True)]) == {}


def disagreements(cases: list[tuple[str, bool]]) -> dict[object, object]:
    """Preset, portfolio and whether it has targets -> what the second opinion has against it."""
    reports = {
        (preset, *case): verify.check(planned(preset, *case).document())
        for preset in strategies.PRESETS
        for case in cases
    }
    return {case: report.failed for case, report in reports.items() if report.failed}


def planned(preset: str, portfolio: str, targeted: bool) -> Plan:
    files = sample(portfolio)
    read = importers.read(
        files.holdings, prices=files.prices, targets=files.targets if targeted else None,
        securities=files.securities, fx=files.fx,
    )  # fmt: skip
    inputs = importers.assemble(read, base_currency=files.base_currency)

    return planner.plan(
        inputs.snapshot, inputs.market, strategies.preset(preset), targets=inputs.targets
    )
