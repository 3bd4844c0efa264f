"""What an improvement is charged, and what a score is worth in money, from the settings alone."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from steelyard.plans.verify.book import Book
from steelyard.plans.verify.tally import Place

TOTAL_RETURN = "total_return"
HALF_A_CENT = Decimal("0.005")
OF_ITSELF = Decimal("1e-9")
"""The score was rounded to 12 digits before, and a large portfolio makes much of that."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Score per unit of cost / V, per unit of tax / V, per order.

    per_return   lambda: the score of one unit of yearly return
    """

    cost: Decimal
    tax: Decimal
    hurdle: Decimal
    per_return: Decimal


def charge_rates(book: Book) -> Rates | None:
    """What the settings charge; None where they make no sense.

    A unit of yearly return is worth the weight of its term over its scale, or a least score.
    """
    settings = book.settings["score"]
    low, high = settings["anchors"]["tr"]
    neutral, years = settings["neutral"]["mu"], settings["tax_years"]
    if low >= high or settings["holding_years"] <= 0 or years <= 0 or neutral <= -1:
        return None
    terms = book.doc["score"]["terms"]
    weight = sum((term["weight"] for term in terms if term["name"] == TOTAL_RETURN), Decimal(0))
    per_return = max(weight / (high - low), settings["min_score_per_return"])
    brought_forward = 1 - (1 + neutral) ** -years
    return Rates(
        cost=per_return * settings["cost_aversion"] / settings["holding_years"],
        tax=per_return * brought_forward / years,
        hurdle=book.thresholds["order_hurdle"],
        per_return=per_return,
    )


def check_per_year(book: Book, rates: Rates | None, score: Decimal, place: Place) -> None:
    """`base_per_year` of a record is its score as money a year: score / lambda x value, in cents.

    Null only where nothing says what a point is worth.
    """
    if rates is None:
        return  # noted with the charges
    if rates.per_return <= 0:
        place.same("base_per_year", None, "nothing says what a point is worth")
        return
    due, money = score / rates.per_return * book.value, place.row["base_per_year"]
    close = money is not None and abs(due - money) <= HALF_A_CENT + OF_ITSELF * abs(due)
    close = close and money == round(money, 2)
    place.rule("base_per_year", close, due, "money a year = score / lambda x value")
