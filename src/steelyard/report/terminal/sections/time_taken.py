"""How long each part took: the command, the stages of planning, the modules of each stage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from steelyard.notices import Timing
from steelyard.report.terminal.columns import Column, Row
from steelyard.report.terminal.sections.view import View

PLANNING = "planning"
AFTERWARDS = "what if"
"""The stage of modules that ran after the last timed one: the what-if generators."""
REST = "everything else"


class Taken(NamedTuple):
    """Seconds of one part; `depth` is how many parts it is inside of."""

    depth: int
    name: str
    seconds: float


def draw(
    view: View, around: Sequence[tuple[str, float]] = (), *, total: float | None = None
) -> None:
    """Print the parts in milliseconds, what is inside of one indented under it.

    around   parts of the command in order, with their seconds; the stages stand under `planning`
    total    seconds of the whole command
    """
    view.title("Time taken")
    timings = view.plan.timings
    parts = list(_commanded(around, timings) if around else staged(timings, 0))
    if total is not None:
        spent = sum(part.seconds for part in parts if not part.depth)
        parts += [Taken(0, REST, max(0.0, total - spent)), Taken(0, "total", total)]
    cells = [(2 * p.depth * " " + p.name, f"{1000 * p.seconds:,.1f} ms") for p in parts]
    view.table((Column("Part"), Column("", "right")), list(map(Row, cells)))
    if total is not None:
        indented = "What is indented is part of what stands over it."
        view.say(f"{indented} Starting Python is not counted.", style="dim")


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
    yield from (Taken(depth + 1, module.name, module.seconds) for module in modules)
