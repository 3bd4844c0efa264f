"""Bull, bear, sideways or unknown: told from the history of market indices, never from a setting.

The distance of a level from its moving average enters a regime at one threshold and leaves it at a nearer one, walked
from the oldest session on, so that a market that crosses a single line every other day does not flap. Of several
indices the mean distance counts, on the days on which all that have history so far have a level.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np

from steelyard.market import Index
from steelyard.money import FloatArray
from steelyard.settings import Regime as Rules

Name = Literal["bull", "bear", "sideways", "unknown"]


@dataclass(frozen=True, slots=True)
class Regime:
    """What the market does.

    distance      of the newest level from its moving average, a fraction; None when unknown
    observations  sessions that there were
    """

    name: Name
    distance: float | None = None
    observations: int = 0


UNKNOWN = Regime("unknown")


def detect(index: Index | None, as_of: date, rules: Rules) -> Regime:
    """The regime at a date; nothing after it is looked at, and with fewer than `window` sessions it is unknown."""
    if index is None:
        return UNKNOWN
    levels = index.levels[index.dates <= np.datetime64(as_of, "D")]
    distances = [_distances(column[np.isfinite(column)], rules.window) for column in levels.T]
    known = [distance for distance in distances if len(distance)]
    if not known:
        return Regime("unknown", None, max((int(np.isfinite(column).sum()) for column in levels.T), default=0))
    shortest = min(map(len, known))
    mean = np.mean([distance[-shortest:] for distance in known], axis=0)
    return Regime(_walk(mean, rules), float(mean[-1]), shortest + rules.window - 1)


def _distances(levels: FloatArray, window: int) -> FloatArray:
    """Distance of each level from the mean of the `window` levels up to it; empty where there are fewer."""
    if len(levels) < window:
        return np.zeros(0)
    sums = np.cumsum(np.concatenate([[0.0], levels]))
    means = (sums[window:] - sums[:-window]) / window
    return np.asarray(levels[window - 1 :] / means - 1)


def _walk(distances: FloatArray, rules: Rules) -> Name:
    name: Name = "sideways"
    for distance in distances.tolist():
        if distance >= rules.enter:
            name = "bull"
        elif distance <= -rules.enter:
            name = "bear"
        elif (name == "bull" and distance < rules.leave) or (name == "bear" and distance > -rules.leave):
            name = "sideways"
    return name
