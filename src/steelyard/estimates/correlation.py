"""Correlation of n securities, shrunk towards one correlation for all pairs; those that lack a
history of their own get the mean of the others.

    R = (1 - d) / T Z Z' + d (rho 11' + (1 - rho) I)

Z (k, T) holds the standardised returns of the k known securities, rho is the mean correlation of
their pairs and d the weight that loses least. So R is a diagonal and T + 1 factors, exactly: above
`LARGEST_DENSE` securities no n x n array is made, and d comes from sums over T x T.
Source: Ledoit & Wolf, Honey, I Shrunk the Sample Covariance Matrix (2004), on standardised returns.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from steelyard.arrays import (
    BoolArray,
    Factored,
    FloatArray,
    Matrix,
    dense,
    diagonal_of,
    dot,
    gram,
    written_out,
)

DAYS_A_YEAR = 252
MIN_RETURNS = DAYS_A_YEAR
STANDSTILL = 1e-8  # a year; volatility at or under it is rounding, not movement
SAME_MATRIX = 1e-18  # squared distance under which sample and target matrix are one
ROUNDING = 1e-13  # of the squared entries of a matrix: what their sum over T x T may be off
FEWEST_FOR_MEAN = 2  # securities with a correlation of their own
MISSING_CORRELATION_FACTORS = (1.0, 0.5, 0.25, 0.0)
LEAST_EIGENVALUE = 1e-10


@dataclass(frozen=True, slots=True)
class Correlation:
    """matrix of n securities; weight of the shared correlation in it, 0 if nothing was estimated;
    known (n,), False where the mean stands.
    """

    matrix: Matrix
    shrinkage: float
    known: BoolArray


@dataclass(frozen=True, slots=True)
class Shrunk:
    """R of k known securities as it is made: z (k, T), T = 0 if there is nothing to compare; d and
    rho of the formula above; days Z'Z (T, T).
    """

    z: FloatArray
    weight: float
    mean: float
    days: FloatArray

    @property
    def own(self) -> float:
        """What a security shares with no other: d (1 - rho)."""
        return self.weight * (1 - self.mean)

    @property
    def per_day(self) -> float:
        """What a day counts: (1 - d) / T."""
        return (1 - self.weight) / max(1, len(self.days))


def correlation_of(closes: FloatArray, neutral: float) -> Correlation:
    """Correlation of n securities from their closes of three years.

    closes    (n, d)  NaN = none
    neutral   stands for the mean if fewer than two are known
    """
    known, returns = common_returns(closes)
    if written_out(len(closes)):
        matrix, weight = shrunk_correlation(returns)
        return Correlation(complete_correlation(matrix, known, neutral), weight, known)
    shrunk = shrunk_factors(returns, neutral)
    return Correlation(complete_factors(shrunk, known), shrunk.weight, known)


def common_returns(closes: FloatArray) -> tuple[BoolArray, FloatArray]:
    """Which securities can be correlated, and their returns on the days that all of them have.

    closes      (n, d)  of three years, NaN = none
    the answer          (n,) usable; and (k, m) their returns, m >= 252, none constant

    Securities whose days do not overlap cannot be compared. Then those with the fewest returns go,
    all of equal count together, so that the order of the columns does not matter.
    """
    returns = np.diff(np.log(closes), axis=1)
    lacking = np.isnan(returns)
    counts = returns.shape[1] - lacking.sum(axis=1)
    usable = counts >= MIN_RETURNS
    lack = lacking[usable].sum(axis=0)  # securities that have no return on a day
    while usable.any():
        days = lack == 0
        gone = usable & (counts == counts[usable].min())
        if np.count_nonzero(days) >= MIN_RETURNS:
            whole = usable.all() and days.all()
            common = returns if whole else returns[np.ix_(usable, days)]
            moves = common.std(axis=1) * math.sqrt(DAYS_A_YEAR) > STANDSTILL
            if moves.all():
                return usable, common
            gone = usable.copy()
            gone[usable] = ~moves
        usable &= ~gone
        lack -= lacking[gone].sum(axis=0)
    return usable, np.empty((0, 0))


def shrunk_correlation(returns: FloatArray) -> tuple[FloatArray, float]:
    """Correlation shrunk towards the same correlation for every pair, and the weight of that
    target.

    returns   (k, m)  one security a row, none constant; m may be 0 only if k is
    the answer        (k, k) symmetric, unit diagonal, positive semidefinite; and a number in 0..1
    """
    count, days = returns.shape
    if count < FEWEST_FOR_MEAN:
        return np.eye(count), 0.0
    z = standardised(returns)
    sample = gram(z) / days
    mean = _mean_of_pairs(sample)
    target = np.full_like(sample, mean)
    for matrix in (sample, target):
        np.fill_diagonal(matrix, 1.0)
    misfit = float(np.sum((sample - target) ** 2))
    if misfit <= SAME_MATRIX:  # always so for two securities
        return sample, 0.0
    weight = _intensity(z, mean, float(np.sum(sample)), float(np.sum(sample**2)), misfit)
    return weight * target + (1 - weight) * sample, weight


def shrunk_factors(returns: FloatArray, neutral: float) -> Shrunk:
    """The same of many securities, without a matrix of them.

    With S = Z Z' / T the sum of all S_ij is that of (sum_i z_it)^2 over the days, and that of all
    S_ij^2 is the sum of the squares of Z'Z / T.
    """
    count, length = returns.shape
    if count < FEWEST_FOR_MEAN:
        return Shrunk(np.zeros((count, 0)), 0.0, neutral, np.zeros((0, 0)))
    z = standardised(returns)
    days = gram(z.T)
    total, squares = float(np.sum(z.sum(axis=0) ** 2)) / length, float(np.sum((days / length) ** 2))
    pairs = count * (count - 1)
    mean = (total - count) / pairs
    misfit = squares - count - mean**2 * pairs
    if misfit <= ROUNDING * count**2:
        return Shrunk(z, 0.0, mean, days)
    return Shrunk(z, _intensity(z, mean, total, squares, misfit), mean, days)


def standardised(returns: FloatArray) -> FloatArray:
    """(k, T) returns less their mean, over their standard deviation."""
    z = returns - returns.mean(axis=1, keepdims=True)
    z /= returns.std(axis=1, keepdims=True)
    return np.asarray(z)


def _intensity(
    z: FloatArray, mean: float, total: float, squared_total: float, misfit: float
) -> float:
    """Weight of the target, 0..1: the noise of the sample that the target does not share, over the
    squared distance of the two.

    total, squared_total   sums of S_ij and of S_ij^2 over all pairs
    misfit                 sum of (S_ij - target_ij)^2
    Only sums over all pairs are asked for, and those are sums over days: no matrix is made.
    """
    count, days = len(z), len(z[0])
    squares = z * z
    fourth = float(np.sum(squares * squares)) / days
    # pi of each pair: mean of (z_i z_j - s_ij)^2
    noise = float(np.sum(squares.sum(axis=0) ** 2)) / days - squared_total
    own = fourth - count
    # how the error of a pair moves with that of its variances
    cubes = (squares * z).sum(axis=0)
    shared = float(np.sum(cubes * z.sum(axis=0))) / days - total
    target_noise = own + mean * (shared - own)
    return min(1.0, max(0.0, (noise - target_noise) / (misfit * days)))


def complete_correlation(known_matrix: FloatArray, usable: BoolArray, neutral: float) -> FloatArray:
    """The matrix of all n securities: each missing one gets the mean known correlation with every
    other.

    known_matrix  (k, k)  of the known securities
    usable        (n,)    which they are; k are True
    neutral       stands for the mean if fewer than two are known
    returns       (n, n)  symmetric, unit diagonal; the mean is lowered until the matrix is positive
                  definite
    """
    if usable.all():
        return known_matrix
    mean = _mean_of_pairs(known_matrix) if len(known_matrix) >= FEWEST_FOR_MEAN else neutral
    everywhere, matrix = np.ix_(usable, usable), known_matrix
    for factor in MISSING_CORRELATION_FACTORS:
        matrix = np.full((len(usable), len(usable)), factor * mean)
        np.fill_diagonal(matrix, 1.0)
        matrix[everywhere] = known_matrix
        if np.linalg.eigvalsh(matrix)[0] >= LEAST_EIGENVALUE:
            break
    return matrix


def complete_factors(shrunk: Shrunk, usable: BoolArray) -> Factored:
    """The same of many securities: with p = 1 where known and c the correlation of the missing,

    R = per_day Z Z' + c 11' + (d rho - c) pp' + what is left of a unit diagonal
    """
    days, shared = shrunk.z.shape[1], shrunk.weight * shrunk.mean
    missing = len(usable) - len(shrunk.z)
    tries = (factor * shrunk.mean for factor in MISSING_CORRELATION_FACTORS[:-1])
    common = next((c for c in tries if _definite(shrunk, missing, c)), 0.0) if missing else shared
    factors = np.zeros((len(usable), days + 2))
    factors[usable, :days] = shrunk.z
    factors[:, days] = 1.0
    factors[usable, days + 1] = 1.0
    weights = np.append(np.full(days, shrunk.per_day), [common, shared - common])
    if not missing:
        factors, weights = factors[:, :-1], weights[:-1]
    explained = diagonal_of(Factored(np.zeros(len(usable)), factors, weights))
    return Factored(np.maximum(1 - explained, 0.0), factors, weights)


def _definite(shrunk: Shrunk, missing: int, common: float) -> bool:
    """Is the matrix positive definite with so many more of that correlation with all others?

    The missing are alike, so all of them together stand as one more row; between them is 1 - c.
    """
    count, last = len(shrunk.z), 1 + (missing - 1) * common
    if missing > 1 and 1 - common < LEAST_EIGENVALUE:
        return False
    if not written_out(count):
        pull = missing * common**2 * _sum_of_inverse(shrunk)
        return last - LEAST_EIGENVALUE >= pull
    matrix = np.full((count + 1, count + 1), common * math.sqrt(missing))
    matrix[:-1, :-1] = dense(complete_factors(shrunk, np.ones(count, dtype=np.bool_)))
    matrix[-1, -1] = last
    return bool(np.linalg.eigvalsh(matrix)[0] >= LEAST_EIGENVALUE)


def _sum_of_inverse(shrunk: Shrunk) -> float:
    """1' (R - e I)^-1 1 of the known, e the least eigenvalue asked for; infinite where R has less.

    By the formulas of Woodbury, in T x T, and of Sherman and Morrison for rho 11'.
    """
    own, count = shrunk.own - LEAST_EIGENVALUE, len(shrunk.z)
    if own <= 0:
        return math.inf
    moved, inner = shrunk.z.sum(axis=0), shrunk.days * shrunk.per_day
    np.fill_diagonal(inner, np.diagonal(inner) + own)
    explained = dot(moved, np.linalg.solve(inner, moved)) * shrunk.per_day
    plain = (count - explained) / own
    with_shared = 1 + shrunk.weight * shrunk.mean * plain
    return plain / with_shared if with_shared > 0 else math.inf


def _mean_of_pairs(matrix: FloatArray) -> float:
    """Mean of the entries off the diagonal of a matrix of at least two rows."""
    count = len(matrix)
    return float(np.sum(matrix) - np.trace(matrix)) / (count * (count - 1))
