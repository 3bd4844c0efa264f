"""Words on how far a plan is from the best one, and on the lists that are one change away."""

from __future__ import annotations

from decimal import Decimal

from steelyard.plans.verify.book import BUY, SELL, ZERO, Book
from steelyard.plans.verify.tally import Record
from steelyard.sentences import quantity

PERCENT = 100
WHOLE_MONEY = 10
"""Money a year is told without cents from here on."""
EVERY = "every whole-lot order list of "
EXACT = (
    "Every order follows from its target by the reference engine; nothing was searched and no "
    "score decided."
)
TODAY = "By the score of today"
NO_GAP = Decimal("1e-7")
"""Points of a gap that are none."""
PROVEN, ONE_LOT, UNKNOWN = "proven", "within_one_lot", "none"


def certified(book: Book, facts: dict[str, object]) -> str:
    """How far from the best possible plan; told of a search over all quantities."""
    row = book.doc["certificate"]
    status, gap = row["status"], row["gap"]
    if not book.by_quantities or book.only_bands:
        return EXACT if book.exact else ""
    facts["extent"] = row["covers"].removeprefix(EVERY)
    if status == PROVEN or (book.by_mode and gap is not None and gap["points"] <= NO_GAP):
        return _none_better(book, facts)
    if status == UNKNOWN or gap is None:
        by = " by the score of today" * book.by_mode
        return f"How far it is from the best possible plan of {{extent:text}}{by} was not measured."
    return _within(book, row, facts)


def _none_better(book: Book, facts: dict[str, object]) -> str:
    """That nothing is better; of what a mode chose it is no proof but a fact of the score."""
    score = book.doc["score"]
    asked = score["min_improvement"]
    lacks = not book.steps or (book.rests and score["improvement"] < asked)
    lead = "Proven best:" if book.steps and not (lacks and asked) else "Proven:"
    lists = f"{TODAY if book.by_mode else lead} no whole-lot order list of {{extent:text}}"
    if lacks and asked:
        facts["asked"] = asked
        return f"{lists} gains the {{asked:points}} points that are asked for."
    return f"{lists} is better{'' if book.steps else ' than holding'}."


def _within(book: Book, row: Record, facts: dict[str, object]) -> str:
    """A gap in points, money a year and as a share of the improvement."""
    status, gap = row["status"], row["gap"]
    facts["gap"] = gap["points"] / PERCENT
    lead, amounts = "Within {gap:points_up} points", []
    if book.by_mode:
        lead = f"{TODAY} within {{gap:points_up}} points"
    if status == ONE_LOT:
        lead, amounts = "Within one lot", ["{gap:points_up} points"]
    money, share = gap["base_per_year"], gap["of_improvement"]
    if money is not None:
        form = "whole_up" if abs(money) >= WHOLE_MONEY else "money_up"
        amounts.append(f"{{currency:text}} {{gap_year:{form}}} a year")
        facts |= {"gap_year": money, "currency": book.doc["base_currency"]}
    if share is not None:
        amounts.append("{gap_share:pct_up} of the improvement")
        facts["gap_share"] = share
    most = f": at most {', '.join(amounts)}" if amounts else ""
    return f"{lead} of the best possible plan of {{extent:text}}{most}."


def change(order: Record) -> str:
    """What a list beside the plan does with one security."""
    was, side, symbol = order["was"] or ZERO, order["side"], order["symbol"]
    own = SELL if was < 0 else BUY
    if not order["quantity"]:
        return f"do not {own} {symbol}"
    does = f"{side} {quantity(order['quantity'])} {symbol}"
    if not was:
        return f"also {does}"
    return f"{does} instead of {'' if own == side else f'{own}ing '}{quantity(abs(was))}"
