"""The second opinion agrees with the plans of every preset: their filters and ranks too."""

from __future__ import annotations

import pytest

from steelyard import importers, strategies
from steelyard.planning import planner
from steelyard.plans import verify
from steelyard.samples import sample


@pytest.mark.parametrize("targeted", [True, False], ids=["targets", "no targets"])
@pytest.mark.parametrize("portfolio", ["growth", "euro"])
@pytest.mark.parametrize("preset", strategies.PRESETS)
def test_it_agrees_with_the_plan_of_every_preset(preset: str, portfolio: str, targeted: bool):
    files = sample(portfolio)
    read = importers.read(
        files.holdings,
        prices=files.prices,
        targets=files.targets if targeted else None,
        securities=files.securities,
        fx=files.fx,
    )
    inputs = importers.assemble(read, base_currency=files.base_currency)

    made = planner.plan(
        inputs.snapshot, inputs.market, strategies.preset(preset), targets=inputs.targets
    )

    assert verify.check(made.document()).failed == ()
