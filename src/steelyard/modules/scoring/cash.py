"""Cash: how far cash is from the share that suits a portfolio without targets.

Intent: keep some cash and not much. With targets the cash share is part of target fit instead.
Formula: raw = -(c - c*)^2, c* = `cash_target`, or what a regime wants.
Slope 2 c* and H = 1, both on cash alone.
Unit: squared weight. The reserve is a limit of its own, not part of the score.
Source: judgement; what idle cash costs is in total return, where cash earns the risk-free rate
only.
"""

from __future__ import annotations

import numpy as np

from steelyard.arrays import FloatArray, diagonal_matrix, frozen
from steelyard.modules.context import Context
from steelyard.modules.registry import ModuleParams, score_term
from steelyard.modules.terms import Part, Quadratic, Term


class Params(ModuleParams):
    """None of its own: the anchors and the wanted cash share are settings of the score."""


@score_term("cash", version="1.0.0", params=Params, tags=("cash",), needs=("no_target_weights",))
def cash(ctx: Context, _: Params) -> Term:
    """Squared distance of cash from the share wanted without targets."""
    goal = ctx.preferred_cash

    def raw(_: FloatArray, cash: float) -> float:
        return -((cash - goal) ** 2)

    on_cash = np.append(np.zeros(ctx.n), 1.0)
    shape = Quadratic(-(goal**2), frozen(2 * goal * on_cash), diagonal_matrix(on_cash, ctx.n))
    return Term("cash", (Part("cash", 1.0, *ctx.score.anchors.cash, raw, shape),))
