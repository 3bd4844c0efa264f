"""The lists that come nearest to the plan: one order or two are changed, added or dropped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from steelyard.plans.plan import Plan
from steelyard.plans.score import Neighbour
from steelyard.report.exhibits.words import capital, counted
from steelyard.report.exhibits.worth import a_year, near, signed_amount

NEAREST = 3
"""Lists that are shown at once."""


@dataclass(frozen=True, slots=True)
class Row:
    """One list: what changes, the change of the net score, and the same as money a year."""

    change: str
    points: str
    money: str
    feasible: bool

    @property
    def fits(self) -> str:
        """May it be traded?"""
        return "yes" if self.feasible else "no"


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The exhibit: the nearest first, then the others."""

    nearest: tuple[Row, ...]
    others: tuple[Row, ...]
    heading: str
    said: str


def neighbours(plan: Plan) -> Neighbours | None:
    """The exhibit of a plan; None where no list near it was judged."""
    judged = plan.certificate.neighbours
    if not judged:
        return None
    ranked = sorted(judged, key=lambda other: (-other.improvement, other.change))
    feasible = [other for other in ranked if other.feasible]
    nearest = (feasible or ranked)[:NEAREST]
    rest = [other for other in ranked if other not in nearest]
    return Neighbours(
        nearest=tuple(_rows(plan, nearest)),
        others=tuple(_rows(plan, rest)),
        heading="Nearest to the plan",
        said=_said(len(judged)),
    )


def _rows(plan: Plan, lists: Iterable[Neighbour]) -> Iterable[Row]:
    for other in lists:
        change = other.improvement - plan.score.improvement
        money = a_year(plan, change)
        yield Row(
            change=capital(other.change),
            points=near(change),
            money="" if money is None else signed_amount(money),
            feasible=other.feasible,
        )


def _said(count: int) -> str:
    lists = counted(count, "list")
    return f"{lists} that differ in one order or two, judged by the same score as the plan."
