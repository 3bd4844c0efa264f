"""What would change the plan, where that was asked for."""

from __future__ import annotations

from steelyard.report.exhibits.what_if import would
from steelyard.report.terminal.sections.view import View


def draw(view: View) -> None:
    """Print what stands in the explanation; nothing without one."""
    sentences = would(view.plan)
    if sentences:
        view.title("What would change this plan")
    for sentence in sentences:
        view.say(sentence)
