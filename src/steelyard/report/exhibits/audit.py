"""The sums that a reader would check, checked before anything is written."""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal

from steelyard.errors import InternalError
from steelyard.money import ZERO
from steelyard.orders import Side
from steelyard.plans.plan import Plan
from steelyard.report.exhibits.weights import cash_weights

WEIGHT_TOLERANCE = 1e-9
"""Weights and scores travel with 12 significant digits: a thousand of them are off by less than
this.
"""

MONEY_TOLERANCE = Decimal("1E-15")
"""Of the money moved. Amounts are exact decimals; only a rate that is an inverse is cut, after 28
digits.
"""


def check(plan: Plan) -> None:
    """Raise InternalError when a sum of the document does not come out."""
    traded = sum(
        (
            step.notional_base if step.side is Side.SELL else -step.notional_base
            for step in plan.steps
        ),
        ZERO,
    )
    base = plan.base_currency
    flow = plan.cash_after.get(base, ZERO) - plan.cash.get(base, ZERO)
    moved = sum((step.notional_base for step in plan.steps), abs(plan.cash.get(base, ZERO)) + 1)
    costs = plan.costs
    _equal("amounts, cash and costs", traded - flow - costs.total, ZERO, MONEY_TOLERANCE * moved)
    _equal(
        "costs by trade",
        sum((step.costs.total for step in plan.steps), ZERO),
        costs.total,
        MONEY_TOLERANCE * moved,
    )
    _equal(
        "costs by kind",
        costs.commission + costs.spread + costs.fx,
        costs.total,
        MONEY_TOLERANCE * moved,
    )
    if plan.value:
        _check_weights(plan)
    _check_score(plan)


def _check_weights(plan: Plan) -> None:
    before, after = cash_weights(plan)
    _close(
        "weights before, with cash",
        math.fsum([*(holding.weight for holding in plan.holdings), before]),
        1.0,
    )
    _close(
        "weights after, with cash",
        math.fsum([*(holding.weight for holding in plan.holdings_after), after]),
        1.0,
    )


def _check_score(plan: Plan) -> None:
    score = plan.score
    _close("terms before", _total(term.weight * term.hold for term in score.terms), score.hold)
    _close("terms after", _total(term.weight * term.plan for term in score.terms), score.plan)
    _close("improvement", score.plan - score.hold - score.charges.total, score.improvement)


def _total(numbers: Iterable[float]) -> float:
    return math.fsum(numbers)


def _close(what: str, found: float, wanted: float) -> None:
    if abs(found - wanted) > WEIGHT_TOLERANCE * max(1.0, abs(wanted)):
        _withhold(what, f"{found:.12g}", f"{wanted:.12g}")


def _equal(what: str, found: Decimal, wanted: Decimal, tolerance: Decimal) -> None:
    if abs(found - wanted) > tolerance:
        _withhold(what, f"{found:f}", f"{wanted:f}")


def _withhold(what: str, found: str, wanted: str) -> None:
    raise InternalError(
        f"The report was not written: {what} sum to {found} and must sum to {wanted}. "
        "The plan document may not be used either. Please report this."
    )
