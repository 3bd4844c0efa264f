"""What price history says of each security: expected return, volatility, quality, drawdown,
correlation.

Every figure is a pure function of the closes, shrunk towards a fixed prior, and none is ever NaN:
where history is too short or does not move, the neutral value of the settings stands and `missing`
says so.

Windows count rows of the table back from its last row, the as-of row: ten years (2,520 returns) for
the expected return and for quality, five (1,260) for the Sortino ratio and the drawdown, three
(756) for volatility and correlation. Rows before the ten years are never looked at.

Gaps. Inside a window a security has a return between each two consecutive closes of its own, so a
holiday that only its exchange keeps makes one longer return and no hole. Correlation alone needs
returns of the same days: it uses rows in which every known security has a close, and had one in the
row before.

A metric is known if its window holds at least 252 returns that move: constant prices are a stale or
invented feed, not a security without risk.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from steelyard.arrays import BoolArray, FloatArray, gram
from steelyard.errors import InputError
from steelyard.settings import Score

T = TypeVar("T", bound=np.generic)

METRICS = ("expected_return", "volatility", "quality", "drawdown", "correlation")

DAYS_A_YEAR = 252
TEN_YEARS = 10 * DAYS_A_YEAR
FIVE_YEARS = 5 * DAYS_A_YEAR
THREE_YEARS = 3 * DAYS_A_YEAR
MIN_RETURNS = DAYS_A_YEAR

PRIOR_SPREAD = 0.03  # tau: how far true expected returns are thought to lie from the prior, a year

MONTH = 21
LEAST_FOR_CONSISTENCY = (
    2 * DAYS_A_YEAR
)  # one year of 12-month returns needs two years of daily ones
NEAR_HIGH = 0.9
SORTINO_OFFSET, SORTINO_WIDTH = 0.5, 2.0  # a ratio of -0.5 maps to 0, 1.5 to 1
QUALITY_SHARES = (0.4, 0.3, 0.3)  # consistency, Sortino, near-high
QUALITY_SHARES_SHORT = (0.0, 0.5, 0.5)
QUALITY_PATIENCE = 5.0  # years of history at which quality counts half
FUNDAMENTAL_SHARE = 0.5

STANDSTILL = 1e-8  # a year; volatility at or under it is rounding, not movement
TABLE = 2  # dimensions
SAME_MATRIX = 1e-18  # squared distance under which sample and target matrix are one
FEWEST_FOR_MEAN = 2  # securities with a correlation of their own
MISSING_CORRELATION_FACTORS = (1.0, 0.5, 0.25, 0.0)
LEAST_EIGENVALUE = 1e-10


@dataclass(frozen=True, slots=True)
class Estimates:
    """Figures of n securities, in the order of the columns they came from; none is NaN, none can be
    written to.

    expected_return (n,)    a year, shrunk towards the prior
    volatility      (n,)    standard deviation a year
    quality         (n,)    0..1; smoothness of the past, not a promise of return
    drawdown        (n,)    0..1, worst fall over five years
    correlation     (n, n)  shrunk; symmetric, unit diagonal, positive semidefinite
    shrinkage       weight of the constant-correlation target in `correlation`; 0 if nothing was
                    estimated
    missing         metric -> (n,), True where the neutral value stands; the keys are `METRICS`, the
                    five fields above. Quality with a fundamental score is not missing, whatever the
                    history. A security missing in `correlation` has the mean known correlation with
                    all others.
    """

    expected_return: FloatArray
    volatility: FloatArray
    quality: FloatArray
    drawdown: FloatArray
    correlation: FloatArray
    shrinkage: float
    missing: Mapping[str, BoolArray]


def estimate(
    closes: FloatArray,
    *,
    settings: Score,
    dividend_yield: FloatArray,
    fundamental_quality: FloatArray,
    adjusted: bool,
) -> Estimates:
    """Estimate all five metrics of n securities from T daily rows.

    closes               (T, n)  base currency, oldest row first, the last row is the as-of row; NaN
                         = no close
    dividend_yield       (n,)    fraction a year, NaN = unknown and taken as neutral; used only if
                         closes are not adjusted
    fundamental_quality  (n,)    0..1, NaN = unknown; where known, it is half of quality
    adjusted             closes contain dividends
    Raises InputError for a close that is zero, negative or infinite, ValueError for shapes that do
    not fit.
    """
    rows = _rows_of_securities(closes)
    count = len(rows)
    for name, values in (
        ("dividend_yield", dividend_yield),
        ("fundamental_quality", fundamental_quality),
    ):
        if values.shape != (count,):
            raise ValueError(f"{name} has shape {values.shape}, but closes have {count} columns")
    neutral = settings.neutral
    yields = (
        np.zeros(count)
        if adjusted
        else np.where(np.isnan(dividend_yield), neutral.yield_, dividend_yield)
    )

    figures = np.full((4, count), np.nan)
    for i, row in enumerate(rows):
        ten, five, three = (
            _available(row[-(window + 1) :]) for window in (TEN_YEARS, FIVE_YEARS, THREE_YEARS)
        )
        figures[:, i] = (
            expected_return(ten, yields[i], settings.risk_free + settings.equity_premium),
            volatility(three),
            quality(ten, five, settings.risk_free, neutral.quality),
            drawdown(_available(row[-FIVE_YEARS:])),
        )
    figures[2] = _with_fundamentals(figures[2], fundamental_quality, neutral.quality)
    usable = np.isfinite(figures)
    mu, sigma, promise, fall = np.where(
        usable,
        figures,
        np.array([[neutral.mu], [neutral.vol], [neutral.quality], [neutral.drawdown]]),
    )
    related, returns = _common_returns(rows[:, -(THREE_YEARS + 1) :])
    shrunk, shrinkage = shrunk_correlation(returns)
    return Estimates(
        expected_return=_closed(mu),
        volatility=_closed(sigma),
        quality=_closed(promise),
        drawdown=_closed(fall),
        correlation=_closed(complete_correlation(shrunk, related, neutral.corr)),
        shrinkage=shrinkage,
        missing={
            name: _closed(flags) for name, flags in zip(METRICS, (*~usable, ~related), strict=True)
        },
    )


def expected_return(closes: FloatArray, dividend_yield: float, prior: float) -> float:
    """Expected return a year: the past growth rate, drawn to a known prior by how uncertain it is;
    NaN if unknown.

    closes          (k,)  one security's closes over up to ten years, without gaps
    dividend_yield  a year, added to the growth of closes that leave dividends out; else 0
    prior           a year, the same for all securities, so that none depends on another
    Formula: prior + s (growth - prior), s = tau^2 / (tau^2 + variance / years). Monotone in growth.
    Source: posterior mean with a normal prior; James & Stein (1961) without pooling.
    """
    spread = volatility(closes)
    if math.isnan(spread):
        return math.nan
    years = (len(closes) - 1) / DAYS_A_YEAR
    growth = float(np.expm1((np.log(closes[-1]) - np.log(closes[0])) / years)) + dividend_yield
    trust = PRIOR_SPREAD**2 / (PRIOR_SPREAD**2 + spread**2 / years)
    return prior + trust * (growth - prior)


def volatility(closes: FloatArray) -> float:
    """Standard deviation (n - 1) of daily log returns, a year; NaN with under 252 returns or none
    that moves.

    closes  (k,)  one security's closes over the window, without gaps
    """
    if len(closes) <= MIN_RETURNS:
        return math.nan
    spread = float(np.std(_log_returns(closes), ddof=1)) * math.sqrt(DAYS_A_YEAR)
    return spread if spread > STANDSTILL else math.nan


def quality(
    ten_years: FloatArray, five_years: FloatArray, risk_free: float, neutral: float
) -> float:
    """Smoothness of the past in 0..1, drawn to the neutral value while history is short; NaN if
    unknown.

    ten_years   (k,)  one security's closes over up to ten years, without gaps
    five_years  (j,)  the last of them, over up to five years
    risk_free   a year
    It finds calmer holdings, not better-paid ones: the glossary says so.
    """
    if math.isnan(volatility(five_years)):
        return math.nan
    parts = (
        _consistency(ten_years),
        _sortino_score(five_years, risk_free),
        _share_near_high(ten_years),
    )
    returns = len(ten_years) - 1
    shares = QUALITY_SHARES if returns >= LEAST_FOR_CONSISTENCY else QUALITY_SHARES_SHORT
    raw = math.fsum(share * part for share, part in zip(shares, parts, strict=True))
    years = returns / DAYS_A_YEAR
    return neutral + years / (years + QUALITY_PATIENCE) * (raw - neutral)


def drawdown(closes: FloatArray) -> float:
    """Worst fall from a running high, as a fraction; NaN with under 252 returns or none that moves.

    closes  (k,)  one security's closes over the window, without gaps
    """
    if math.isnan(volatility(closes)):
        return math.nan
    return float(np.max(1 - closes / np.maximum.accumulate(closes)))


def shrunk_correlation(returns: FloatArray) -> tuple[FloatArray, float]:
    """Correlation shrunk towards the same correlation for every pair, and the weight of that
    target.

    returns   (k, m)  one security a row, none constant; m may be 0 only if k is
    the answer        (k, k) symmetric, unit diagonal, positive semidefinite; and a number in 0..1
    Source: Ledoit & Wolf, Honey, I Shrunk the Sample Covariance Matrix (2004), on standardised
    returns.
    """
    count, days = returns.shape
    if count < FEWEST_FOR_MEAN:
        return np.eye(count), 0.0
    z = (returns - returns.mean(axis=1, keepdims=True)) / returns.std(axis=1, keepdims=True)
    sample = gram(z) / days
    mean = _mean_of_pairs(sample)
    target = np.full_like(sample, mean)
    for matrix in (sample, target):
        np.fill_diagonal(matrix, 1.0)
    misfit = float(np.sum((sample - target) ** 2))
    if misfit <= SAME_MATRIX:  # always so for two securities
        return sample, 0.0
    # only sums over all pairs are asked for, and those are sums over days: no matrix is made
    squares = z * z
    fourth = float(np.sum(squares * squares)) / days
    # pi of each pair: mean of (z_i z_j - s_ij)^2
    noise = float(np.sum(squares.sum(axis=0) ** 2)) / days - float(np.sum(sample**2))
    own = fourth - count
    # how the error of a pair moves with that of its variances
    cubes = (squares * z).sum(axis=0)
    shared = float(np.sum(cubes * z.sum(axis=0))) / days - float(np.sum(sample))
    target_noise = own + mean * (shared - own)
    weight = min(1.0, max(0.0, (noise - target_noise) / (misfit * days)))
    return weight * target + (1 - weight) * sample, weight


def complete_correlation(known_matrix: FloatArray, usable: BoolArray, neutral: float) -> FloatArray:
    """The matrix of all n securities: each missing one gets the mean known correlation with every
    other.

    known_matrix  (k, k)  of the known securities
    usable        (n,)    which they are; k are True
    neutral       stands for the mean if fewer than two are known
    returns       (n, n)  symmetric, unit diagonal; the mean is lowered until the matrix is positive
                  definite
    """
    mean = _mean_of_pairs(known_matrix) if len(known_matrix) >= FEWEST_FOR_MEAN else neutral
    everywhere = np.ix_(usable, usable)
    matrix = np.eye(len(usable))
    matrix[everywhere] = known_matrix
    if usable.all():
        return matrix
    for factor in MISSING_CORRELATION_FACTORS:
        matrix = np.full((len(usable), len(usable)), factor * mean)
        np.fill_diagonal(matrix, 1.0)
        matrix[everywhere] = known_matrix
        if np.linalg.eigvalsh(matrix)[0] >= LEAST_EIGENVALUE:
            break
    return matrix


def _rows_of_securities(closes: FloatArray) -> FloatArray:
    """The closes of the last ten years, (n, up to 2,521), one security after the other in memory.

    The copy gives sums one order whatever the layout and length of the caller's table, so that
    older or later rows cannot change a last bit.
    """
    if closes.ndim != TABLE:
        raise ValueError(f"closes must be (T, n), not of shape {closes.shape}")
    rows = np.array(closes[-(TEN_YEARS + 1) :].T, dtype=np.float64, order="C")
    bad = int(np.count_nonzero((rows <= 0) | np.isinf(rows)))
    if bad:
        raise InputError(
            f"{bad} closes of the last ten years are zero, negative or infinite; a close is a "
            "positive number. Nothing was calculated: correct the price file and plan again.",
            code="closes_not_positive",
            value=bad,
            limit=0,
            hint="correct the price file and plan again",
        )
    return rows


def _closed(array: npt.NDArray[T]) -> npt.NDArray[T]:
    array.setflags(write=False)
    return array


def _available(row: FloatArray) -> FloatArray:
    return row[~np.isnan(row)]


def _log_returns(closes: FloatArray) -> FloatArray:
    return np.diff(np.log(closes))


def _consistency(closes: FloatArray) -> float:
    """Share of 12-month returns over 0, sampled monthly back from the last close; 0 without any."""
    ends = np.arange(len(closes) - 1, DAYS_A_YEAR - 1, -MONTH)
    return float(np.mean(closes[ends] > closes[ends - DAYS_A_YEAR])) if len(ends) else 0.0


def _sortino_score(closes: FloatArray, risk_free: float) -> float:
    """Sortino ratio over the risk-free rate, mapped to 0..1. Sortino & van der Meer (1991)."""
    hurdle = math.log1p(risk_free) / DAYS_A_YEAR
    over = _log_returns(closes) - hurdle
    downside = math.sqrt(float(np.mean(np.minimum(over, 0.0) ** 2)))
    if downside == 0:  # prices move and never fall behind: no ratio, and none better
        return 1.0
    ratio = float(np.mean(over)) / downside * math.sqrt(DAYS_A_YEAR)
    return min(1.0, max(0.0, (ratio + SORTINO_OFFSET) / SORTINO_WIDTH))


def _share_near_high(closes: FloatArray) -> float:
    return float(np.mean(closes >= NEAR_HIGH * np.maximum.accumulate(closes)))


def _with_fundamentals(
    from_prices: FloatArray, fundamental: FloatArray, neutral: float
) -> FloatArray:
    """Half of each where a fundamental score is known; a missing price half is neutral."""
    prices = np.where(np.isnan(from_prices), neutral, from_prices)
    both = (1 - FUNDAMENTAL_SHARE) * prices + FUNDAMENTAL_SHARE * fundamental
    return np.where(np.isnan(fundamental), from_prices, both)


def _common_returns(rows: FloatArray) -> tuple[BoolArray, FloatArray]:
    """Which securities can be correlated, and their returns on the days that all of them have.

    rows        (n, d)  closes of three years, NaN = none
    the answer          (n,) usable; and (k, m) their returns, m >= 252, none constant

    Securities whose days do not overlap cannot be compared. Then those with the fewest returns go,
    all of equal count together, so that the order of the columns does not matter.
    """
    returns = np.diff(np.log(rows), axis=1)
    have = ~np.isnan(returns)
    counts = have.sum(axis=1)
    usable = counts >= MIN_RETURNS
    while usable.any():
        days = have[usable].all(axis=0)
        if np.count_nonzero(days) < MIN_RETURNS:
            usable &= counts > counts[usable].min()
            continue
        common = returns[np.ix_(usable, days)]
        moves = common.std(axis=1) * math.sqrt(DAYS_A_YEAR) > STANDSTILL
        if moves.all():
            return usable, common
        usable[usable] = moves
    return usable, np.empty((0, 0))


def _mean_of_pairs(matrix: FloatArray) -> float:
    """Mean of the entries off the diagonal of a matrix of at least two rows."""
    count = len(matrix)
    return float(np.sum(matrix) - np.trace(matrix)) / (count * (count - 1))
