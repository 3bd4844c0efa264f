"""What price history says of each security: expected return, volatility, quality, drawdown,
correlation.

Every figure is a pure function of the closes, shrunk towards a fixed prior, and none is ever NaN:
where history is too short or does not move, the neutral value of the settings stands and `missing`
says so.

Windows count rows of the table back from its last row, the as-of row: ten years (2,520 returns) for
the expected return and for quality, five (1,260) for the Sortino ratio and the drawdown, three
(756) for volatility and correlation, a quarter (63) for the other half of volatility. Rows before
the ten years are never looked at.

Gaps. Inside a window a security has a return between each two consecutive closes of its own, so a
holiday that only its exchange keeps makes one longer return and no hole. Correlation alone needs
returns of the same days: it uses rows in which every known security has a close, and had one in the
row before.

A metric is known if its window holds at least 252 returns that move: constant prices are a stale or
invented feed, not a security without risk.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from steelyard.arrays import BoolArray, Factored, FloatArray, IntArray, Matrix, frozen
from steelyard.errors import InputError
from steelyard.estimates.correlation import (
    DAYS_A_YEAR,
    MIN_RETURNS,
    STANDSTILL,
    correlation_of,
)
from steelyard.settings import Score

METRICS = ("expected_return", "volatility", "quality", "drawdown", "correlation")

TEN_YEARS = 10 * DAYS_A_YEAR
FIVE_YEARS = 5 * DAYS_A_YEAR
THREE_YEARS = 3 * DAYS_A_YEAR
QUARTER = DAYS_A_YEAR // 4
WINDOWS = (TEN_YEARS + 1, FIVE_YEARS + 1, FIVE_YEARS, THREE_YEARS + 1, QUARTER + 1)
"""Rows of closes for ten years of returns, five, the drawdown, three, and a quarter."""
LEAST_FOR_QUARTER = QUARTER // 3  # returns, as many of it as a year is of the three
BLOCK = 128
"""Securities looked at together: so few that their closes stay near the processor."""

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
TABLE = 2  # dimensions


FiguresOf = Callable[[FloatArray, FloatArray, Score], FloatArray]
"""The form of `own_figures`."""


@dataclass(frozen=True, slots=True)
class Estimates:
    """Figures of n securities, in the order of the columns they came from; none is NaN, none can be
    written to.

    expected_return (n,)    a year: as stated, else the prior, or past growth shrunk towards it
    volatility      (n,)    standard deviation a year
    quality         (n,)    0..1; smoothness of the past, not a promise of return
    drawdown        (n,)    0..1, worst fall over five years
    correlation     (n, n)  shrunk; symmetric, unit diagonal, positive semidefinite; of more than
                    `LARGEST_DENSE` securities as factors
    shrinkage       weight of the constant-correlation target in `correlation`; 0 if nothing was
                    estimated
    missing         metric -> (n,), True where the neutral value stands; the keys are `METRICS`, the
                    five fields above. Quality with a fundamental score is not missing, whatever the
                    history; nor is an expected return that is stated, or that nobody was asked
                    for. A security missing in `correlation` has the mean known correlation with all
                    others.
    """

    expected_return: FloatArray
    volatility: FloatArray
    quality: FloatArray
    drawdown: FloatArray
    correlation: Matrix
    shrinkage: float
    missing: Mapping[str, BoolArray]


def estimate(
    closes: FloatArray,
    *,
    settings: Score,
    dividend_yield: FloatArray,
    fundamental_quality: FloatArray,
    stated_return: FloatArray,
    adjusted: bool,
    figures_of: FiguresOf | None = None,
) -> Estimates:
    """Estimate all five metrics of n securities from T daily rows.

    closes               (T, n)  base currency, oldest row first, the last row is the as-of row; NaN
                         = no close
    dividend_yield       (n,)    fraction a year, NaN = unknown and taken as neutral; used only if
                         closes are not adjusted
    fundamental_quality  (n,)    0..1, NaN = unknown; where known, it is the quality
    stated_return        (n,)    expected return a year, NaN = none is stated; where one is, it
                         stands
    adjusted             closes contain dividends
    figures_of           who calculates the figures of each security; None = `own_figures`
    Raises InputError for a close that is zero, negative or infinite, ValueError for shapes that do
    not fit.
    """
    _check(
        closes,
        dividend_yield=dividend_yield,
        fundamental_quality=fundamental_quality,
        stated_return=stated_return,
    )
    neutral = settings.neutral
    unknown = np.isnan(dividend_yield) & (not adjusted)
    yields = np.where(unknown, neutral.yield_, 0.0 if adjusted else dividend_yield)
    figures = (figures_of or own_figures)(closes[-(TEN_YEARS + 1) :], yields, settings)
    figures[2] = np.where(np.isnan(fundamental_quality), figures[2], fundamental_quality)
    figures[0] = np.where(np.isnan(stated_return), figures[0], stated_return)
    usable = np.isfinite(figures)
    mu, sigma, promise, fall = np.where(
        usable,
        figures,
        np.array(
            [[without_history(settings)], [neutral.vol], [neutral.quality], [neutral.drawdown]]
        ),
    )
    if settings.expected_return == "given" and not usable[0].any():
        usable[0] = True  # nobody was asked for one: the prior is the rule
    three = closes[-(THREE_YEARS + 1) :]
    moves = correlation_of(np.array(three.T, dtype=np.float64, order="C"), neutral.corr)
    return Estimates(
        expected_return=frozen(mu),
        volatility=frozen(sigma),
        quality=frozen(promise),
        drawdown=frozen(fall),
        correlation=_closed(moves.matrix),
        shrinkage=moves.shrinkage,
        missing={
            name: frozen(flags)
            for name, flags in zip(METRICS, (*~usable, ~moves.known), strict=True)
        },
    )


def prior_return(settings: Score) -> float:
    """Expected return of a security of which nothing is thought to be known, a year."""
    return settings.risk_free + settings.equity_premium


def without_history(settings: Score) -> float:
    """Expected return of a security that lacks one, a year."""
    asked = settings.expected_return == "given"
    return prior_return(settings) if asked else settings.neutral.mu


def _check(closes: FloatArray, **others: FloatArray) -> None:
    """Raises ValueError for shapes that do not fit, InputError for a close that is no price."""
    if closes.ndim != TABLE:
        raise ValueError(f"closes must be (T, n), not of shape {closes.shape}")
    for name, values in others.items():
        if values.shape != closes.shape[1:]:
            columns = closes.shape[1]
            raise ValueError(f"{name} has shape {values.shape}, but closes have {columns} columns")
    looked_at = closes[-(TEN_YEARS + 1) :]
    bad = int(np.count_nonzero((looked_at <= 0) | (looked_at == np.inf)))
    if bad:
        raise InputError(
            f"{bad} closes of the last ten years are zero, negative or infinite; a close is a "
            "positive number. Nothing was calculated: correct the price file and plan again.",
            code="closes_not_positive",
            value=bad,
            limit=0,
            hint="correct the price file and plan again",
        )


@dataclass(frozen=True, slots=True)
class History:
    """s securities, each with k closes of its own, which need not be of the same days.

    closes   (s, k)
    returns  (s, k - 1)  logarithms of one close over the one before
    """

    closes: FloatArray
    returns: FloatArray

    @classmethod
    def of(cls, closes: FloatArray) -> History:
        """With the returns of closes (s, k)."""
        return cls(closes, np.diff(np.log(closes), axis=1))

    def newest(self, count: int) -> History:
        """Its last closes."""
        first = self.closes.shape[1] - count
        return History(self.closes[:, first:], self.returns[:, first:])

    @property
    def length(self) -> int:
        """Number of returns."""
        return int(self.returns.shape[1])


def expected_return(history: History, dividend_yield: FloatArray, prior: float) -> FloatArray:
    """Expected return a year, (s,): the past growth rate, drawn to a known prior by how uncertain
    it is; NaN if unknown.

    history         of up to ten years
    dividend_yield  (s,)  a year, added to the growth of closes that leave dividends out; else 0
    prior           a year, the same for all securities, so that none depends on another
    Formula: prior + s (growth - prior), s = tau^2 / (tau^2 + variance / years). Monotone in growth.
    Source: posterior mean with a normal prior; James & Stein (1961) without pooling.
    """
    spread = volatility(history)
    if history.length < MIN_RETURNS:
        return spread
    years = history.length / DAYS_A_YEAR
    newest, oldest = (np.log(history.closes[:, k].copy()) for k in (-1, 0))
    growth = np.expm1((newest - oldest) / years) + dividend_yield
    trust = PRIOR_SPREAD**2 / (PRIOR_SPREAD**2 + spread**2 / years)
    return np.asarray(prior + trust * (growth - prior))


def volatility(history: History) -> FloatArray:
    """Standard deviation (n - 1) of daily log returns, a year, (s,); NaN with under 252 returns or
    none that moves.
    """
    if history.length < MIN_RETURNS:
        return np.full(len(history.closes), np.nan)
    spread = np.std(history.returns, axis=1, ddof=1) * math.sqrt(DAYS_A_YEAR)
    return np.where(spread > STANDSTILL, spread, np.nan)


def mixed_volatility(three_years: History, quarter: History) -> FloatArray:
    """Root of the mean of two variances a year, (s,): of three years, for a level, and of the last
    quarter, for what goes on now; of three years alone where the quarter has under 21 returns or
    none that moves. NaN where the three years are not known.

    Source: the variance of the next quarter lies between the two, see `docs/scoring.md`.
    """
    long = volatility(three_years)
    if quarter.length < LEAST_FOR_QUARTER:
        return long
    short = np.std(quarter.returns, axis=1, ddof=1) * math.sqrt(DAYS_A_YEAR)
    return np.where(short > STANDSTILL, np.sqrt((long**2 + short**2) / 2), long)


def quality(history: History, five_years: History, risk_free: float, neutral: float) -> FloatArray:
    """Steadiness: smoothness of the past in 0..1, (s,), drawn to the neutral value while history is
    short; NaN if unknown.

    history     of up to ten years
    five_years  the last of it, over up to five years
    risk_free   a year
    It finds calmer holdings, not better-paid ones: the glossary says so.
    """
    if five_years.length < MIN_RETURNS:
        return np.full(len(history.closes), np.nan)
    parts = np.stack(
        [
            _consistency(history.closes),
            _sortino_score(five_years.returns, risk_free),
            _share_near_high(history.closes),
        ],
        axis=1,
    )
    shares = QUALITY_SHARES if history.length >= LEAST_FOR_CONSISTENCY else QUALITY_SHARES_SHORT
    raw = np.array([math.fsum(row) for row in (parts * np.array(shares)).tolist()])
    years = history.length / DAYS_A_YEAR
    score = neutral + years / (years + QUALITY_PATIENCE) * (raw - neutral)
    return np.where(np.isnan(volatility(five_years)), np.nan, score)


def drawdown(history: History) -> FloatArray:
    """Worst fall from a running high, as a fraction, (s,); NaN with under 252 returns or none that
    moves.
    """
    spread = volatility(history)
    if history.length < MIN_RETURNS:
        return spread
    falls = 1 - history.closes / np.maximum.accumulate(history.closes, axis=1)
    return np.where(np.isnan(spread), np.nan, falls.max(axis=1))


def own_figures(closes: FloatArray, yields: FloatArray, settings: Score) -> FloatArray:
    """Expected return, volatility, quality and drawdown, (4, n); NaN where unknown.

    closes   (T, n)  of ten years
    yields   (n,)
    Each column is of its security alone, to the last bit, whatever stands beside it.
    """
    by_history, mixed = settings.expected_return == "history", settings.volatility == "mixed"
    figures = np.full((4, closes.shape[1]), np.nan)
    for alike, own, counts in _histories(closes):
        ten = History.of(own)
        five, fall, three, quarter = (ten.newest(count) for count in counts[1:])
        figures[1:, alike] = (
            mixed_volatility(three, quarter) if mixed else volatility(three),
            quality(ten, five, settings.risk_free, settings.neutral.quality),
            drawdown(fall),
        )
        if by_history:
            figures[0, alike] = expected_return(ten, yields[alike], prior_return(settings))
    return figures


def _histories(
    closes: FloatArray,
) -> Iterator[tuple[IntArray, FloatArray, tuple[int, ...]]]:
    """Securities with as many closes of their own in each of the `WINDOWS` as one another: which
    (s,), the closes (s, k), and how many of them are in each window.

    Each row is copied to lie one close after the other in memory: sums have one order whatever the
    layout and length of the caller's table, so that older or later rows cannot change a last bit.
    """
    for start in range(0, closes.shape[1], BLOCK):
        rows = np.array(closes[:, start : start + BLOCK].T, dtype=np.float64, order="C")
        have = ~np.isnan(rows)
        if have.all():
            length = rows.shape[1]
            counts = tuple(min(length, window) for window in WINDOWS)
            yield np.arange(start, start + len(rows)), rows, counts
            continue
        each = np.stack([have[:, -window:].sum(axis=1) for window in WINDOWS], axis=1)
        groups: dict[tuple[int, ...], list[int]] = {}
        for i, own in enumerate(each.tolist()):
            groups.setdefault(tuple(own), []).append(i)
        for own, members in groups.items():
            alike = np.array(members)
            picked = rows[alike][have[alike]].reshape(len(alike), own[0])
            yield start + alike, picked, own


def _closed(matrix: Matrix) -> Matrix:
    """The same matrix, closed to writing."""
    if isinstance(matrix, Factored):
        frozen(matrix.diagonal), frozen(matrix.factors), frozen(matrix.weights)
        return matrix
    return frozen(matrix)


def _consistency(closes: FloatArray) -> FloatArray:
    """Share of 12-month returns over 0, (s,), sampled monthly back from the last close; 0 without
    any.
    """
    ends = np.arange(closes.shape[1] - 1, DAYS_A_YEAR - 1, -MONTH)
    if not len(ends):
        return np.zeros(len(closes))
    return np.asarray((closes[:, ends] > closes[:, ends - DAYS_A_YEAR]).mean(axis=1))


def _sortino_score(returns: FloatArray, risk_free: float) -> FloatArray:
    """Sortino ratio over the risk-free rate, mapped to 0..1. Sortino & van der Meer (1991)."""
    over = returns - math.log1p(risk_free) / DAYS_A_YEAR
    downside = np.sqrt(np.mean(np.minimum(over, 0.0) ** 2, axis=1))
    never_behind = downside == 0  # prices move and never fall behind: no ratio, and none better
    ratio = over.mean(axis=1) / np.where(never_behind, 1.0, downside) * math.sqrt(DAYS_A_YEAR)
    score = np.minimum(1.0, np.maximum(0.0, (ratio + SORTINO_OFFSET) / SORTINO_WIDTH))
    return np.where(never_behind, 1.0, score)


def _share_near_high(closes: FloatArray) -> FloatArray:
    return np.asarray((closes >= NEAR_HIGH * np.maximum.accumulate(closes, axis=1)).mean(axis=1))
