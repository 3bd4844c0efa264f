"""The frontier: no list on it is beaten by another, and the choice follows from weighed sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import pairwise

from steelyard.plans.verify.book import ONE, ZERO, Book
from steelyard.plans.verify.tally import Record, Tally, at_least

OBJECTIVES = "multi_objective"
SIGNS = {"score": ONE, "diversification": ONE, "risk": -ONE, "cost": -ONE}
"""Objective -> 1 where more of it is better."""
SAME = Decimal("1e-9")
"""Two figures this close are one."""
VALUE_SLACK = Decimal("1e-6")
FIGURE_SLACK = Decimal("1e-8")
"""Of a figure with 9 significant digits."""
SHOWN = 11
"""Lists beside, of which more may be better than the plan and not worth it."""
SPREAD = "diversification"


def check_frontier(book: Book, tally: Tally) -> None:
    """There is one in its mode alone."""
    points, outlook = book.doc["frontier"], book.doc["outlook"]
    due = outlook is not None and outlook["mode"] == OBJECTIVES
    has = bool(points) == due
    tally.rule(
        "frontier", has, "of multi_objective", len(points), "only objectives have a frontier"
    )
    if not points:
        return
    chosen = [point for point in points if point["chosen"]]
    tally.rule("frontier", len(chosen) == 1, 1, len(chosen), "one list of the frontier is the plan")
    falls = all(a["score"] >= b["score"] for a, b in pairwise(points))
    tally.rule("frontier", falls, "best score first", "others", "best score first")
    _undominated(points, tally)
    for n, point in enumerate(points):
        place = tally.at(f"frontier[{n}]", point)
        place.rule("risk", point["risk"] >= 0, at_least(ZERO), "no risk is negative")
        place.rule("cost", point["cost"] >= 0, at_least(ZERO), "no cost is negative")
        if point["chosen"] or not point["steps"]:
            _ends(book, point, n, tally)
    if outlook is not None and outlook["beside"]:
        _weighed(book, points, outlook["beside"], tally)


def _undominated(points: Sequence[Record], tally: Tally) -> None:
    for n, point in enumerate(points):
        beaten = any(_beats(other, point) for m, other in enumerate(points) if m != n)
        name = "no list of the frontier is beaten by another"
        tally.rule(f"frontier[{n}]", not beaten, "beaten by none", "beaten", name)


def _beats(other: Record, point: Record) -> bool:
    """Is it at least as good in all four, and better in one?"""
    ahead = [sign * (other[name] - point[name]) for name, sign in SIGNS.items()]
    # a difference of just so much is none by one rounding and one by another
    return bool(min(ahead) >= -SAME / 2 and max(ahead) > 2 * SAME)


def _ends(book: Book, point: Record, n: int, tally: Tally) -> None:
    """The plan and hold have the score, the cost and the orders that the document says."""
    place, state = tally.at(f"frontier[{n}]", point), "plan" if point["chosen"] else "hold"
    if point["chosen"]:
        place.rule("steps", _orders(point) == _orders(book.doc), "the plan's", "it is the plan")
    steps = book.steps if point["chosen"] else []
    figures = {
        "score": book.doc["score"][state],
        "cost": book.weight(sum(map(book.charged, steps), ZERO)),
    }
    terms = {term["name"]: term for term in book.doc["score"]["terms"]}
    if SPREAD in terms:
        figures["diversification"] = terms[SPREAD][state]
    for name, due in figures.items():
        close = abs(point[name] - due) <= FIGURE_SLACK * (1 + abs(due))
        place.rule(name, close, f"{due:.9g}", f"the {name} of {state}")


def _weighed(book: Book, points: Sequence[Record], beside: Sequence[Record], tally: Tally) -> None:
    """Each sum is made of scaled objectives, and none that may be the plan is larger than its."""
    sums = {_orders(point): worth for point, worth in zip(points, _sums(book, points), strict=True)}
    for n, other in enumerate(beside):
        place, due = tally.at(f"outlook.beside[{n}]", other), sums.get(_orders(other))
        if due is None or other["value"] is None:
            both = due is None and other["value"] is None
            place.rule("value", both, due, "only what is on the frontier has a weighed sum")
            continue
        close = abs(other["value"] - due) <= VALUE_SLACK
        place.rule("value", close, f"{due:.8g}", "value = weighed sum over the frontier")
    plan = next((other["value"] for other in beside if other["chosen"]), None)
    shown = {_orders(other) for other in beside}
    hidden = [
        orders
        for orders, worth in sums.items()
        if plan is not None and worth > plan + VALUE_SLACK and orders not in shown
    ]
    fits = not hidden or len(beside) >= SHOWN
    name = "what has a larger sum than the plan is shown"
    tally.rule("outlook.beside", fits, "all that have", f"{len(hidden)} are missing", name)


def _sums(book: Book, points: Sequence[Record]) -> list[Decimal]:
    """Of each point: its objectives from the worst to the best of the frontier, weighed."""
    own: Mapping[str, Decimal] = book.evaluation["objectives"]
    whole = sum((own[name] for name in SIGNS), ZERO) or ONE
    sums = [ZERO] * len(points)
    for name, sign in SIGNS.items():
        figures = [sign * point[name] for point in points]
        low, high = min(figures), max(figures)
        span = high - low if high - low > SAME else ONE
        sums = [
            worth + own[name] / whole * (figure - low) / span
            for worth, figure in zip(sums, figures, strict=True)
        ]
    return sums


def _orders(row: Record) -> frozenset[tuple[str, str, Decimal]]:
    return frozenset((step["side"], step["symbol"], step["quantity"]) for step in row["steps"])
