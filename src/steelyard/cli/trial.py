"""`steelyard strategy ab` and `dry-run`: strategies tried out, and nothing of it is stored."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from steelyard.cli.options import strategy_of
from steelyard.cli.output import (
    FAILED,
    OTHER_REPORT,
    guarded,
    note,
    progress,
    save,
    screen,
    writable,
    write,
    write_json,
)
from steelyard.cli.snapshots import bundled, case_of, of_bucket, of_dates, of_folder, timings_of
from steelyard.cli.strategy import AsJson
from steelyard.errors import SettingsError

if TYPE_CHECKING:
    from steelyard.planning.dry_run import DryRun
    from steelyard.runs.compare import Comparison, Posed
    from steelyard.strategies import Problems, Strategy


def ab(
    a: Annotated[str, Argument(help="A preset, a TOML file, a stored name.", metavar="A")],
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
    bucket: Annotated[
        str | None, Option(help="The portfolio of a stored bucket.", metavar="B")
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
        rules = strategy_of(a), strategy_of(b)
        if report is not None:
            writable(report, "report", OTHER_REPORT)
        comparison = _compared(rules, _posed(snapshots, dates, bucket), seed)
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


def _posed(snapshots: Path | None, dates: str | None, bucket: str | None) -> Sequence[Posed]:
    if sum(place is not None for place in (snapshots, dates, bucket)) > 1:
        raise typer.BadParameter("name one of them.", param_hint="--snapshots --dates --bucket")
    if snapshots is not None:
        return of_folder(snapshots)
    if dates is not None:
        return of_dates(dates)
    if bucket is not None:
        return [of_bucket(bucket)]
    note("No snapshots were named, so these are plans of the bundled portfolio: not yours.")
    return [bundled()]


def _compared(rules: tuple[Strategy, Strategy], posed: Sequence[Posed], seed: int) -> Comparison:
    import numpy as np

    from steelyard.runs.compare import Manner, compare

    with progress("Comparing") as say:
        manner = Manner(seed, tell=lambda what, n, of: say(f"Comparing: {what}, {n} of {of}"))
        return compare(*rules, posed, np.random.default_rng(seed), manner)


UNUSABLE = ("strategy_problems", "satellite_settings")
"""Codes of a strategy that is there, and is no use."""


def dry_run(
    name: Annotated[
        str | None,
        Argument(help="A preset, a TOML file, a stored name.", metavar="[NAME|FILE]"),
    ] = None,
    *,
    bucket: Annotated[
        str | None,
        Option(help="The portfolio of a stored bucket, and its strategy without a name."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a strategy as far as it can be without planning.

    Do its modules and plugins load, have they what they draw from, how many candidates and
    sequences would there be, as estimated and at most, and how long would it take. Nothing is
    searched. The exit code is 1 where it may not be planned with.
    """
    with guarded():
        from steelyard.report.terminal.dry_run import draw as draw_run

        run = _dry(name, bucket)
        if as_json:
            write_json(run.document())
        else:
            write(screen(lambda console: draw_run(name or f"The bucket {bucket}", run, console)))
        if not run.valid:
            raise typer.Exit(FAILED)


def _dry(name: str | None, bucket: str | None) -> DryRun:
    """The dry run of a name, or of what a bucket plans by; of a file what is wrong has its line."""
    from steelyard.planning.dry_run import DryRun, dry_run
    from steelyard.strategies import PRESETS

    if name is None and bucket is None:
        raise typer.BadParameter("name a strategy, or a bucket with --bucket.", param_hint="NAME")
    problems = None
    try:
        rules = None if name is None else strategy_of(name)
        case = case_of(rules, bucket)
    except SettingsError as error:
        if error.fault.code not in UNUSABLE:
            raise
        texts = [fault.message for fault in error.faults]
        return DryRun({}, errors=tuple(texts))
    if name is not None and name not in PRESETS and Path(name).is_file():
        problems = _located(Path(name))
    return dry_run(case, timings_of(case.strategy), problems)


def _located(path: Path) -> Problems | None:
    """What is wrong with a usable file, with lines; None where its sliders are more than a check
    of files knows.
    """
    from steelyard.strategies import check

    problems, rules = check(path)
    return None if rules is None else problems
