"""Bull, bear, sideways or unknown: told from the history of market indices, never from a setting.

The distance of a level from its moving average enters a regime at one threshold and leaves it at a
nearer one, walked from the oldest session on, so that a market that crosses a single line every
other day does not flap. Of several indices the mean distance counts, on the days of which all that
have enough history have a level; an index that is no longer followed does not count.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np

from steelyard.ages import DateArray, weekdays
from steelyard.arrays import BoolArray, FloatArray
from steelyard.market import Index
from steelyard.sentences import Sentence, say
from steelyard.settings import Regime as Rules

Name = Literal["bull", "bear", "sideways", "unknown"]


@dataclass(frozen=True, slots=True)
class Regime:
    """What the market does.

    distance      of the newest level from its moving average, a fraction; None when unknown
    observations  sessions that it is told from
    why           why it is unknown; None when it is known
    """

    name: Name
    distance: float | None = None
    observations: int = 0
    why: Sentence | None = None


UNKNOWN = Regime("unknown", why=say("no history of an index was given (--index)"))


def detect(index: Index | None, as_of: date, rules: Rules, max_age: int) -> Regime:
    """The regime at a date; nothing after it is looked at.

    max_age   oldest usable level, in weekdays before the date
    It is unknown with fewer than `window` sessions, and where every index is too old.
    """
    if index is None:
        return UNKNOWN
    past = index.dates <= np.datetime64(as_of, "D")
    dates, levels = index.dates[past], index.levels[past]
    present = np.isfinite(levels)
    newest = [dates[column][-1:] for column in present.T]
    fresh = [k for k, day in enumerate(newest) if (weekdays(day, as_of) <= max_age).any()]
    if not fresh:
        return Regime(
            "unknown", None, _count(present), _stale(dates[present.any(axis=1)], as_of, max_age)
        )
    long = [k for k in fresh if present[:, k].sum() >= rules.window]
    shared = present[:, long].all(axis=1) if long else np.zeros(len(dates), dtype=np.bool_)
    if shared.sum() < rules.window:
        observations = int(shared.sum()) if long else _count(present[:, fresh])
        why = say(
            "the index has {observations:count} usable levels up to that day and {window:count} "
            "are needed (regime.window)",
            observations=observations,
            window=rules.window,
        )
        return Regime("unknown", None, observations, why)
    mean = np.mean([_distances(levels[shared, k], rules.window) for k in long], axis=0)
    return Regime(_walk(mean, rules), float(mean[-1]), int(shared.sum()))


def _count(present: BoolArray) -> int:
    """Levels of the index that has most."""
    return int(present.sum(axis=0).max(initial=0))


def _stale(dates: DateArray, as_of: date, max_age: int) -> Sentence:
    if not len(dates):
        return say("the index has no level up to that day")
    newest: date = dates[-1].astype(object)
    return say(
        "the newest level of the index is of {newest:date}, {age:count} weekdays before; at most "
        "{limit:count} are allowed "
        "(limits.max_stale_sessions)",
        newest=newest,
        age=weekdays(newest, as_of),
        limit=max_age,
    )


def _distances(levels: FloatArray, window: int) -> FloatArray:
    """Distance of each level from the mean of the `window` levels up to it, from the first on."""
    sums = np.cumsum(np.concatenate([[0.0], levels]))
    return np.asarray(levels[window - 1 :] / ((sums[window:] - sums[:-window]) / window) - 1)


def _walk(distances: FloatArray, rules: Rules) -> Name:
    name: Name = "sideways"
    for distance in distances.tolist():
        if distance >= rules.enter:
            name = "bull"
        elif distance <= -rules.enter:
            name = "bear"
        elif (name == "bull" and distance < rules.leave) or (
            name == "bear" and distance > -rules.leave
        ):
            name = "sideways"
    return name
