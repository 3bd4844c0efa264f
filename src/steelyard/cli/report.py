"""`steelyard report ID`: a plan that was made before, in the terminal or as a page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from steelyard.cli.output import OTHER_REPORT, guarded, note, save, writable, write
from steelyard.cli.saved import PLANS, plan_of


def report(
    plan: Annotated[str, Argument(help="A stored plan by its id, or a file.", metavar=PLANS)],
    *,
    html: Annotated[
        Path | None, Option("--html", help="Write the page there instead.", metavar="F.html")
    ] = None,
) -> None:
    """Report a plan that was made before.

    As it was told then; with --html as a page.
    """
    with guarded():
        if html is not None:
            writable(html, "report", OTHER_REPORT, done="Nothing was reported.")
        chosen = plan_of(plan)
        if html is None:
            from steelyard.cli.plans import shown

            write(shown(chosen))
            return
        from steelyard.report.page import render

        save(html, render(chosen), "report")
        note(f"Report written: {html}")
