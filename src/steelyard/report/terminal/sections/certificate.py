"""How far the plan may be trusted to be the best."""

from __future__ import annotations

from steelyard.report.exhibits.certificate import box, headroom
from steelyard.report.exhibits.neighbours import Row as Near
from steelyard.report.exhibits.neighbours import neighbours
from steelyard.report.exhibits.proposers import EXACT, MOST, proposed
from steelyard.report.terminal.columns import Column, Row
from steelyard.report.terminal.sections.view import View
from steelyard.sentences import points


def draw(view: View) -> None:
    """Print the badge, what was compared, and who proposed the plan."""
    plan = view.plan
    summary = box(plan)
    view.title(f"{summary.badge}.")
    view.say(summary.said)
    if plan.steps and plan.certificate.scope != EXACT:
        view.say(proposed(plan.proposed_by, len(plan.proposed_by) if view.explain else MOST))
    room = headroom(plan)
    if room is not None:
        most = "other sizes and more orders could add at most that"
        view.say(f"Structural headroom {points(room)} points: {most}.")
    _near(view)


def _near(view: View) -> None:
    """The lists nearest to the plan; with `explain` all that were judged."""
    exhibit = neighbours(view.plan)
    if exhibit is None:
        return
    view.title(exhibit.heading)
    rows = exhibit.nearest + (exhibit.others if view.explain else ())
    columns = (
        Column("Instead of the plan"),
        Column("Points", "right"),
        Column(f"{view.plan.base_currency} a year", "right", drop=1),
        Column("Fits"),
    )
    view.table(columns, list(map(_row, rows)))
    if exhibit.others and not view.explain:
        more = f"and {len(exhibit.others)} more: steelyard plan --explain"
        view.say(more, style="dim")


def _row(near: Near) -> Row:
    return Row((near.change, near.points, near.money, near.fits))
