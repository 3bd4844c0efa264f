"""Income: the dividend yield of the end state.

Intent: let yield break near ties. Its weight is small because adjusted closes already hold the
dividends in total return.
Formula: raw = sum of w_i y_i + c y_0, y_0 the neutral yield. Slope (y, y_0).
Unit: fraction a year. Unknown yields are y_0; when all are, every state has the same income and the
term is silent by construction.
Source: definition.
"""

from __future__ import annotations

from steelyard.modules.context import Context
from steelyard.modules.registry import ModuleParams, score_term
from steelyard.modules.terms import Term, linear_part


class Params(ModuleParams):
    """None of its own: anchors and the neutral yield are settings of the score."""


@score_term("income", version="1.0.0", params=Params, tags=("return",))
def income(ctx: Context, _: Params) -> Term:
    """Dividend yield a year of what is held, cash neutral."""
    part = linear_part(
        "inc", 1.0, ctx.score.anchors.inc, ctx.dividend_yield, ctx.score.neutral.yield_
    )
    return Term("income", (part,))
