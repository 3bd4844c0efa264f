"""`steelyard demo`: the bundled portfolio, offline, with the report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from steelyard.cli.options import Options, make_plan, read
from steelyard.cli.output import OTHER_REPORT, guarded, writable
from steelyard.cli.plan import AsJson, Output, deliver

DEMO = "growth"
REPORT = Path("steelyard-report.html")


def demo(
    report: Annotated[
        Path | None,
        Option(help="Write the report there instead.", metavar="F.html", show_default=str(REPORT)),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Plan the bundled portfolio, offline.

    Writes steelyard-report.html into the current folder; with --json only the file that --report
    names.
    """
    with guarded():
        target = report or (None if as_json else REPORT)
        if target is not None:
            writable(target, "report", OTHER_REPORT)
        inputs = read(Options(), sample=DEMO)
        plan = make_plan(inputs, seed=0, counted=False)
        deliver(plan, inputs, Output(as_json=as_json, report=target, own_files=True))
