"""The orders, a reason under each."""

from __future__ import annotations

from collections.abc import Iterator

from steelyard.errors import one_line
from steelyard.plans.orders import Step
from steelyard.report.exhibits.trades import trades, worth_of
from steelyard.report.exhibits.words import price, sentence
from steelyard.report.exhibits.worth import amount, gained
from steelyard.report.terminal.columns import Column, Row
from steelyard.report.terminal.sections.view import SIDES, STYLES, View, day, in_base, short
from steelyard.sentences import money, percent, quantity

ADDS = "Adds: points of the score, net of costs, that the plan loses without this order."
A_YEAR = (
    "A year: what the plan loses without this order, as money that the score weighs as much; "
    "no forecast."
)
LONGEST_ACCOUNT = 40
"""Characters of the name of an account."""


def draw(view: View) -> None:
    """Print every order with its reason."""
    plan = view.plan
    exhibit = trades(plan, None) if view.explain else trades(plan)
    view.title(exhibit.heading)
    if not plan.steps:
        return
    worth = worth_of(plan)
    columns = (
        Column("#", "right"),
        Column("Side"),
        Column("Symbol"),
        Column("Name", drop=4),
        Column("Quantity", "right"),
        Column("Price", "right"),
        Column(f"Amount, {plan.base_currency}", "right"),
        Column("Cost", "right", drop=1),
        Column("Weight, %", "right", drop=3),
        Column(worth, "right", drop=2),
    )
    rows = [row(view, step) for step in exhibit.steps]
    meaning = ADDS if worth == "Adds" else A_YEAR
    view.table(columns, rows, (worth, meaning), exhibit.more_said)


def row(view: View, step: Step) -> Row:
    """An order, its reason under it, and lots that the broker must be told; with `explain` the
    whole sentence, every lot and the modules.
    """
    to_name = _lots(view, step) if view.plan.names_lots else ()
    under = tuple(_story(view, step)) if view.explain else (sentence(step.reason), *to_name)
    return Row(
        (
            str(step.n),
            SIDES[step.side],
            step.symbol,
            short(step.name),
            quantity(step.quantity),
            f"{price(step.price)} {step.currency}",
            money(step.notional_base, 0),
            money(step.costs.total),
            f"{percent(step.weight_before)} → {percent(step.weight_after)}",
            _adds(step),
        ),
        under=under,
        style=STYLES[step.side],
    )


def _adds(step: Step) -> str:
    money_a_year = step.adds.base_per_year
    return gained(step.adds.score) if money_a_year is None else amount(money_a_year)


def _story(view: View, step: Step) -> Iterator[str]:
    yield step.narrative or step.reason
    if step.refined_from is not None:
        yield f"Its size was fitted to the other orders: {quantity(step.refined_from)} before."
    yield from _lots(view, step)
    yield f"Proposed by {', '.join(step.proposed_by) or 'the search alone'}."


def _lots(view: View, step: Step) -> Iterator[str]:
    for lot in step.lots:
        acquired = day(lot.acquired) if lot.acquired else "unknown date"
        cost = "unknown cost"
        if lot.unit_cost is not None:
            cost = f"{price(lot.unit_cost)} {step.currency}"
        gain = in_base(view.plan, lot.gain) if lot.gain is not None else "unknown"
        place = f" in {one_line(lot.account, LONGEST_ACCOUNT)}" if lot.account else ""
        yield f"Lot of {acquired}{place}: {quantity(lot.quantity)} at {cost}, gain {gain}."
