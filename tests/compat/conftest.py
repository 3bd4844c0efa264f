"""The bundled portfolio, and a small account by hand, in the documents' records."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from steelyard.compat import PlannerContext, PortfolioContext, Position, Security
from steelyard.importers import Inputs, assemble, read
from steelyard.samples import sample

AS_OF = date(2026, 1, 9)


@pytest.fixture(scope="session")
def inputs() -> Inputs:
    files = sample("growth")
    return assemble(
        read(
            files.holdings, prices=files.prices, targets=files.targets, securities=files.securities
        )
    )


@pytest.fixture(scope="session")
def bundled(inputs: Inputs) -> PlannerContext:
    return PlannerContext.of(inputs)


@pytest.fixture
def small() -> PlannerContext:
    """ACME far over its target, BOLT under; 10,000 in ACME, 2,000 in BOLT, 1,000 cash, in EUR."""
    return PlannerContext(
        portfolio_context=PortfolioContext(security_scores={"ACME": 0.7, "BOLT": 0.7}),
        positions=(
            Position(
                symbol="ACME", quantity=100, avg_price=50, current_price=100,
                first_bought_at="2020-01-02",
            ),
            Position(
                symbol="BOLT", quantity=40, avg_price=60, current_price=50,
                first_bought_at="2020-01-02",
            ),
        ),
        securities=(
            Security(symbol="ACME", name="Acme", allow_sell=True),
            Security(symbol="BOLT", name="Bolt", allow_sell=True),
        ),
        available_cash=1000,
        target_weights={"ACME": 0.5, "BOLT": 0.45},
        as_of=AS_OF,
    )  # fmt: skip


@pytest.fixture
def foreign(small: PlannerContext) -> PlannerContext:
    """The same with BOLT in USD, no rate given."""
    acme, bolt = small.positions
    return replace(small, positions=(acme, replace(bolt, currency="USD")), base_currency="EUR")
