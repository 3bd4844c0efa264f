"""Who proposed a set of orders as a whole: modules by name, variants as `adaptive.cash_drag`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from steelyard.plans.plan import Plan
from steelyard.report.exhibits.alternatives import RUNNER, title
from steelyard.report.exhibits.words import capital, lower, named

EXACT = "targets"
"""Scope of a plan that follows from its targets: nobody proposed it and nothing found it."""
SEARCH = "found by the search alone"
MOST = 3
"""Modules named in one line; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Credit:
    """Sets of orders that come from the same modules."""

    plans: str
    by: str


def proposed(by: Sequence[str], most: int = MOST) -> str:
    """`Proposed as a whole by A, B, C and 2 more.`, or that no module did."""
    return f"Proposed as a whole by {named(by, most)}." if by else f"{SEARCH.capitalize()}."


def credited(plan: Plan) -> list[Credit]:
    """This plan and its runners-up by who proposed them; other lists only if a module did."""
    searched = plan.certificate.scope != EXACT
    sets = [("this plan", plan.proposed_by)] if plan.steps and searched else []
    sets += [
        (lower(title(other.name)), other.proposed_by)
        for other in plan.alternatives
        if other.proposed_by or other.name.startswith(RUNNER)
    ]
    by: dict[tuple[str, ...], list[str]] = {}
    for name, who in sets:
        by.setdefault(who, []).append(name)
    pairs = ((", ".join(names), ", ".join(who)) for who, names in by.items())
    return [Credit(capital(names), who or SEARCH) for names, who in pairs]
