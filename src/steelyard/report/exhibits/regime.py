"""The market regime in one line, where a module that asks for it runs."""

from __future__ import annotations

from steelyard.plans.plan import Plan
from steelyard.sentences import FORMATS

ASKING = frozenset({"market_regime", "adaptive"})
"""Patterns that look at the regime."""


def regime(plan: Plan) -> str:
    """`Market regime: bull. The index is 11.3 % over its moving …`; empty if nobody asks."""
    state = plan.regime
    if not ASKING & {run.name for run in plan.modules}:
        return ""
    if state.distance is None:
        return "Market regime: unknown."
    side = "over" if state.distance >= 0 else "under"
    distance = f"{FORMATS['pct'](abs(state.distance))} {side} its moving average"
    sessions = FORMATS["count"](state.observations)
    return f"Market regime: {state.name}. The index is {distance}, told from {sessions} sessions."
