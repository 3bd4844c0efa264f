"""An axis of time on which only what happened takes room: long gaps are folded, and say how long.

In: moments. Out: places in percent of the width, ticks and folds with their words.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

GAP = timedelta(minutes=30)
"""A longer stretch without anything is folded."""
FOLD = 4.0
"""Width of a fold, percent."""
MARGIN = 1.0
MOST_TICKS = 5
STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
MINUTE, HOUR = 60, 3600


@dataclass(frozen=True, slots=True)
class Stretch:
    """Time in which something happened, drawn from x to x + width."""

    begin: datetime
    end: datetime
    x: float
    width: float

    def at(self, moment: datetime) -> float:
        """Place of a moment of it."""
        span = (self.end - self.begin).total_seconds()
        share = (moment - self.begin).total_seconds() / span if span else 0.0
        return self.x + self.width * min(1.0, max(0.0, share))


@dataclass(frozen=True, slots=True)
class Tick:
    """A place with its words: a time of the day, or how long a fold is."""

    x: float
    text: str


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """Where moments are; `folds` are gaps that were left out."""

    stretches: tuple[Stretch, ...]
    ticks: tuple[Tick, ...]
    folds: tuple[Tick, ...]

    def at(self, moment: datetime) -> float:
        """Place of a moment; of one in a fold, its nearer edge."""
        for stretch in self.stretches:
            if moment <= stretch.end:
                return stretch.at(max(moment, stretch.begin))
        return self.stretches[-1].at(moment)


def time_axis(moments: Iterable[datetime]) -> TimeAxis | None:
    """The axis of some moments; None of none."""
    times = sorted(set(moments))
    if not times:
        return None
    spans = _spans(times)
    room = 100 - 2 * MARGIN - FOLD * (len(spans) - 1)
    whole = sum((end - begin).total_seconds() for begin, end in spans)
    stretches, x = [], MARGIN
    for begin, end in spans:
        length = (end - begin).total_seconds()
        width = room * length / whole if whole else room / len(spans)
        stretches.append(Stretch(begin, end, x, width))
        x += width + FOLD
    return TimeAxis(tuple(stretches), tuple(_ticks(stretches, whole)), tuple(_folds(stretches)))


def _spans(times: Sequence[datetime]) -> list[tuple[datetime, datetime]]:
    spans, begin = [], times[0]
    for before, after in itertools.pairwise(times):
        if after - before > GAP:
            spans.append((begin, before))
            begin = after
    return [*spans, (begin, times[-1])]


def _ticks(stretches: Sequence[Stretch], whole: float) -> Iterable[Tick]:
    step = next((s for s in STEPS_S if whole / s <= MOST_TICKS), STEPS_S[-1])
    form = "%H:%M:%S" if step < MINUTE else "%H:%M"
    for stretch in stretches:
        second = -(-stretch.begin.timestamp() // step) * step
        while second <= stretch.end.timestamp():
            moment = datetime.fromtimestamp(second, tz=stretch.begin.tzinfo)
            yield Tick(stretch.at(moment), f"{moment:{form}}")
            second += step


def _folds(stretches: Sequence[Stretch]) -> Iterable[Tick]:
    for before, after in itertools.pairwise(stretches):
        middle = (before.x + before.width + after.x) / 2
        yield Tick(middle, length((after.begin - before.end).total_seconds()))


def length(seconds: float) -> str:
    """How long, in the two largest units.

    >>> length(8040), length(95), length(2 * 86400)
    ('2 h 14 min', '1 min 35 s', '2 d 0 h')
    """
    whole = int(seconds)
    units = (("d", 24 * HOUR), ("h", HOUR), ("min", MINUTE), ("s", 1))
    for (name, size), (next_name, next_size) in itertools.pairwise(units):
        if whole >= size:
            return f"{whole // size} {name} {whole % size // next_size} {next_name}"
    return f"{whole} s"
