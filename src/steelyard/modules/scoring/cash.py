"""Cash: how far cash is from the share that suits a portfolio without targets.

Intent: keep some cash and not much. With targets the cash share is part of target fit instead.
Formula: raw = -(c + e - c*)^2, c* = `cash_target` or what a regime wants, e = sum of w_i - cap_i
over the holdings that are over their cap now and may be sold: what has no place counts as cash
does, so that trimming it is not feared for the cash that it leaves. Slope 2 (c* + sum of caps) and
H = 1, on cash and them.
Unit: squared weight. The reserve is a limit of its own, not part of the score.
Source: judgement; what idle cash costs is in total return, where cash earns the risk-free rate
only.
"""

from __future__ import annotations

import math

import numpy as np

from steelyard.arrays import FloatArray, diagonal_matrix, frozen, square_of
from steelyard.modules.context import Context
from steelyard.modules.registry import ModuleParams, score_term
from steelyard.modules.terms import Part, Quadratic, Term


class Params(ModuleParams):
    """None of its own: the anchors and the wanted cash share are settings of the score."""


@score_term("cash", version="1.0.0", params=Params, tags=("cash",), needs=("no_target_weights",))
def cash(ctx: Context, _: Params) -> Term:
    """Squared distance of cash from the share wanted without targets."""
    goal = ctx.preferred_cash
    over = (ctx.over_cap > 0) & ctx.can_sell
    caps = float(ctx.caps[over].sum())

    def raw(weights: FloatArray, cash: float) -> float:
        return -((cash + math.fsum(weights[over].tolist()) - caps - goal) ** 2)

    goal_of_sum, counted = goal + caps, np.append(over.astype(np.float64), 1.0)
    # of cash alone the search may know that it stands alone
    alone = not over.any()
    squared = diagonal_matrix(counted, ctx.n) if alone else square_of(counted, ctx.n)
    shape = Quadratic(-(goal_of_sum**2), frozen(2 * goal_of_sum * counted), squared)
    return Term("cash", (Part("cash", 1.0, *ctx.score.anchors.cash, raw, shape),))
