"""What is told besides results: notices, missing figures, runs, timings, and what stopped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from steelyard.canonical import Number, Record
from steelyard.orders import Side
from steelyard.sentences import Sentence

Stage = Literal["input", "opportunity", "sizing", "filter", "merge", "search", "plan"]


class Notice(Record):
    """A problem (the plan may differ from that of full inputs) or a warning (worth knowing).

    head   told first: what was read or decided about units, percent, rounding, a default cap that
           gave way, an accepted price
    """

    code: str
    message: str
    module: str | None = None
    symbol: str | None = None
    head: bool = False


class Coverage(Record):
    """A metric that was missing and the value used in its place; null = the rule let it pass."""

    symbol: str
    metric: str
    used: Number | None


class ModuleRun(Record):
    """What one module did: `count` of things returned."""

    kind: str
    name: str
    version: str
    count: int | None
    error: str | None
    outcome: Literal["ok", "nothing", "no_input", "failed", "disabled"]


def outcomes(runs: Iterable[ModuleRun]) -> list[tuple[str, str, str | None]]:
    """(qualified name, version, error) of the modules that were called; None = it did not fail."""
    called = [run for run in runs if run.outcome in {"ok", "nothing", "failed"}]
    errors = [(run.error or "") if run.outcome == "failed" else None for run in called]
    return [(f"{r.kind}.{r.name}", r.version, e) for r, e in zip(called, errors, strict=True)]


class Timing(Record):
    """Seconds of one stage or module; not part of the plan id."""

    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Drop:
    """Why something stopped: the rule by name, its number, the limit it met, one sentence."""

    rule: str
    value: float | None
    limit: float | None
    why: Sentence


@dataclass(frozen=True, slots=True)
class Stop:
    """Something that ended before the plan: where, by which rule, number and limit."""

    symbol: str
    side: Side | None
    stage: Stage
    drop: Drop
    candidate: str | None = None
    module: str | None = None
