"""`steelyard plan`: one's own files, or the bundled portfolio, to trades with their reasons."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Option

from steelyard.cli.engines import Engines
from steelyard.cli.options import Around, Inputs, Options, make_plan, planning, read
from steelyard.cli.output import (
    FAILED,
    OTHER_REPORT,
    Stopwatch,
    exit_code,
    guarded,
    note,
    progress,
    save,
    screen,
    writable,
    write,
)
from steelyard.cli.request import read_request
from steelyard.errors import SteelyardError, StoreError

if TYPE_CHECKING:
    from rich.console import Console

    from steelyard.engine import Engine
    from steelyard.plans.plan import Plan
    from steelyard.plans.verify import Report
    from steelyard.telemetry.events import Observe, PlannerEvent

AsJson = Annotated[bool, Option("--json", help="Print the whole plan as one JSON document.")]
ReportFile = Annotated[Path | None, Option(help="Also write an HTML report.", metavar="F.html")]
Timings = Annotated[bool, Option("--timings", help="Show how long each part took.")]
RequestFile = Annotated[
    Path | None,
    Option(
        "--request",
        help="Plan what a request of a service says, a JSON file or - for stdin; the plan has the "
        "same id as over HTTP.",
        metavar="F.json|-",
    ),
]
SaveIt = Annotated[
    bool | None,
    Option(
        "--save/--no-save",
        help="Keep the plan and what it was made from; a bucket's is kept by itself.",
        show_default=False,
    ),
]

OWN_FILES = "--holdings H.csv --targets T.csv --prices P.csv"


@dataclass(frozen=True, slots=True)
class Output:
    """How a plan is handed over.

    own_files   also tell how to plan with them
    engine      which one made the plan
    stored      the beginning of the id under which it is kept; "" = it is not
    request     the file of a request that it is of
    """

    as_json: bool = False
    report: Path | None = None
    explain: bool = False
    timings: bool = False
    own_files: bool = False
    engine: Engine = "fast"
    stored: str = ""
    request: Path | None = None
    watch: Stopwatch = field(default_factory=Stopwatch)


@planning
def plan(
    *,
    options: Options,
    explain: Annotated[
        bool,
        Option(
            "--explain",
            help=(
                "Also solve again for what would change the plan (seconds); show every candidate, "
                "reason and module."
            ),
        ),
    ] = False,
    as_json: AsJson = False,
    report: ReportFile = None,
    timings: Timings = False,
    save_it: SaveIt = None,
    request: RequestFile = None,
) -> None:
    """Plan the trades that best improve a portfolio.

    Without files: the bundled one.
    """
    with guarded():
        output = Output(as_json, report, explain, timings)
        engines = Engines.read(os.environ)
        carry_out(options, output, engines, save_it=save_it, request=request)


def carry_out(
    options: Options,
    output: Output,
    engines: Engines,
    *,
    save_it: bool | None,
    request: Path | None = None,
) -> None:
    """Read, plan, keep where that is asked for, and hand over; raises SteelyardError.

    request   a file that says all that the options say
    """
    if output.report is not None:
        writable(output.report, "report", OTHER_REPORT)
    watch = output.watch
    with watch.timed("reading"):
        requested = None
        if request is not None:
            requested, options = read_request(request, options)
        inputs = read(options) if requested is None else requested
    saved = save_it if save_it is not None else inputs.bucket is not None
    events: list[PlannerEvent] = []
    observe = _into(events, inputs.imported.snapshot.bucket) if saved else None
    engine = engines.of(inputs) if requested is None else "fast"  # that of the services
    around = Around(watch, observe, engine, engines.watching(inputs, observe))
    with _refusals_kept(events):
        document = make_plan(inputs, options.seed, explained=output.explain, around=around)
    asked = None if requested is None else request
    output = replace(output, own_files=inputs.sample is not None, engine=engine, request=asked)
    if not saved:
        deliver(document, inputs, output)
        engines.end()
        return
    try:
        seconds = sum(took for what, took in watch.parts if what == "planning")
        if observe is not None:
            from steelyard.telemetry.timings import measured

            observe(measured(document.plan_id, seconds))
        stored = keep(document, inputs, options, seconds, events)
    except SteelyardError as error:
        deliver(document, inputs, output)  # the plan is made: it is not lost with its copy
        note(f"The plan is not kept. {error}")
        raise typer.Exit(exit_code(error)) from None  # of two documents neither could be read
    deliver(document, inputs, replace(output, stored=stored))
    engines.end()


def _into(events: list[PlannerEvent], bucket: str) -> Observe:
    """Notes what happens while planning, each with its time, all of one run."""
    from datetime import UTC, datetime

    from steelyard.cli.stored import run_id
    from steelyard.telemetry.recorder import stamped

    return stamped(bucket, run_id(), lambda: datetime.now(UTC), [events.append])


@contextmanager
def _refusals_kept(events: Sequence[PlannerEvent]) -> Iterator[None]:
    """Keep how a plan came to be refused; where that cannot be, the refusal alone is told."""
    try:
        yield
    except SteelyardError:
        if events:
            from steelyard.cli.stored import opened
            from steelyard.store.events import append

            with suppress(StoreError), opened() as store:
                append(store, events)
        raise


def keep(
    plan: Plan,
    inputs: Inputs,
    options: Options,
    seconds: float,
    events: Sequence[PlannerEvent] = (),
) -> str:
    """Keep a plan, its inputs and what happened; the beginning of its id. Raises StoreError."""
    from steelyard.cli.of_bucket import files_of
    from steelyard.cli.stored import opened
    from steelyard.runs.stored import keep as put
    from steelyard.store.plans import SHOWN_DIGITS

    files = inputs.files or files_of(options)
    with opened() as store:
        put(store, plan, inputs.imported, files, seconds, events)
    return plan.plan_id[:SHOWN_DIGITS]


def deliver(plan: Plan, inputs: Inputs, output: Output) -> None:
    """The report to its file, the plan to stdout, what to type next; last, if the report failed."""
    from steelyard.errors import InputError
    from steelyard.plans import verify

    failure: InputError | None = None
    opinion = None
    if output.report is not None or not output.as_json:
        with output.watch.timed("second opinion"):
            opinion = verify.check(plan.document())  # asked once, for the page and the screen
    if output.report is not None:
        try:
            with output.watch.timed("report"):
                _save_report(plan, opinion, output.report)
        except InputError as error:
            failure = error
    if output.as_json:
        for line in inputs.said:
            note(line)
        write(plan.to_json() + "\n")
    else:
        write(_shown(plan, inputs, output, opinion, written=failure is None))
    if failure is not None:
        # the plan is out: of two documents on stdout neither could be read
        note(str(failure))
        raise typer.Exit(FAILED)


def _save_report(plan: Plan, opinion: Report | None, path: Path) -> None:
    from steelyard.report.page import render

    with progress("Writing the report"):
        save(path, render(plan, opinion), "report")


def _shown(
    plan: Plan, inputs: Inputs, output: Output, opinion: Report | None, *, written: bool
) -> str:
    with output.watch.timed("loading the view"):
        from steelyard.report.terminal import show
        from steelyard.report.terminal.columns import emit, sentence

    def draw(console: Console) -> None:
        def say(text: str) -> None:
            emit(console, sentence(text, console.width))

        for line in inputs.said:
            say(line)
        with output.watch.timed("rendering"):
            show(plan, console, explain=output.explain, opinion=opinion)
        if output.timings:
            _time_taken(plan, console, output)
        console.print()
        if output.report is not None and written:
            say(f"Report written: {output.report}")
        if output.stored:
            say(f"Kept as {output.stored}.")
        say("Nothing was sent anywhere. To go on:")
        for command in _next(plan, output):
            console.print(f"  {command}", soft_wrap=True)

    return screen(draw)


def _time_taken(plan: Plan, console: Console, output: Output) -> None:
    from steelyard.report.terminal.sections import time_taken
    from steelyard.report.terminal.sections.view import View
    from steelyard.telemetry.timings import peak_bytes

    view = View(console, plan, output.explain)
    watch = output.watch
    time_taken.draw(view, watch.parts, total=watch.total(), peak=peak_bytes())


def _next(plan: Plan, output: Output) -> list[str]:
    """Commands that can be typed as they stand, or with one's own names in capitals."""
    if output.stored:
        command = _command()
        symbol = next((step.symbol for step in plan.steps), "SYMBOL")
        return [
            f"{command} why {symbol} --plan {output.stored}",
            f"{command} report {output.stored} --html plan.html",
        ]
    owned = [holding.symbol for holding in plan.holdings if holding.quantity]
    symbol = next(iter([*(step.symbol for step in plan.steps), *owned]), "SYMBOL")
    command = _command()
    if output.own_files:
        verb = "plan" if output.engine == "fast" else "rebalance"
        return [f"{command} why {symbol}", f"{command} {verb} {OWN_FILES}"]
    if output.request is not None:
        # `why` reads no request: it asks a plan that is kept
        return [f"{command} plan --request {shlex.quote(str(output.request))} --save"]
    page = [] if output.report else ["the same with --report plan.html for a page"]
    return [f"{command} why SYMBOL, with the same options", *page]


def _command() -> str:
    """How this program was called, so that what is printed can be typed."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return "python -m steelyard"
    by_name = shutil.which("steelyard") is not None or not called.is_file()
    return "steelyard" if by_name else os.path.relpath(called)
