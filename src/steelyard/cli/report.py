"""`steelyard report ID|RUN`: a plan that was made before, or a run; on the screen or as a page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from steelyard.cli.output import OTHER_REPORT, guarded, note, save, writable, write
from steelyard.cli.saved import PLANS, plan_of

RUN = "r-"
"""Begins the id of a run, and of no plan."""
LAST = "last"
"""Stands for the newest run."""


def report(
    plan: Annotated[
        str, Argument(help="A stored plan by its id, or a file; or a run.", metavar=f"{PLANS}|RUN")
    ],
    *,
    html: Annotated[
        Path | None, Option("--html", help="Write the page there instead.", metavar="F.html")
    ] = None,
) -> None:
    """Report a plan that was made before, as it was told then, or what became of a run.

    With --html as a page.
    """
    with guarded():
        if html is not None:
            writable(html, "report", OTHER_REPORT, done="Nothing was reported.")
        if plan.startswith(RUN) or plan == LAST:
            _run(plan, html)
            return
        chosen = plan_of(plan)
        if html is None:
            from steelyard.cli.plans import shown

            write(shown(chosen))
            return
        from steelyard.report.page import render

        save(html, render(chosen), "report")
        note(f"Report written: {html}")


def _run(run_id: str, html: Path | None) -> None:
    from steelyard.cli.runs import draw
    from steelyard.cli.trading import journal
    from steelyard.execution.journal.rows import run as row_of
    from steelyard.execution.report import run_report

    with journal() as entry:
        run = row_of(entry, run_id)
        if html is None:
            write(draw(entry, run))
            return
        from steelyard.report.page.run import render

        save(html, render(run_report(entry, run.run_id)), "report")
        note(f"Report written: {html}")
