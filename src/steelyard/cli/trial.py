"""`steelyard strategy ab`: two strategies on the same snapshots, and which plans better."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from steelyard.cli.output import guarded, note, progress, save, screen, writable, write, write_json
from steelyard.cli.snapshots import bundled, of_dates, of_folder
from steelyard.cli.strategy import AsJson

if TYPE_CHECKING:
    from steelyard.runs.compare import Comparison, Posed
    from steelyard.strategies import Strategy

OTHER_REPORT = "Name another file with --report."


def _named(name: str) -> Strategy:
    """The strategy of a name: a preset, a file."""
    from steelyard.strategies import find

    return find(name)


def ab(
    a: Annotated[str, Argument(help="A preset, or a TOML file.", metavar="A")],
    b: Annotated[str, Argument(help="Another.", metavar="B")],
    *,
    snapshots: Annotated[
        Path | None,
        Option(
            help="A folder with one folder per snapshot: holdings.csv and, there or beside them, "
            "prices, targets, securities, fx, index.",
            metavar="DIR",
        ),
    ] = None,
    dates: Annotated[
        str | None,
        Option(help="Month ends of the bundled history.", metavar="FROM..TO"),
    ] = None,
    seed: Annotated[
        int, Option(help="Of the generators and the interval.", metavar="N", min=0)
    ] = 0,
    as_json: AsJson = False,
    report: Annotated[
        Path | None, Option("--report", help="Write a page with a picture.", metavar="F.html")
    ] = None,
) -> None:
    """Compare two strategies on the same snapshots, with the same seed.

    Each plan is scored by its own strategy and by the other's. A side is better only where it is so
    by one scoring and no worse by the other. Without --snapshots or --dates: the bundled portfolio.
    """
    with guarded():
        rules = _named(a), _named(b)
        if report is not None:
            writable(report, "report", OTHER_REPORT)
        comparison = _compared(rules, _posed(snapshots, dates), seed)
        if report is not None:
            from steelyard.report.page.ab import render

            save(report, render(comparison), "report")
        if as_json:
            from steelyard.runs.comparison import document

            write_json(document(comparison))
        else:
            from steelyard.report.terminal.ab import draw

            write(screen(lambda console: draw(comparison, console)))
        if report is not None:
            note(f"The page is in {report}.")


def _posed(snapshots: Path | None, dates: str | None) -> Sequence[Posed]:
    if snapshots is not None and dates is not None:
        raise typer.BadParameter("name one of them.", param_hint="--snapshots --dates")
    if snapshots is not None:
        return of_folder(snapshots)
    if dates is not None:
        return of_dates(dates)
    note("No snapshots were named, so these are plans of the bundled portfolio: not yours.")
    return [bundled()]


def _compared(rules: tuple[Strategy, Strategy], posed: Sequence[Posed], seed: int) -> Comparison:
    import numpy as np

    from steelyard.runs.compare import Manner, compare

    with progress("Comparing") as say:
        manner = Manner(seed, tell=lambda what, n, of: say(f"Comparing: {what}, {n} of {of}"))
        return compare(*rules, posed, np.random.default_rng(seed), manner)
