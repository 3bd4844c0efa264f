"""The figure of a promise: how often it was tried, how often broken, and what that says of it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

CONFIDENCE = 0.95
HALVINGS = 60
LINE = re.compile(r"PROMISE (\S+) trials=(\d+) bad=(\d+) ub95=(\S+) seconds=(\S+)(?: note=(.*))?")


@dataclass(frozen=True, slots=True)
class Figure:
    """What one script measured; note: what else is worth saying, on one line."""

    promise: str
    trials: int
    bad: int
    seconds: float = 0.0
    note: str = ""

    def __str__(self) -> str:
        note = f" note={self.note}" if self.note else ""
        bound = f"{upper_bound(self.trials, self.bad):.2g}"
        counts = f"trials={self.trials} bad={self.bad} ub95={bound}"
        return f"PROMISE {self.promise} {counts} seconds={self.seconds:.1f}{note}"


def upper_bound(trials: int, bad: int) -> float:
    """The rate that, were it any higher, would show more breaches in 95 of 100 such runs.

    Exact (Clopper and Pearson, one-sided); without a breach about 3 / trials.

    >>> round(upper_bound(200, 0), 4), round(upper_bound(10, 3), 3)
    (0.0149, 0.607)
    """
    if bad >= trials:
        return 1.0
    low, high = bad / trials, 1.0
    for _ in range(HALVINGS):
        rate = (low + high) / 2
        low, high = (rate, high) if _at_most(bad, trials, rate) > 1 - CONFIDENCE else (low, rate)
    return high


def _at_most(bad: int, trials: int, rate: float) -> float:
    """Probability of at most so many breaches."""
    logs = (
        math.lgamma(trials + 1) - math.lgamma(k + 1) - math.lgamma(trials - k + 1)
        + k * math.log(rate) + (trials - k) * math.log1p(-rate)
        for k in range(bad + 1)
    )  # fmt: skip
    return math.fsum(map(math.exp, logs))


def read_line(text: str) -> Figure | None:
    """The figure of a line that was printed; None for any other line."""
    match = LINE.fullmatch(text.strip())
    if match is None:
        return None
    name, trials, bad, _, seconds, note = match.groups()
    return Figure(name, int(trials), int(bad), float(seconds), note or "")
