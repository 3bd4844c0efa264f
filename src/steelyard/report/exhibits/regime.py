"""The market regime in one line, where a module that asks for it runs."""

from __future__ import annotations

from steelyard.plans.plan import Plan
from steelyard.sentences import FORMATS

ASKING = frozenset({"market_regime", "adaptive"})
"""Patterns that look at the regime."""


def regime(plan: Plan) -> str:
    """`Market regime: bull. The index is 11.3 % over its moving …`; empty if nobody asks."""
    told = plan.regime
    if not ASKING & {run.name for run in plan.modules}:
        return ""
    if told.distance is None:
        return "Market regime: unknown."
    side = "over" if told.distance >= 0 else "under"
    return (
        f"Market regime: {told.name}. The index is {FORMATS['pct'](abs(told.distance))} {side} its "
        f"moving average, told from {FORMATS['count'](told.observations)} sessions."
    )
