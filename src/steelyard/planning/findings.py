"""What the steps report besides their results: stops, problems, warnings, coverage, runs, timings.

Append only, and nothing in it steers a plan: what a step needs from another it gets as a result.
`document` writes it down at the end.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from steelyard.notices import Coverage, ModuleRun, Notice, Stop, Timing
from steelyard.telemetry.events import BestSequenceUpdated, Event, Observe

HERE = "local"
"""Where a batch was evaluated that no service was asked for."""

SCORE_DIGITS = 12
"""Decimals of a gain that is told: two calculations of one differ behind them."""


@dataclass
class Findings:
    """The record of one plan in the making; `clock` only times, `observe` is told each event.

    batches   where -> how many batches were evaluated there
    carried   step -> the service that did it; nothing where no service was asked
    """

    observe: Observe | None = None
    clock: Callable[[], float] = time.perf_counter
    stops: list[Stop] = field(default_factory=list)
    problems: list[Notice] = field(default_factory=list)
    warnings: list[Notice] = field(default_factory=list)
    coverage: list[Coverage] = field(default_factory=list)
    runs: list[ModuleRun] = field(default_factory=list)
    timings: list[Timing] = field(default_factory=list)
    batches: Counter[str] = field(default_factory=Counter)
    carried: dict[str, str] = field(default_factory=dict)
    _lacking: set[tuple[str, str]] = field(default_factory=set, repr=False)
    _best: float = field(default=0.0, repr=False)

    def tell(self, event: Event) -> None:
        """Pass an event on to whoever observes."""
        if self.observe is not None:
            self.observe(event)

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Note how long the block took."""
        start = self.clock()
        try:
            yield
        finally:
            self.timings.append(Timing(name=name, seconds=round(self.clock() - start, 6)))

    def better(self, net: float, orders: int) -> None:
        """Tell of a sequence that gains more than every one before."""
        new = round(net, SCORE_DIGITS)
        if new > self._best:
            self.tell(BestSequenceUpdated(self._best, new, orders))
            self._best = new

    def lacks(self, coverage: Coverage) -> None:
        """A metric was missing; the first to say so of a symbol is written down."""
        metric = coverage.symbol, coverage.metric
        if metric not in self._lacking:
            self._lacking.add(metric)
            self.coverage.append(coverage)
