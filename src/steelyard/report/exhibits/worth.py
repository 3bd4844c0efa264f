"""What a score is worth a year in money, by the rule that charges costs: no forecast, a measure."""

from __future__ import annotations

from decimal import Decimal

from steelyard.plans.plan import Plan
from steelyard.report.exhibits.words import OFF_SCALE
from steelyard.sentences import money, signed

TOTAL_RETURN = "total_return"
WHOLE = 1.0
"""All of the scale: a change by more is off it."""
WHOLE_MONEY = 10
DIGITS, MOST_DIGITS = 2, 7


def a_year(plan: Plan, score: float) -> Decimal | None:
    """Money a year that weighs as much as a score; None where the settings do not say it.

    A unit of yearly return is worth the weight of its term over its scale, or a least score.
    """
    settings = plan.strategy.settings.get("score")
    if not isinstance(settings, dict):
        return None
    low, high = settings["anchors"]["tr"]
    weight = sum(term.weight for term in plan.score.terms if term.name == TOTAL_RETURN)
    per_return = max(weight / (high - low), settings["min_score_per_return"])
    return Decimal(f"{score / per_return * float(plan.base_of_weights):.2f}")


def amount(value: Decimal) -> str:
    """Money a year as people read it: small amounts with decimals."""
    return money(value, 0 if abs(value) >= WHOLE_MONEY else 2)


def gained(score: float) -> str:
    """A change of the score in points, with its sign; one larger than the scale is off it.

    >>> gained(0.0183), gained(3.14)
    ('+1.83', 'off the scale')
    """
    return OFF_SCALE if abs(score) > WHOLE else signed(score, 2)


def near(score: float) -> str:
    """The same of a small change: with as many decimals as it takes not to read 0.

    >>> near(-0.00003), near(-0.0003), near(0.0)
    ('−0.003', '−0.03', '0.00')
    """
    digits = range(DIGITS, MOST_DIGITS)
    shown = (n for n in digits if any(c in "123456789" for c in signed(score, n)))
    return gained(score) if abs(score) > WHOLE else signed(score, next(shown, DIGITS))


def signed_amount(value: Decimal) -> str:
    """A change of money a year, with its sign."""
    return f"+{amount(value)}" if value > 0 else amount(value)
