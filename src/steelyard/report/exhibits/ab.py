"""Two strategies compared: the differences as bars on one scale, the intervals as bands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from steelyard.report.exhibits.scale import Scale, ceiling, nice_step
from steelyard.runs.bootstrap import Interval
from steelyard.runs.compare import Compared, Comparison, Refused
from steelyard.sentences import cased

LEAST_REACH = 0.01
"""Half width of the scale at least: under one point a difference should look small."""
STEPS = 4
ROWS = 120
"""Snapshots that a page draws; of more the first and the last."""
MEAN = "mean"


@dataclass(frozen=True, slots=True)
class Bar:
    """A less B under one scoring, and between what it lies where that is an interval."""

    value: float
    ends: tuple[float, float] | None = None

    @property
    def sides(self) -> tuple[float, float]:
        """From where to where the bar reaches."""
        return min(self.value, 0.0), max(self.value, 0.0)

    @property
    def kind(self) -> str:
        """Class of its colour."""
        return "loss" if self.value < 0 else "gain"


@dataclass(frozen=True, slots=True)
class Line:
    """A snapshot, or the mean of all: no bars where a side has no plan."""

    label: str
    outcome: str
    bars: tuple[Bar, Bar] | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Differences:
    """Every line on one scale; `hidden` counts the snapshots that are not drawn."""

    lines: tuple[Line, ...]
    mean: Line | None
    scale: Scale
    hidden: int


def differences(comparison: Comparison) -> Differences:
    """What is drawn of a comparison."""
    every = [_line(case) for case in comparison.snapshots]
    mean = _mean(comparison)
    drawn = every if len(every) <= ROWS else [*every[: ROWS // 2], *every[-ROWS // 2 :]]
    reach = max([LEAST_REACH, *(abs(end) for line in (*every, mean) for end in _ends(line))])
    half = ceiling(reach, nice_step(reach, STEPS))
    return Differences(tuple(drawn), mean, Scale(-half, half, 1.0), len(every) - len(drawn))


def _ends(line: Line | None) -> Iterator[float]:
    for bar in line.bars if line is not None and line.bars is not None else ():
        yield from (bar.value, *(bar.ends or ()))


def _line(case: Compared) -> Line:
    pair = case.differences
    bars = None if pair is None else (Bar(pair[0]), Bar(pair[1]))
    return Line(case.label, case.outcome, bars, tuple(refusals(case)))


def refusals(case: Compared) -> Iterator[str]:
    """Why a side has no plan, once where both have the same reason."""
    sides = {"A": case.a, "B": case.b}
    reasons = {name: side.reason for name, side in sides.items() if isinstance(side, Refused)}
    if len(reasons) == len(sides) and len(set(reasons.values())) == 1:
        yield cased(reasons["A"])
        return
    yield from (f"{name}: {cased(reason)}" for name, reason in reasons.items())


def _mean(comparison: Comparison) -> Line | None:
    a, b = comparison.a, comparison.b
    if a is None or b is None or len(comparison.both) <= 1:
        return None
    pairs = (
        (a.score - b.score_under_other, comparison.under_a),
        (a.score_under_other - b.score, comparison.under_b),
    )
    first, second = (Bar(value, _range(interval)) for value, interval in pairs)
    return Line(MEAN, comparison.outcome, (first, second))


def _range(interval: Interval | None) -> tuple[float, float] | None:
    return None if interval is None else (interval.low, interval.high)
