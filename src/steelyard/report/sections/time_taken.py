"""How long each stage took."""

from __future__ import annotations

from steelyard.report.columns import Column, Row
from steelyard.report.sections.view import View


def draw(view: View) -> None:
    """Print the stages in milliseconds."""
    view.title("Time taken")
    rows = [Row((timing.name, f"{1000 * timing.seconds:,.1f} ms")) for timing in view.plan.timings]
    view.table((Column("Stage"), Column("", "right")), rows)
