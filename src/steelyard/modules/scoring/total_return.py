"""Total return: the expected return of the end state, cash at the risk-free rate.

Intent: money that is invested should be paid for it. Between securities the term says little on
purpose: past growth hardly tells the future one, so the estimates stay near one prior and the
anchors are economic units (risk-free rate, and risk-free rate plus twice the premium), not the
range of the estimates.
Formula: raw = sum of w_i mu_i + c r_f. Slope (mu, r_f).
Unit: return a year. Closes that contain dividends need no yield here; closes without them got it in
`estimates`.
Source: linear in expected return as in Markowitz, Portfolio Selection (1952); mu from `estimates`.
"""

from __future__ import annotations

from steelyard.modules.context import Context
from steelyard.modules.registry import ModuleParams, score_term
from steelyard.modules.terms import Term, linear_part


class Params(ModuleParams):
    """None of its own: anchors, risk-free rate and premium are settings of the score."""


@score_term("total_return", version="1.0.0", params=Params, tags=("return",))
def total_return(ctx: Context, _: Params) -> Term:
    """Expected return a year of the end state, cash at the risk-free rate."""
    part = linear_part(
        "tr", 1.0, ctx.score.anchors.tr, ctx.estimates.expected_return, ctx.score.risk_free
    )
    return Term("total_return", (part,))
