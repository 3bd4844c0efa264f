"""Quality: as the securities file says, else steadiness, how smooth the past of each was.

Intent: prefer calm holdings. It is a smoothness measure and no promise of return: it went with
lower volatility and smaller falls in the years after, and with no better return.
Formula: raw = sum of w_i q_i + c q_0, q_0 the neutral quality. Slope (q, q_0).
Unit: 0..1. A security without history has q_0 already (`estimates.missing` says so).
Source: our own mean of consistency, Sortino ratio and nearness to the high; `estimates.quality` has
the formula.
"""

from __future__ import annotations

from steelyard.modules.context import Context
from steelyard.modules.registry import ModuleParams, score_term
from steelyard.modules.terms import Term, linear_part


class Params(ModuleParams):
    """None of its own: anchors and the neutral quality are settings of the score."""


@score_term("quality", version="1.0.0", params=Params, tags=("risk",))
def quality(ctx: Context, _: Params) -> Term:
    """Smoothness of the past of what is held, cash neutral."""
    part = linear_part("q", 1.0, ctx.score.anchors.q, ctx.quality, ctx.score.neutral.quality)
    return Term("quality", (part,))
