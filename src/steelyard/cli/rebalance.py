"""`steelyard rebalance`: exact trades to target weights, as a plan like that of `plan`."""

from __future__ import annotations

import os
from typing import Annotated

from typer import Option

from steelyard.cli.engines import Engines
from steelyard.cli.options import Options, planning
from steelyard.cli.output import guarded
from steelyard.cli.plan import AsJson, Output, ReportFile, SaveIt, Timings, carry_out


@planning
def rebalance(
    *,
    options: Options,
    explain: Annotated[
        bool, Option("--explain", help="Show every reason and module, not only the first ones.")
    ] = False,
    as_json: AsJson = False,
    report: ReportFile = None,
    timings: Timings = False,
    save_it: SaveIt = None,
) -> None:
    """Trade to target weights exactly: what is outside its band goes to its target.

    Nothing is searched and no score decides. Needs --targets; without files: the bundled portfolio.
    """
    with guarded():
        output = Output(as_json, report, explain, timings)
        carry_out(options, output, Engines.read(os.environ, "reference"), save_it=save_it)
