"""What a list is worth over several horizons: growth, drift of the weights, and what risk averages
out to.

Intent: what costs much and pays slowly is worth it to who waits. Nothing is drawn.
Formula: h years ahead, of a security whose expected return is mu,
    mu_h = mu_0 + (mu - mu_0) t (1 - exp(-h / t)) / h      mu_0 the prior return: what sets a
        security apart fades, by half in `HALF_LIFE` years
    multiplier (1 + mu_h)^h, cash (1 + r_f)^h
    score_h = F(z_h) with the total return as it grew, a year, and volatility over sqrt(h), as that
        of a yearly return over h years (from one year on); less costs and tax spread over h years
        instead of `holding_years` and `tax_years`
    value = sum of share_h score_h
Source: fading of alpha, Garleanu & Pedersen (2013); annualised volatility of a mean over h years.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from steelyard.arrays import FloatArray, IntArray, block, scaled
from steelyard.estimates.estimate import prior_return
from steelyard.modules.context import Context
from steelyard.planning.modes.contenders import Contenders
from steelyard.planning.modes.returns import ReturnPart
from steelyard.planning.modes.scenes import LEAST_VALUE, Scene, Score
from steelyard.planning.score.objective import Objective

HALF_LIFE = 2.0
"""Years after which half of what sets an expected return apart from the prior is gone."""


def multipliers(ctx: Context, active: IntArray, years: float) -> FloatArray:
    """(a + 1,) what each column is worth after so many years, of what it is worth now."""
    fade = HALF_LIFE / math.log(2)
    share = fade * -math.expm1(-years / fade) / years
    prior = prior_return(ctx.score)
    expected = prior + share * (ctx.estimates.expected_return[active] - prior)
    growth = (1 + np.maximum(expected, -0.99)) ** years
    return np.append(growth, (1 + ctx.score.risk_free) ** years)


def outcomes(ctx: Context, objective: Objective, lists: Contenders, rows: IntArray) -> FloatArray:
    """(r, horizons) scores of some of the lists at every horizon, less charges."""
    columns = np.append(lists.active, ctx.n)
    whole = Score.of(objective.model, columns)
    returns = ReturnPart.of(objective, columns)
    result = np.empty((len(rows), len(horizons(ctx))))
    ends = lists.start[columns] + lists.delta[rows][:, columns]
    nothing = np.zeros(0, dtype=np.int64), np.zeros((len(rows), 0))
    for h, years in enumerate(horizons(ctx)):
        each = ends * multipliers(ctx, lists.active, years)
        calmer = tuple((k / math.sqrt(max(years, 1.0)), V) for k, V in whole.norms)
        scores, value = Scene.of(replace(whole, norms=calmer), each).scores(*nothing)
        there, ratio = each @ returns.slope / value, value / ends.sum(axis=1)
        charge = lists.cost[rows] @ np.array([*spread(ctx, years), 1.0])
        result[:, h] = scores + returns.came(ratio, there, years) - charge
    return result + lists.apart[rows, None]


def horizons(ctx: Context) -> tuple[float, ...]:
    """Years ahead."""
    return ctx.rules.evaluation.horizons


def spread(ctx: Context, years: float) -> tuple[float, float]:
    """Cost and tax over this horizon, each as a multiple of what the score of today charges."""
    score = ctx.score
    mu = score.neutral.mu

    def brought_forward(span: float) -> float:
        return float(1 - (1 + mu) ** -span) / span

    tax = brought_forward(years) / brought_forward(score.tax_years) if mu else 1.0
    return score.holding_years / years, tax


def ahead(ctx: Context, lists: Contenders, row: int) -> list[tuple[float, float]]:
    """(expected return a year, volatility of it) of a list over every horizon."""
    columns, active = np.append(lists.active, ctx.n), lists.active
    covariance = scaled(ctx.estimates.correlation, ctx.estimates.volatility)
    covariance = block(covariance, active, active)
    start, figures = (lists.start + lists.delta[row])[columns], []
    for years in horizons(ctx):
        each = start * multipliers(ctx, active, years)
        value = max(float(each.sum()), LEAST_VALUE)
        weights = each[:-1] / value
        growth = (value / float(start.sum())) ** (1 / years) - 1
        variance = float(weights @ covariance @ weights)
        figures.append((growth, math.sqrt(max(variance, 0.0) / years)))
    return figures
