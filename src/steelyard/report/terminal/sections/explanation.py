"""What would change the plan, where that was asked for."""

from __future__ import annotations

from steelyard.report.terminal.sections.view import View


def draw(view: View) -> None:
    """Print what stands in the explanation; nothing without one."""
    told = view.plan.explanation
    if told is None:
        return
    view.title("What would change this plan")
    for finding in (told.stability, *told.thresholds, *told.counterfactuals, *told.relaxations):
        view.say(finding.text)
