"""What many outcomes come to: their mean, the mean of their worst, and how sure both are."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from steelyard.arrays import FloatArray


@dataclass(frozen=True, slots=True)
class Tail:
    """mean and cvar of outcomes, with the standard error of each."""

    mean: float
    cvar: float
    mean_error: float
    cvar_error: float


def tail_of(outcomes: FloatArray, tail: float) -> Tail:
    """Mean, CVaR and their errors of (pairs, s) outcomes; a row is what one pair of draws gave.

    tail   share of the outcomes whose mean is CVaR, at least one
    The errors are those of means over independent rows: for CVaR of what each outcome moves it by,
    VaR + min(x - VaR, 0) / a.
    Source: CVaR, Rockafellar & Uryasev (2000); influence function of a tail mean, Manistre &
    Hancock (2005).
    """
    mean, worst = _rows(outcomes, 0.0, tail), _rows(outcomes, 1.0, tail)
    return Tail(*(f(rows) for f in (_mean, _error) for rows in (mean, worst)))


def lead_of(first: FloatArray, second: FloatArray, weight: float, tail: float) -> Tail:
    """By how much the value of one list is over another's in the same draws, and its error.

    weight   of CVaR; the mean has the rest
    returns  `mean` and `mean_error`; the others are 0
    """
    ahead = _rows(first, weight, tail) - _rows(second, weight, tail)
    return Tail(_mean(ahead), 0.0, _error(ahead), 0.0)


def _rows(outcomes: FloatArray, weight: float, tail: float) -> FloatArray:
    """(pairs,) what each row brings to (1 - weight) mean + weight CVaR."""
    flat = outcomes.ravel()
    count = max(1, math.ceil(tail * len(flat) - 1e-9))
    var = np.partition(flat, count - 1)[count - 1]
    below = var + np.minimum(outcomes - var, 0.0) * (len(flat) / count)
    return np.asarray(((1 - weight) * outcomes + weight * below).mean(axis=1))


def _mean(rows: FloatArray) -> float:
    return float(rows.mean())


def _error(rows: FloatArray) -> float:
    return float(rows.std(ddof=1)) / math.sqrt(len(rows)) if len(rows) > 1 else 0.0
