"""Shocks of the whole market, today: everything owned is revalued, then the list is traded.

Intent: a list is traded tomorrow, at prices that are not those of the plan. It should be a good one
there too.
Formula: for each shift s and each draw e, security i is worth
    max(1 + beta_i s, .01) exp(r_i sqrt(t) e_i - r_i^2 t / 2)
of its price: beta against the mix that cash is looked through into, r the volatility that beta
leaves unexplained, t the years in which that mix moves by as much as the shifts do on average. The
quantities stay; buys that cash cannot pay at these prices shrink, all by one share. The outcome is
the score of today of what is then owned, less charges.
Draws: antithetic pairs, the same for every shift and list; the seed is of the inputs.
Source: single-index model, Sharpe (1963).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from steelyard.arrays import FloatArray, IntArray, block, product, scaled
from steelyard.modules.context import Context
from steelyard.planning.modes.contenders import Contenders, seed_of
from steelyard.planning.modes.draws import Block, blocks, pairs_of
from steelyard.planning.modes.scenes import Scene, Score
from steelyard.planning.score.objective import Objective

LEAST_MULTIPLIER = 0.01
LEAST_VARIANCE = 1e-12


@dataclass(frozen=True)
class Shocks:
    """How the active securities answer a move of the market.

    beta    (a,)
    apart   (a,)  volatility over the time of a shock that beta leaves unexplained
    shifts  moves of the market
    """

    columns: IntArray
    beta: FloatArray
    apart: FloatArray
    shifts: tuple[float, ...]

    def multipliers(self, part: Block, shift: float, sign: int) -> FloatArray:
        """(pairs, a + 1) what each column is worth of what it was; cash is worth itself."""
        own = sign * part.normals[:, 0] * self.apart - self.apart**2 / 2
        common = np.maximum(1 + self.beta * shift, LEAST_MULTIPLIER)
        return np.hstack([common * np.exp(own), np.ones((part.pairs, 1))])


def shocks_of(ctx: Context, active: IntArray) -> Shocks:
    """The answers of the active securities."""
    estimates, shifts = ctx.estimates, ctx.rules.evaluation.shifts
    covariance = scaled(estimates.correlation, estimates.volatility)
    pull = product(covariance, ctx.neutral_mix)
    variance = max(float((ctx.neutral_mix * pull).sum()), LEAST_VARIANCE)
    beta = pull[active] / variance
    own = np.diagonal(block(covariance, active, active)) - beta**2 * variance
    years = math.fsum(shift**2 for shift in shifts) / len(shifts) / variance
    apart = np.sqrt(np.maximum(own, 0.0) * years)
    return Shocks(np.append(active, ctx.n), beta, apart, shifts)


def outcomes(ctx: Context, objective: Objective, lists: Contenders, rows: IntArray) -> FloatArray:
    """(r, pairs, 2 x shifts) scores of some of the lists in every scenario, less charges."""
    shocks = shocks_of(ctx, lists.active)
    score = Score.of(objective.model, shocks.columns)
    pairs = pairs_of(paths_each(ctx))
    result = np.empty((len(rows), pairs, 2 * len(shocks.shifts)))
    start, keeps = lists.start[shocks.columns], ctx.keeps_weight
    for part in blocks(seed_of(ctx), paths_each(ctx), 1, len(shocks.beta)):
        at = slice(part.first, part.first + part.pairs)
        for n, shift in enumerate(shocks.shifts):
            for side, sign in enumerate((1, -1)):
                multiplier = shocks.multipliers(part, shift, sign)
                scene = Scene.of(score, start * multiplier)
                for r, row in enumerate(rows.tolist()):
                    moved = lists.delta[row, shocks.columns]
                    added = _traded(moved[:-1], multiplier[:, :-1], scene, keeps)
                    columns = np.append(np.flatnonzero(moved[:-1]), len(moved) - 1)
                    result[r, at, 2 * n + side] = scene.scores(columns, added)[0]
    return result + (lists.apart - lists.charge)[rows, None, None]


def paths_each(ctx: Context) -> int:
    """Draws of each shift."""
    rules = ctx.rules.evaluation
    return math.ceil(rules.paths / len(rules.shifts))


def _traded(moved: FloatArray, multiplier: FloatArray, scene: Scene, keeps: float) -> FloatArray:
    """(s, c + 1) what a list adds to the columns that it trades, cash last, at shocked prices."""
    at = np.flatnonzero(moved)
    added = moved[at] * multiplier[:, at]
    sales = -np.minimum(added, 0.0).sum(axis=1)
    buys = np.maximum(added, 0.0).sum(axis=1)
    # the floor grows and shrinks with what all is worth; what is under it already pays for nothing
    room = np.maximum(scene.each[:, -1] + sales - keeps * scene.worth, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(buys > room, room / buys, 1.0)
    added = np.where(added > 0, added * share[:, None], added)
    return np.hstack([added, -added.sum(axis=1, keepdims=True)])


def worth(ctx: Context, lists: Contenders) -> FloatArray:
    """(shifts,) what all is worth after each shift, mean over the draws, of value."""
    shocks = shocks_of(ctx, lists.active)
    start, sums = lists.start[shocks.columns], np.zeros(len(shocks.shifts))
    for part in blocks(seed_of(ctx), paths_each(ctx), 1, len(shocks.beta)):
        for n, shift in enumerate(shocks.shifts):
            for sign in (1, -1):
                sums[n] += float((shocks.multipliers(part, shift, sign) @ start).sum())
    return sums / (2 * pairs_of(paths_each(ctx)))
