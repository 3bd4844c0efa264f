"""Stability: volatility of the whole, and how deep its holdings once fell.

Intent: a calm ride. The volatility of the whole rewards holdings that move apart; the drawdown
speaks for each.
Formula: x = share_vol x_vol + share_dd x_dd;
    raw_vol = -sqrt(w' S w), S = diag(sigma) R diag(sigma);   slope -S w / sqrt(w' S w), w' S w at
    least 1e-18
    raw_dd  = -sum of w_i dd_i;                               slope -dd
Unit: both a fraction, volatility a year. Cash has neither, so all cash is off scale at the top for
volatility.
Source: Markowitz (1952); R shrunk after Ledoit & Wolf (2004), see `estimates`.
"""

from __future__ import annotations

import math

from steelyard.arrays import FloatArray, product, scaled, with_cash
from steelyard.modules.context import Context
from steelyard.modules.registry import ModuleParams, score_term
from steelyard.modules.terms import LEAST_VARIANCE, Norm, Part, Term, linear_part


class Params(ModuleParams):
    """None of its own: anchors and the shares of the two parts are settings of the score."""


@score_term("stability", version="1.0.0", params=Params, tags=("risk",))
def stability(ctx: Context, _: Params) -> Term:
    """Volatility of the end state and worst past falls of its holdings, cash calm."""
    shares = ctx.score.stability_parts.normalised()
    falls = linear_part("dd", shares["dd"], ctx.score.anchors.dd, -ctx.estimates.drawdown, 0.0)
    return Term("stability", (_volatility(ctx, shares["vol"]), falls))


def _volatility(ctx: Context, share: float) -> Part:
    sigma = ctx.estimates.volatility
    covariance = scaled(ctx.estimates.correlation, sigma)

    def raw(weights: FloatArray, _: float) -> float:
        variance = math.fsum((weights * product(covariance, weights)).tolist())
        return -math.sqrt(max(variance, LEAST_VARIANCE))

    return Part("vol", share, *ctx.score.anchors.vol, raw, Norm(with_cash(covariance)))
