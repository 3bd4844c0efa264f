"""Lines and bands over time or over moves of the market: where each stands on a chart.

x in percent of the plot, y in px, so that one drawing fits every width; the numbers of a chart
always stand in a table beside it too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from steelyard.report.exhibits.alternatives import Tick
from steelyard.report.exhibits.scale import WHOLE, nice_step
from steelyard.sentences import MINUS, SPACE

Kind = Literal["plan", "plan-edge", "hold", "hold-edge"]
Band = Literal["fan-wide", "fan-mid"]
Spot = tuple[float, float]

TOP, BOTTOM = 12.0, 30.0
"""Room over and under the plot, px."""
LINE = 14.0
"""Height of a label, px."""
MOST_TICKS = 5
THOUSAND, MILLION = 1e3, 1e6


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line: a path in the plot, and its points as (percent of the plot, px)."""

    kind: Kind
    path: str
    dots: tuple[Spot, ...]


@dataclass(frozen=True, slots=True)
class Area:
    """What lies between two lines."""

    kind: Band
    path: str


@dataclass(frozen=True, slots=True)
class Label:
    """A word at the right end of a line."""

    y: float
    text: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Plot:
    """A chart.

    left, right   room beside the plot, percent of the width
    upwards       ticks of the left axis, px; across those of the lower one, percent of the plot
    name, description   title and description, for who does not see it
    """

    height: float
    left: float
    right: float
    areas: tuple[Area, ...]
    strokes: tuple[Stroke, ...]
    labels: tuple[Label, ...]
    upwards: tuple[Tick, ...]
    across: tuple[Tick, ...]
    title: str
    name: str
    description: str

    @property
    def width(self) -> float:
        """Of the plot, percent of all."""
        return WHOLE - self.left - self.right

    def x(self, at: float) -> float:
        """Percent of the plot as percent of all."""
        return self.left + at * self.width / WHOLE


@dataclass(frozen=True, slots=True)
class Axis:
    """The upward axis: it need not begin at 0, its ticks say where it does."""

    low: float
    high: float
    step: float
    height: float

    @classmethod
    def over(cls, values: Iterable[float], height: float) -> Axis:
        """An axis from tick to tick that covers the values."""
        every = list(values)
        low, high = min(every), max(every)
        step = nice_step((high - low) or abs(high) or 1.0, MOST_TICKS)
        bottom = step * (low // step)
        return cls(bottom, max(bottom + step, step * -(-high // step)), step, height)

    def y(self, value: float) -> float:
        """px from the top."""
        share = (value - self.low) / (self.high - self.low)
        return TOP + (self.height - TOP - BOTTOM) * (1 - share)

    def ticks(self) -> list[float]:
        """Its marks, from the lowest."""
        count = round((self.high - self.low) / self.step)
        return [self.low + self.step * n for n in range(count + 1)]


def path_of(spots: Sequence[Spot], *, close: bool = False) -> str:
    """A path through spots.

    >>> path_of([(0, 10), (50, 7.5)])
    'M0,10.0L50,7.5'
    """
    return "M" + "L".join(f"{x:g},{y:.1f}" for x, y in spots) + ("Z" if close else "")


def stroke(kind: Kind, spots: Sequence[Spot]) -> Stroke:
    """A line through spots."""
    return Stroke(kind, path_of(spots), tuple(spots))


def area(kind: Band, lower: Sequence[Spot], upper: Sequence[Spot]) -> Area:
    """What lies between two lines."""
    return Area(kind, path_of([*upper, *reversed(lower)], close=True))


def apart(labels: Iterable[Label], height: float) -> tuple[Label, ...]:
    """Labels moved as little as keeps them from covering each other, the highest first."""
    ordered = sorted(labels, key=lambda label: label.y)
    groups: list[list[float]] = []
    for label in ordered:
        groups.append([label.y])
        while len(groups) > 1 and _first(groups[-1]) < _first(groups[-2]) + LINE * len(groups[-2]):
            last = groups.pop()
            groups[-1] += last
    places = [_first(group) + LINE * n for group in groups for n in range(len(group))]
    shift = max(0.0, TOP - min(places, default=TOP))
    shift -= max(0.0, max(places, default=0.0) + shift - (height - BOTTOM + TOP / 2))
    pairs = zip(places, ordered, strict=True)
    return tuple(Label(y + shift, label.text, label.kind) for y, label in pairs)


def _first(group: Sequence[float]) -> float:
    """Where the first of some labels stands that follow each other around their middle."""
    return sum(group) / len(group) - LINE * (len(group) - 1) / 2


def brief(amount: float) -> str:
    """An amount on an axis.

    >>> brief(150_000), brief(2_500_000), brief(80)
    ('150\\xa0k', '2.5\\xa0m', '80')
    """
    for unit, name in ((MILLION, "m"), (THOUSAND, "k")):
        if abs(amount) >= unit:
            return f"{amount / unit:,.4g}{SPACE}{name}".replace("-", MINUS)
    return f"{amount:,.4g}".replace("-", MINUS)
