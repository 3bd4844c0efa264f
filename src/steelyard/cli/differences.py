"""`steelyard strategy diff|plan-diff`: what a version changes in its text, its rules, and a plan.

Both versions plan the same frozen inputs: those of a bucket, else the bundled portfolio.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from steelyard.cli.named import number_of
from steelyard.cli.options import Inputs, Options, make_plan, read
from steelyard.cli.output import OTHER_REPORT, guarded, note, save, screen, writable, write
from steelyard.cli.output import write_json as write_document
from steelyard.cli.stored import opened
from steelyard.report import visible

if TYPE_CHECKING:
    from rich.console import Console

    from steelyard.plans.diff import PlanDiff
    from steelyard.store.strategies import Draft, Version
    from steelyard.strategies import Strategy

AsJson = Annotated[bool, Option("--json", help="Print one JSON document.")]
Name = Annotated[str, Argument(help="A stored strategy.", metavar="NAME")]
First = Annotated[str, Argument(help="The version before.", metavar="A")]
Second = Annotated[str, Argument(help="The version after.", metavar="B")]


def diff(name: Name, a: First, b: Second, as_json: AsJson = False) -> None:
    """Show what is another in two versions: the text, the modules, the parameters, the rest."""
    with guarded():
        from steelyard.runs.compared_versions import difference
        from steelyard.runs.planners import strategy_of_version
        from steelyard.strategies.diff import semantic

        old, new = _versions(name, a, b)
        document = difference(old, new)
        if as_json:
            write_document(document)
            return
        from steelyard.report.terminal.two_strategies import draw

        text = document["unified"]
        rules = semantic(strategy_of_version(old), strategy_of_version(new))
        write("".join(visible(line) + "\n" for line in text.split("\n")[:-1]))
        write(screen(lambda console: draw(rules, console)))


def plan_diff(
    name: Name,
    a: First,
    b: Second,
    *,
    bucket: Annotated[
        str | None,
        Option("--bucket", help="Whose holdings; by default the bundled ones.", metavar="B"),
    ] = None,
    report: Annotated[
        Path | None, Option("--report", help="Also write an HTML page.", metavar="F.html")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Plan the same holdings by two versions, and show in what the two plans differ."""
    with guarded():
        from steelyard.runs.planners import strategy_of_version

        if report is not None:
            writable(report, "report", OTHER_REPORT)
        old, new = _versions(name, a, b)
        inputs = read(Options(bucket=bucket))
        difference = between(inputs, strategy_of_version(old), strategy_of_version(new))
        show(difference, inputs.said, as_json=as_json, report=report)


def show(
    difference: PlanDiff, said: tuple[str, ...], *, as_json: bool, report: Path | None
) -> None:
    """Print a difference of two plans, or its document; and write its page."""
    if report is not None:
        from steelyard.report.page.two_plans import render_diff

        save(report, render_diff(difference), "report")
    if as_json:
        for line in said:
            note(line)
        write_document(difference.document())
        return
    from steelyard.report.terminal.two_plans import draw

    def drawn(console: Console) -> None:
        for line in said:
            console.print(visible(line))
        draw(difference, console)
        if report is not None:
            console.print(visible(f"Report written: {report}"))

    write(screen(drawn))


def between(inputs: Inputs, old: Strategy, new: Strategy) -> PlanDiff:
    """The difference of the plans that two strategies make of the same inputs."""
    from steelyard.plans.diff import compare

    plans = [make_plan(replace(inputs, strategy=rules), 0, counted=False) for rules in (old, new)]
    return compare(*plans)


def show_changes(before: Version, draft: Draft, strategy: Strategy, *, plans: bool) -> None:
    """Print what the next version of a strategy changes, in today's plan too if `plans`."""
    from steelyard.report.terminal.two_strategies import draw
    from steelyard.runs.planners import strategy_of_version
    from steelyard.strategies.diff import semantic, unified

    text = unified(before.toml, draft.toml, f"{before.name} v{before.version}", "new")
    write("".join(visible(line) + "\n" for line in text.split("\n")[:-1]))
    old = strategy_of_version(before)
    write(screen(lambda console: draw(semantic(old, strategy), console)))
    if plans and old.sha256 != strategy.sha256:
        inputs = read(Options(bucket=_follower(before.name)))
        new = replace(strategy, version=before.version + 1, title=draft.title or before.title)
        show(between(inputs, old, new), inputs.said, as_json=False, report=None)


def _follower(name: str) -> str | None:
    """The first bucket with holdings that follows a name."""
    from steelyard.store.assignments import followers
    from steelyard.store.buckets import bucket_of

    with opened() as store:
        rows = [bucket_of(store, bucket) for bucket in followers(store, name)]
    return next((row.name for row in rows if row.portfolio is not None), None)


def _versions(name: str, a: str, b: str) -> tuple[Version, Version]:
    from steelyard.store.strategies import version

    with opened() as store:
        return version(store, name, number_of(a)), version(store, name, number_of(b))
