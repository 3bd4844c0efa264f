"""Figures of the lists, by mode: rows that any process may make, in any order."""

from __future__ import annotations

import numpy as np

from steelyard.arrays import FloatArray, IntArray
from steelyard.modules.context import Context
from steelyard.planning.modes import monte_carlo, objectives, stochastic, timeframes
from steelyard.planning.modes.contenders import Contenders
from steelyard.planning.modes.tails import tail_of
from steelyard.planning.score.objective import Objective

AT_ONCE = 4_000_000
"""Outcomes that are in memory at a time."""


def figures_named(ctx: Context) -> tuple[str, ...]:
    """What the columns of `compare` are."""
    rules = ctx.rules.evaluation
    if rules.mode == "multi_timeframe":
        return tuple(f"score_in_{years:g}_years" for years in rules.horizons)
    if rules.mode == "multi_objective":
        return ("score", "spread", "volatility", "paid")
    return ("mean", "cvar", "mean_error", "cvar_error")


def compare(ctx: Context, objective: Objective, lists: Contenders, rows: IntArray) -> FloatArray:
    """(r, q) figures of some of the lists; each row depends on its own list and the whole alone.

    monte_carlo, stochastic   mean, CVaR, the standard error of each
    multi_timeframe           the score at each horizon
    multi_objective           score, diversification, risk, cost
    """
    rules = ctx.rules.evaluation
    if rules.mode == "multi_timeframe":
        return timeframes.outcomes(ctx, objective, lists, rows)
    if rules.mode == "multi_objective":
        return objectives.outcomes(ctx, lists, rows)
    size = max(1, AT_ONCE // rules.paths)
    parts = [rows[first : first + size] for first in range(0, len(rows), size)]
    tails = [
        tail_of(outcome, rules.tail)
        for part in parts
        for outcome in sampled(ctx, objective, lists, part)
    ]
    figures = [[t.mean, t.cvar, t.mean_error, t.cvar_error] for t in tails]
    return np.array(figures).reshape(-1, 4)


def sampled(ctx: Context, objective: Objective, lists: Contenders, rows: IntArray) -> FloatArray:
    """(r, pairs, s) outcomes of some of the lists in every scenario of a mode that draws."""
    if ctx.rules.evaluation.mode == "monte_carlo":
        return monte_carlo.outcomes(ctx, objective, lists, rows)
    return stochastic.outcomes(ctx, objective, lists, rows)
