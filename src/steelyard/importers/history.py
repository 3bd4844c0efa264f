"""Temporary until the branch of histories is merged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from steelyard.ages import DateArray
from steelyard.arrays import FloatArray
from steelyard.notices import Notice


@dataclass
class History:
    dates: DateArray
    closes: FloatArray
    notices: tuple[Notice, ...] = ()


def split_adjusted(
    dates: DateArray, closes: FloatArray, splits: Mapping[date, float]
) -> FloatArray:
    return closes


def last_change(closes: FloatArray) -> tuple[int, int] | None:
    rows = np.flatnonzero(~np.isnan(closes))
    return (int(rows[-2]), int(rows[-1])) if len(rows) > 1 else None


def judged_history(
    dates: DateArray,
    closes: FloatArray,
    symbols: Sequence[str],
    splits: Mapping[str, Mapping[date, float]],
) -> History:
    return History(dates, closes)
