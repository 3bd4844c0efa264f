"""The second half of a plan whose sales only fund later buys, in exact money."""

from __future__ import annotations

from steelyard.money import ZERO
from steelyard.planning.document.account import settlement_date
from steelyard.planning.document.orders import costs_of, notional_base
from steelyard.planning.drift import drift_of
from steelyard.planning.solve import Solution, step_order
from steelyard.plans.orders import LaterStep, SecondHalf


def half_shown(m: Solution, then: Solution | None) -> SecondHalf | None:
    """What the next plan does, and the drift after both, at the weights of this one."""
    if then is None:
        return None
    order, weights = step_order(then.orders, then.choice.plan.row), m.ctx.weights.copy()
    cash = m.ctx.cash_weight
    for half in (m, then):
        for j in half.choice.plan.row:
            i = m.ctx.place[half.ctx.symbols[half.orders.security[j]]]
            weight = float(half.orders.delta[j]) * half.ctx.value / m.ctx.value
            weights[i], cash = weights[i] + weight, cash - weight
    steps = tuple(
        LaterStep(
            side=then.orders.side(j),
            symbol=then.ctx.symbols[then.orders.security[j]],
            quantity=then.orders.quantity[j],
            notional_base=notional_base(then, j),
        )
        for j in order
    )
    return SecondHalf(
        on=settlement_date(m.case.snapshot.as_of, m.ctx.limits.settlement_days),
        steps=steps,
        cost=sum((costs_of(then, j).total for j in order), ZERO),
        drift_after=drift_of(m.ctx, weights, cash) or 0.0,
    )
