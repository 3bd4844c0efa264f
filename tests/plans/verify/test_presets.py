"""The second opinion agrees with the plans of every preset: their filters and ranks too."""

from __future__ import annotations

import pytest

from steelyard import importers, strategies
from steelyard.planning import planner
from steelyard.plans import verify
from steelyard.plans.plan import Plan
from steelyard.samples import sample


@pytest.mark.parametrize("preset", strategies.PRESETS)
def test_it_agrees_with_the_plan_of_every_preset(preset: str):
    failed = {
        (portfolio, targeted): verify.check(planned(preset, portfolio, targeted).document()).failed
        for portfolio in ("growth", "euro")
        for targeted in (True, False)
    }

    assert {case: checks for case, checks in failed.items() if checks} == {}


def planned(preset: str, portfolio: str, targeted: bool) -> Plan:
    files = sample(portfolio)
    read = importers.read(
        files.holdings,
        prices=files.prices,
        targets=files.targets if targeted else None,
        securities=files.securities,
        fx=files.fx,
    )
    inputs = importers.assemble(read, base_currency=files.base_currency)

    return planner.plan(
        inputs.snapshot, inputs.market, strategies.preset(preset), targets=inputs.targets
    )
