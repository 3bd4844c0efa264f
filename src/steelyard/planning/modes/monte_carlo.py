"""Correlated paths of prices over a horizon, and the score of each list as it turns out.

Intent: a plan is good if it stays good when prices go their way. A path multiplies every security;
nothing is traded on the way and cash earns the risk-free rate. The outcome is the score where the
path ends, with its total return not as it was expected but as it came, a year.
Formula: over a period of dt years  log multiplier = (log(1 + mu) - sigma^2 / 2) dt + sqrt(dt) L z,
    L L' = diag(sigma) R diag(sigma), z normal: of a year the mean is 1 + mu, so that on average the
    total return is the one that the score expects
    outcome = F(z_T) - k_tr tr(z_T) + k_tr ((V_T / V_0)^(1 / T) - 1) - charges
Draws: antithetic pairs, the same for every list; the seed is of the inputs.
Source: geometric Brownian motion; antithetic variates and common random numbers, Glasserman, Monte
Carlo Methods in Financial Engineering (2003).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from steelyard.arrays import FloatArray, IntArray, block, scaled
from steelyard.modules.context import Context
from steelyard.planning.modes.contenders import Contenders, seed_of
from steelyard.planning.modes.draws import Block, blocks, factor_of, pairs_of
from steelyard.planning.modes.returns import ReturnPart
from steelyard.planning.modes.scenes import LEAST_VALUE, Scene, Score
from steelyard.planning.score.objective import Objective

A_YEAR = 4
"""Periods of a year: a fan is drawn by quarters."""
MOST_PERIODS = 60


@dataclass(frozen=True)
class Market:
    """How the active securities move.

    growth   (a,)  of log prices a year
    factor   (a, a)  L, a year
    cash     growth of the logarithm of cash a year
    """

    columns: IntArray
    growth: FloatArray
    factor: FloatArray
    cash: float
    years: float
    periods: int

    @property
    def step(self) -> float:
        """Years of a period."""
        return self.years / self.periods

    def multipliers(self, block: Block, upto: int) -> tuple[FloatArray, FloatArray]:
        """(pairs, a + 1) multipliers after so many periods, of the draws and of their negatives."""
        moved = block.normals[:, :upto].sum(axis=1) @ self.factor.T * math.sqrt(self.step)
        drift = self.growth * self.step * upto
        cash = np.full((block.pairs, 1), math.exp(self.cash * self.step * upto))
        up, down = np.exp(drift + moved), np.exp(drift - moved)
        return np.hstack([up, cash]), np.hstack([down, cash])


def market_of(ctx: Context, active: IntArray, years: float) -> Market:
    """The market of the active securities over so many years."""
    estimates = ctx.estimates
    sigma = estimates.volatility[active]
    covariance = block(scaled(estimates.correlation, estimates.volatility), active, active)
    growth = np.log1p(np.maximum(estimates.expected_return[active], -0.99))
    return Market(
        columns=np.append(active, ctx.n),
        growth=growth - sigma**2 / 2,
        factor=factor_of(covariance),
        cash=math.log1p(ctx.score.risk_free),
        years=years,
        periods=min(MOST_PERIODS, max(1, math.ceil(A_YEAR * years - 1e-9))),
    )


def drawn(ctx: Context, market: Market) -> Iterator[Block]:
    """The draws of the plan, block by block."""
    paths = ctx.rules.evaluation.paths
    return blocks(seed_of(ctx), paths, market.periods, len(market.growth))


def outcomes(ctx: Context, objective: Objective, lists: Contenders, rows: IntArray) -> FloatArray:
    """(r, pairs, 2) scores of some of the lists in every path, less charges."""
    years = ctx.rules.evaluation.horizons[-1]
    market = market_of(ctx, lists.active, years)
    score = Score.of(objective.model, market.columns)
    returns = ReturnPart.of(objective, market.columns)
    result = np.empty((len(rows), pairs_of(ctx.rules.evaluation.paths), 2))
    ends = lists.start[market.columns] + lists.delta[:, market.columns]
    base = ends[lists.middle]
    for part in drawn(ctx, market):
        at = slice(part.first, part.first + part.pairs)
        for side, multiplier in enumerate(market.multipliers(part, market.periods)):
            scene = Scene.of(score, base * multiplier)
            expected = scene.each @ returns.slope
            for n, end in enumerate(ends[rows]):
                columns = np.flatnonzero(end - base)
                added = (end - base)[columns] * multiplier[:, columns]
                scores, value = scene.scores(columns, added)
                there = (expected + added @ returns.slope[columns]) / value
                result[n, at, side] = scores + returns.came(value / end.sum(), there, years)
    return result + (lists.apart - lists.charge)[rows, None, None]


@dataclass(frozen=True)
class Fanned:
    """What a list is worth on the way, of value before its costs.

    start   today
    bands   (q, periods + 1)  quantiles
    ends    (2 x pairs,)  where each path ends
    falls   (2 x pairs,)  deepest fall from a high of each path
    """

    start: float
    bands: FloatArray
    ends: FloatArray
    falls: FloatArray


def fanned(
    ctx: Context, lists: Contenders, row: int, quantiles: Sequence[float]
) -> tuple[Market, Fanned]:
    """The paths of one list, its costs paid at the start."""
    market = market_of(ctx, lists.active, ctx.rules.evaluation.horizons[-1])
    start = (lists.start + lists.delta[row])[market.columns]
    start[-1] -= lists.paid[row]
    count = 2 * pairs_of(ctx.rules.evaluation.paths)
    values, falls = np.empty((market.periods + 1, count)), np.empty(count)
    values[0] = start.sum()
    for part in drawn(ctx, market):
        for period in range(1, market.periods + 1):
            for side, multiplier in enumerate(market.multipliers(part, period)):
                at = 2 * part.first + side * part.pairs
                values[period, at : at + part.pairs] = multiplier @ start
        both = slice(2 * part.first, 2 * (part.first + part.pairs))
        falls[both] = _falls(values[:, both])
    # period by period: a copy of a million paths is half a gigabyte
    bands = np.array([np.quantile(period, quantiles) for period in values]).T
    return market, Fanned(float(values[0, 0]), bands, values[-1].copy(), falls)


def _falls(values: FloatArray) -> FloatArray:
    """(s,) deepest falls from a high of (periods + 1, s) values."""
    highs = np.maximum(np.maximum.accumulate(values, axis=0), LEAST_VALUE)
    return np.asarray(np.maximum(1 - values / highs, 0.0).max(axis=0))
