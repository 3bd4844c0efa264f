"""What would change the plan: numbers that were found by solving again are not judged, what they
are measured against is.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from steelyard.plans.verify.book import Book
from steelyard.plans.verify.figures import charge_rates
from steelyard.plans.verify.tally import NUMBER_SLACK, Record, Tally
from steelyard.plans.verify.words import check_told

CENT = Decimal("0.01")


def check_explanation(book: Book, tally: Tally) -> None:
    """Settings, prices and money of an explanation, and the numbers of its sentences."""
    explanation = book.doc["explanation"]
    if explanation is None:
        return
    tally.skip(
        "gains, prices and shares of the explanation",
        "each was found by solving again with other inputs",
    )
    stability = explanation["stability"]
    tally.same(
        "the first sentence is that on stability",
        "explanation.text",
        stability["text"],
        explanation["text"],
    )
    _stability(stability, tally)
    for n, other in enumerate(explanation["counterfactuals"]):
        _counterfactual(book, other, f"explanation.counterfactuals[{n}]", tally)
    for n, threshold in enumerate(explanation["thresholds"]):
        _threshold(book, threshold, f"explanation.thresholds[{n}]", tally)
    for n, relaxation in enumerate(explanation["relaxations"]):
        where = f"explanation.relaxations[{n}]"
        tally.number(
            "a rule as it is now",
            f"{where}.now",
            _setting(book, relaxation["setting"]),
            relaxation["now"],
        )
        derived = {
            "now": relaxation["now"],
            "then": relaxation["then"],
            "gain": relaxation["improvement"],
        }
        check_told(where, relaxation["text"], relaxation["facts"], derived, tally)


def _stability(stability: Record, tally: Tally) -> None:
    resamples, share = Decimal(stability["resamples"]), stability["share"]
    held = share * resamples
    tally.rule(
        "a share of the re-estimates",
        "explanation.stability.share",
        0 <= held <= resamples,
        "0 to 1",
        share,
    )
    tally.number("whole re-estimates", "explanation.stability.share", Decimal(round(held)), held)
    derived = {
        "resamples": resamples,
        "holds": Decimal(round(held)),
        "regret": stability["mean_regret"],
    }
    check_told("explanation.stability", stability["text"], stability["facts"], derived, tally)


def _counterfactual(book: Book, other: Record, where: str, tally: Tally) -> None:
    """One rule changed: what it is now, and the costs that weigh as much as the gain."""
    tally.number(
        "a rule as it is now", f"{where}.now", _setting(book, other["setting"]), other["now"]
    )
    rates = charge_rates(book)
    if rates is not None and rates.cost > 0:
        worth, found = other["gain"] / rates.cost * book.value, other["money"]
        # rounded to cents after the gain was rounded to 12 digits
        close = (
            found is not None
            and found == round(found, 2)
            and abs(worth - found) <= CENT / 2 + (1 + abs(worth)) * NUMBER_SLACK
        )
        tally.rule(
            "money = gain / charge of costs x value",
            f"{where}.money",
            close,
            f"about {worth:.2f}",
            found,
        )
    worth_of = None if other["money"] is None else abs(other["money"])
    derived = {
        "now": other["now"],
        "then": other["then"],
        "gain": other["gain"],
        "currency": book.doc["base_currency"],
        "worth": worth_of,
    }
    check_told(where, other["text"], other["facts"], derived, tally)


def _threshold(book: Book, threshold: Record, where: str, tally: Tally) -> None:
    """The price at which a step leaves, and how far its security then is from its target."""
    step = next((step for step in book.steps if step["n"] == threshold["n"]), None)
    tally.rule(
        "a step of the plan", f"{where}.n", step is not None, "the number of a step", threshold["n"]
    )
    holding = book.holdings.get(threshold["symbol"])
    if step is None or holding is None:
        return
    for key in ("symbol", "side"):
        tally.same(f"{key} of the step", f"{where}.{key}", step[key], threshold[key])
    tally.amount("price of the step", f"{where}.price_now", step["price"], threshold["price_now"])
    price = threshold["price"]
    derived: dict[str, Any] = {
        "symbol": step["symbol"],
        "currency": step["currency"],
        "price": price,
        "off": threshold["off_target"],
    }
    if price is not None:
        unit = holding["quantity"] * holding["fx_rate"]
        value = book.value + unit * (price - step["price"])
        due = (
            None
            if holding["target"] is None or value <= 0
            else unit * price / value - holding["target"]
        )
        tally.number(
            "distance from target at that price",
            f"{where}.off_target",
            due,
            threshold["off_target"],
        )
    check_told(where, threshold["text"], threshold["facts"], derived, tally)


def _setting(book: Book, path: str) -> Decimal | None:
    """A number of the strategy by its dotted name; None when there is none."""
    found: Any = book.settings
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return (
        Decimal(repr(found))
        if isinstance(found, int | float) and not isinstance(found, bool)
        else None
    )
