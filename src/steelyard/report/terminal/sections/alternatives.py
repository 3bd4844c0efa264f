"""What else was weighed, by the same score."""

from __future__ import annotations

from rich.text import Text

from steelyard.plans.orders import Alternative
from steelyard.report.exhibits.alternatives import title
from steelyard.report.exhibits.proposers import credited
from steelyard.report.exhibits.words import lower
from steelyard.report.terminal.columns import Column, Row
from steelyard.report.terminal.sections.view import View, percent_or_unknown
from steelyard.sentences import money, percent, points, quantity, signed


def draw(view: View) -> None:
    """Print the plan and its alternatives, each with its orders; with `explain` who proposed
    which.
    """
    plan = view.plan
    if not plan.alternatives:
        return
    view.title("What else was weighed")
    columns = (
        Column("Plan"),
        Column("Score", "right"),
        Column("Net", "right"),
        Column(f"Cost, {plan.base_currency}", "right"),
        Column("Turnover, %", "right", drop=2),
        Column("Drift, pp", "right", drop=1),
    )
    score = plan.score
    drift = percent_or_unknown(plan.drift.after)
    own = (
        "this plan",
        points(score.plan),
        signed(score.improvement, 2),
        money(plan.costs.total),
        percent(plan.turnover),
        drift,
    )
    view.table(columns, [Row(own, style="bold"), *map(_alternative, plan.alternatives)])
    told = credited(plan) if view.explain else []
    if told:
        view.emit([Text("")])
        view.table(
            (Column("Orders of"), Column("Come from")),
            [Row((credit.plans, credit.by)) for credit in told],
        )


def _alternative(other: Alternative) -> Row:
    orders = ", ".join(
        f"{step.side} {quantity(step.quantity)} {step.symbol}" for step in other.steps
    )
    drift = percent_or_unknown(other.drift_after)
    cells = (
        lower(title(other.name)),
        points(other.score),
        signed(other.improvement, 2),
        money(other.cost),
        percent(other.turnover),
        drift,
    )
    return Row(cells, under=(orders,) if orders else ())
