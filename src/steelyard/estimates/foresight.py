"""What predictions of volatility have been worth: made at past ends of a quarter as the plan makes
its own, each held against the quarter that came after it.

Prediction at a day: the mix by volatilities of `settings`, correlations of the three years before,
    variance = sum over i, j of a_i R_ij a_j,  a = weight x volatility,
    R = (1 - d) S + d (rho 11' + (1 - rho) I)
with S and its mean rho of that day and the weight d of today: what is left out is how d moved.
With z standardised returns, a' S a is the variance of the series sum_i a_i z_it: no matrix is made.
Realised: the standard deviation of the mix's 63 daily returns, weights held, a year.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from steelyard.arrays import FloatArray, product
from steelyard.estimates.correlation import DAYS_A_YEAR, MIN_RETURNS, STANDSTILL
from steelyard.estimates.estimate import QUARTER, TEN_YEARS, THREE_YEARS
from steelyard.settings import Score

LEAST_QUARTERS = 4
LEAST_COVERED = 0.5
"""Of the mix: of less than half of it the figure would be of another portfolio."""
EIGHT_OF_TEN = (0.1, 0.9)


@dataclass(frozen=True, slots=True)
class Foresight:
    """Realised over predicted volatility in past quarters: how many, the median, and between what
    eight of ten lie; covered is the share of the mix with enough history.
    """

    quarters: int
    median: float
    least: float
    most: float
    covered: float


SpreadsOf = Callable[[FloatArray, bool], FloatArray]
"""The form of `own_spreads`."""


def foresight(
    closes: FloatArray,
    mix: FloatArray,
    settings: Score,
    shrinkage: float,
    spreads_of: SpreadsOf | None = None,
) -> Foresight | None:
    """What predictions for a mix have been worth; None where history is too short to say.

    closes      (T, n)  base currency, NaN = none, the last row is the as-of row
    mix         (n,)    weights, not negative
    shrinkage   weight of the shared correlation today
    spreads_of  who calculates the spreads of each security; None = `own_spreads`
    """
    total = math.fsum(mix.tolist())
    returns = np.diff(np.log(closes[-(TEN_YEARS + 1) :]), axis=0)
    enough = np.isfinite(returns).sum(axis=0) >= MIN_RETURNS + LEAST_QUARTERS * QUARTER
    used = np.flatnonzero(enough & (mix > 0))
    covered = math.fsum(mix[used].tolist())
    if total <= 0 or covered < LEAST_COVERED * total:
        return None
    common = returns[:, used]
    common = common[np.isfinite(common).all(axis=1)]
    spreads = (spreads_of or own_spreads)(common, settings.volatility == "mixed")
    ratios = _ratios(common, mix[used] / covered, spreads, shrinkage)
    if len(ratios) < LEAST_QUARTERS:
        return None
    least, most = np.quantile(ratios, EIGHT_OF_TEN)
    middle = float(np.median(ratios))
    return Foresight(len(ratios), middle, float(least), float(most), covered / total)


def own_spreads(returns: FloatArray, mixed: bool) -> FloatArray:
    """Standard deviation of daily returns before each quarter, (q, 2, k): of three years, and what
    stands for the prediction; of a mixed one the last quarter counts too.

    returns   (t, k), row by row in memory: of two columns and more each is of its security alone
    """
    spreads = [_spreads(before, mixed) for before in _befores(returns)]
    return np.array(spreads).reshape(len(spreads), 2, returns.shape[1])


def _spreads(before: FloatArray, mixed: bool) -> tuple[FloatArray, FloatArray]:
    """Of the returns before a day (t, k): of all of them (k,), and what stands for a prediction."""
    spread = before.std(axis=0, ddof=1)
    if not mixed:
        return spread, spread
    short = before[-QUARTER:].std(axis=0, ddof=1)
    quiet = short * math.sqrt(DAYS_A_YEAR) <= STANDSTILL
    return spread, np.where(quiet, spread, np.sqrt((spread**2 + short**2) / 2))


def _ends(returns: FloatArray) -> range:
    """Where each whole quarter begins that has a year before it, newest first."""
    return range(len(returns) - QUARTER, MIN_RETURNS - 1, -QUARTER)


def _befores(returns: FloatArray) -> Iterator[FloatArray]:
    """What a prediction for each of them is made from."""
    return (returns[max(0, end - THREE_YEARS) : end] for end in _ends(returns))


def _ratios(
    returns: FloatArray, mix: FloatArray, spreads: FloatArray, shrinkage: float
) -> list[float]:
    """Realised over predicted of each whole quarter that has a year before it, newest first."""
    ratios = []
    rows = zip(_ends(returns), _befores(returns), spreads, strict=True)
    for end, before, (spread, sigma) in rows:
        predicted = _predicted(before, mix, spread, sigma, shrinkage)
        realised = np.std(product(returns[end : end + QUARTER], mix), ddof=1)
        if predicted > STANDSTILL:
            ratios.append(float(realised) * math.sqrt(DAYS_A_YEAR) / predicted)
    return ratios


def _predicted(
    before: FloatArray,
    mix: FloatArray,
    spread: FloatArray,
    sigma: FloatArray,
    shrinkage: float,
) -> float:
    """Volatility a year of a mix, from the returns before a day (t, k) and their spreads (k,)."""
    moves = spread * math.sqrt(DAYS_A_YEAR) > STANDSTILL
    per_return = np.where(moves, 1 / np.where(moves, spread, 1.0), 0.0)
    share = mix * sigma
    sample = float(np.var(product(before, share * per_return), ddof=1))
    alone = float(np.sum(share**2))
    count = int(np.count_nonzero(moves))
    shared = float(np.var(product(before, per_return), ddof=1))
    mean = (shared - count) / (count * (count - 1)) if count > 1 else 0.0
    target = mean * float(np.sum(share)) ** 2 + (1 - mean) * alone
    variance = (1 - shrinkage) * sample + shrinkage * target
    return math.sqrt(max(variance, 0.0) * DAYS_A_YEAR)
