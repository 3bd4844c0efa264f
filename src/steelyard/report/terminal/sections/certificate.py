"""How far the plan may be trusted to be the best."""

from __future__ import annotations

from steelyard.report.exhibits.certificate import box
from steelyard.report.exhibits.proposers import MOST, proposed
from steelyard.report.terminal.sections.view import View
from steelyard.sentences import points


def draw(view: View) -> None:
    """Print the badge, what was compared, and who proposed the plan."""
    plan = view.plan
    summary = box(plan)
    view.title(f"{summary.badge}.")
    view.say(summary.said)
    if plan.steps:
        view.say(proposed(plan.proposed_by, len(plan.proposed_by) if view.explain else MOST))
    headroom = plan.certificate.structural_headroom
    if headroom is not None:
        most = "other sizes and more orders could add at most that"
        view.say(f"Structural headroom {points(headroom)} points: {most}.")
