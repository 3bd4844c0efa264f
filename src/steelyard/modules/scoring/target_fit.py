"""Target fit: how far the end state is from the target weights, cash included.

Intent: be where the owner said. Squared and not absolute, so that the slope vanishes at the target:
costs and the hurdle then make a band around it in which nothing trades.
Formula: raw = -(sum of (w_i - t_i)^2 + (c - t_c)^2), t_c = 1 - sum of t. Slope 2 (t, t_c), H = I.
Unit: squared weight. A holding without a target has t = 0 and counts fully; zero targets mean "all
cash".
Source: Leland, Optimal Portfolio Management with Transaction Costs (1999); Masters, Rebalancing
(2003).
"""

from __future__ import annotations

import math

import numpy as np

from steelyard.arrays import FloatArray, diagonal_matrix, dot, frozen
from steelyard.errors import ModuleError
from steelyard.modules.context import Context
from steelyard.modules.registry import ModuleParams, score_term
from steelyard.modules.terms import Part, Quadratic, Term, end_state


class Params(ModuleParams):
    """None of its own: the anchors are settings of the score."""


@score_term(
    "target_fit", version="1.0.0", params=Params, tags=("targets",), needs=("target_weights",)
)
def target_fit(ctx: Context, _: Params) -> Term:
    """Squared distance from the target weights, cash included.

    Raises ModuleError without target weights.
    """
    if ctx.target_weights is None:
        raise ModuleError(
            "target_fit needs target weights and there are none; it was not scored.",
            code="no_target_weights",
        )
    targets, target_cash = ctx.target_weights, ctx.target_cash
    aim = end_state(targets, target_cash)

    def raw(weights: FloatArray, cash: float) -> float:
        misses = (weights - targets) ** 2
        return -math.fsum([*misses.tolist(), (cash - target_cash) ** 2])

    identity = diagonal_matrix(np.ones(len(aim)), ctx.n)
    shape = Quadratic(-dot(aim, aim), frozen(2 * aim), identity)
    return Term("target_fit", (Part("fit", 1.0, *ctx.score.anchors.fit, raw, shape),))
