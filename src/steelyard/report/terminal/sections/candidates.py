"""The candidate table."""

from __future__ import annotations

from steelyard.plans.orders import CandidateShown
from steelyard.plans.plan import Plan
from steelyard.report.terminal.columns import Column, Row
from steelyard.report.terminal.sections.view import SIDES, View
from steelyard.sentences import FORMATS, money, quantity, signed


def draw(view: View) -> None:
    """Print every candidate and who asked for it."""
    plan = view.plan
    view.title(f"The candidate table, {len(plan.candidates)} rows")
    heads = (Column("Id"), Column("Side"), Column("Symbol"), *figure_heads(plan))
    cells = [
        (c.id, SIDES[c.side], c.symbol, *figures(c), ", ".join(c.sources)) for c in plan.candidates
    ]
    view.table((*heads, Column("Proposed by", drop=3)), list(map(Row, cells)))


def figure_heads(plan: Plan) -> tuple[Column, ...]:
    """Columns of `figures`."""
    return (
        Column("Quantity", "right"),
        Column(f"Amount, {plan.base_currency}", "right"),
        Column("Cost", "right", drop=2),
        Column("Priority", "right", drop=1),
        Column("Gain alone", "right"),
    )


def figures(candidate: CandidateShown) -> tuple[str, ...]:
    """Size, cost, rank and what it gains on its own."""
    return (
        quantity(candidate.quantity),
        money(candidate.notional_base, 0),
        money(candidate.cost),
        FORMATS["ratio"](candidate.priority),
        signed(candidate.gain, 2),
    )
