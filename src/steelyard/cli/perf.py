"""`steelyard perf`: what stored plans took, by module and operation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from typer import Option

from steelyard.cli.output import guarded, screen, write, write_json
from steelyard.cli.stored import is_there, opened

if TYPE_CHECKING:
    from rich.console import Console

    from steelyard.runs.performance import Performance
    from steelyard.telemetry.timings import Spent

MIB = 1024 * 1024
MOST = 100
NO_PLAN = "No plan is stored. To store one: steelyard plan --bucket B"


def perf(
    *,
    bucket: Annotated[str | None, Option(help="Only plans of this bucket.", metavar="B")] = None,
    limit: Annotated[int, Option(min=1, help="Of how many plans, the newest.")] = MOST,
    as_json: Annotated[bool, Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Show what planning took: calls and time of every module, time per sequence, memory."""
    with guarded():
        report = _measured(bucket, limit)
        if as_json:
            write_json(report.document())
        else:
            write(screen(lambda console: draw(report, console)))


def _measured(bucket: str | None, limit: int) -> Performance:
    from steelyard.runs.performance import Performance, measured

    if not is_there():
        return Performance(bucket, 0, None, None, {}, 0, None, None)
    from steelyard.runs.listed_plans import check_bucket
    from steelyard.store.plans import buckets

    with opened() as store:
        report = measured(store, bucket, limit)
        if bucket is not None and not report.plans:
            check_bucket(bucket, buckets(store))
    return report


def draw(report: Performance, console: Console) -> None:
    """How many plans in a sentence, the stages, the modules of all, then sequences and memory."""
    from steelyard.report.terminal.columns import emit, sentence
    from steelyard.report.terminal.sections import time_taken

    def say(text: str) -> None:
        if text:
            emit(console, sentence(text, console.width))

    if not report.plans:
        say(NO_PLAN)
        return
    say(_summary(report))
    console.print()
    _table([*report.stages, *report.modules], console)
    console.print()
    say(time_taken.each_took(report.sequences, report.per_sequence))
    say(time_taken.memory(report.peak_bytes))
    if report.hit_rate is not None:
        ready = f"{report.hits:,} of {report.hits + report.misses:,} plans"
        say(f"The strategy was ready for {ready} that services made: {report.hit_rate:.0%}.")
    say(_calculations(report))


def _summary(report: Performance) -> str:
    plans = "1 plan" if report.plans == 1 else f"{report.plans:,} plans"
    of = "" if report.bucket is None else f" of the bucket {report.bucket}"
    days = sorted({f"{day:%Y-%m-%d}" for day in (report.first, report.last) if day is not None})
    return f"What {plans}{of} took, saved {' to '.join(days)}; in milliseconds."


def _calculations(report: Performance) -> str:
    if report.reuse_rate is None:
        return ""
    asked = report.reused + report.calculated
    held = "" if report.cache_bytes is None else f", {report.cache_bytes / MIB:,.1f} MiB at last"
    return (
        f"Calculations that were there from a plan before: {report.reused:,} of {asked:,}, "
        f"{report.reuse_rate:.0%}; {report.evicted:,} results made room for others{held}."
    )


def _table(rows: Sequence[tuple[str, Spent]], console: Console) -> None:
    from steelyard.report.terminal.columns import Column, Row, table
    from steelyard.report.terminal.sections.time_taken import figures
    from steelyard.telemetry.timings import operation_of

    heads = ("Calls", "Total", "Mean", "Min", "Max")
    columns = (Column("Part"), *(Column(each, "right") for each in heads))
    table(console, columns, [Row((operation_of(name), *figures(spent))) for name, spent in rows])
