"""Distance from target, before and after."""

from __future__ import annotations

from steelyard.report.terminal.columns import Column, Row
from steelyard.report.terminal.sections.view import View, bar
from steelyard.sentences import percent


def draw(view: View) -> None:
    """Print the drift in percentage points, or that there are no targets."""
    drift = view.plan.drift
    if drift.before is None or drift.after is None:
        view.title("Drift: none to show, since no targets were given")
        return
    change = f" → {percent(drift.after)}" if view.plan.steps else ""
    view.title(f"Drift {percent(drift.before)}{change} pp")
    top = max(drift.before, drift.after)
    columns = (Column(""), Column("", "right"), Column("", drop=1))
    rows = [
        Row((name, f"{percent(value)} pp", "█" * bar(value, top)))
        for name, value in (("before", drift.before), ("after", drift.after))
    ]
    view.table(columns, rows)
    view.say("Half the sum of all distances from target, cash included.", style="dim")
