"""How long each part took: the command, the stages of planning, the modules of each stage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from steelyard.notices import Timing
from steelyard.report.terminal.columns import Column, Row
from steelyard.report.terminal.sections.view import View
from steelyard.telemetry.timings import Spent, added_up, operation_of, seconds_per_sequence

PLANNING = "planning"
AFTERWARDS = "what if"
"""The stage of modules that ran after the last timed one: the what-if generators."""
REST = "everything else"
MEGABYTE = 1_000_000


class Taken(NamedTuple):
    """Seconds of one part; `depth` is how many parts it is inside of; `calls`: of a module."""

    depth: int
    name: str
    seconds: float
    calls: Spent | None = None


COLUMNS = (
    Column("Part"),
    Column("Calls", "right", drop=1),
    Column("Total, ms", "right"),
    Column("Mean", "right", drop=2),
    Column("Min", "right", drop=3),
    Column("Max", "right", drop=3),
)


def draw(
    view: View,
    around: Sequence[tuple[str, float]] = (),
    *,
    total: float | None = None,
    peak: int | None = None,
) -> None:
    """Print the parts in milliseconds, what is inside of one indented under it.

    around   parts of the command in order, with their seconds; the stages stand under `planning`
    total    seconds of the whole command
    peak     bytes that the process had resident at most
    """
    view.title("Time taken")
    timings = view.plan.timings
    parts = list(_commanded(around, timings) if around else staged(timings, 0))
    if total is not None:
        spent = sum(part.seconds for part in parts if not part.depth)
        parts += [Taken(0, REST, max(0.0, total - spent)), Taken(0, "total", total)]
    view.table(COLUMNS, [Row(_cells(part)) for part in parts])
    if total is not None:
        indented = "What is indented is part of what stands over it."
        view.say(f"{indented} Starting Python is not counted.", style="dim")
    count = view.plan.certificate.sequences
    for line in (each_took(count, seconds_per_sequence(count, timings)), memory(peak)):
        if line:
            view.say(line)


def each_took(count: int, seconds: float | None) -> str:
    """What a sequence took to be proposed and scored; "" where none was."""
    return "" if seconds is None else f"Each of {count:,} sequences took {1000 * seconds:,.4f} ms."


def memory(peak: int | None) -> str:
    """The most memory that was resident; "" where that is not known."""
    return "" if peak is None else f"Peak memory of the process: {peak / MEGABYTE:,.0f} MB."


def _cells(part: Taken) -> tuple[str, ...]:
    name, calls = 2 * part.depth * " " + part.name, part.calls
    if calls is None:
        return (name, "", milliseconds(part.seconds), "", "", "")
    return (name, *figures(calls))


def figures(calls: Spent) -> tuple[str, ...]:
    """Calls, then milliseconds: of all, of one on average, of the shortest, of the longest."""
    seconds = (calls.total, calls.mean, calls.least, calls.most)
    return (f"{calls.count:,}", *map(milliseconds, seconds))


def milliseconds(seconds: float) -> str:
    """With one digit after the point."""
    return f"{1000 * seconds:,.1f}"


def _commanded(around: Iterable[tuple[str, float]], timings: Iterable[Timing]) -> Iterator[Taken]:
    for name, seconds in around:
        yield Taken(0, name, seconds)
        if name == PLANNING:
            stages = list(staged(timings, 1))
            yield from stages
            spent = sum(stage.seconds for stage in stages if stage.depth == 1)
            yield Taken(1, REST, max(0.0, seconds - spent))


def staged(timings: Iterable[Timing], depth: int) -> Iterator[Taken]:
    """Each stage, then its modules, which are noted before it; modules have a kind and a dot."""
    modules: list[Timing] = []
    for timing in timings:
        if "." in timing.name:
            modules.append(timing)
            continue
        yield from _stage(timing, modules, depth)
        modules = []
    if modules:
        seconds = sum(module.seconds for module in modules)
        yield from _stage(Timing(name=AFTERWARDS, seconds=seconds), modules, depth)


def _stage(stage: Timing, modules: Iterable[Timing], depth: int) -> Iterator[Taken]:
    yield Taken(depth, stage.name, stage.seconds)
    for name, calls in added_up(modules).items():
        yield Taken(depth + 1, operation_of(name), calls.total, calls)
