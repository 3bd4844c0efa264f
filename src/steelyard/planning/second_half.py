"""Where settled money alone pays: what the next plan buys once the sales of this one have settled.

A plan whose sales only fund later buys is half a plan. The other half is what planning again gives,
at the same prices, of the account as it stands when the sales have settled.
"""

from __future__ import annotations

from dataclasses import replace

from steelyard.planning.drift import SAME_DRIFT, drift_of
from steelyard.planning.solve import Solution, Steps, solved
from steelyard.plans.plan import Plan


def second_half(m: Solution, plan: Plan, steps: Steps) -> Solution | None:
    """The plan after this one; None where this one is no half, or the next one buys nothing."""
    ctx, before = m.ctx, drift_of(m.ctx, m.ctx.weights, m.ctx.cash_weight)
    if ctx.limits.funding != "settled" or not m.choice.acts:
        return None
    bought = any(m.orders.is_buy[j] for j in m.choice.plan.row)
    if bought or before is None or m.drift is None or before - m.drift >= SAME_DRIFT:
        return None
    later = replace(m.case.snapshot.after(plan), cash=plan.cash_after, settling=())
    then, _ = solved(replace(m.case, snapshot=later), steps)
    return then if any(then.orders.is_buy[j] for j in then.choice.plan.row) else None
