"""What else was weighed, with what it costs and where it ends."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from steelyard.arrays import dot
from steelyard.canonical import published
from steelyard.money import ZERO
from steelyard.planning.costs import cost_rate, exact
from steelyard.planning.document.orders import costs_of, turnover
from steelyard.planning.drift import drift_after, drift_of
from steelyard.planning.scored import Scored
from steelyard.planning.search.unrestricted import Unrestricted
from steelyard.planning.solve import Solution, step_order
from steelyard.plans.orders import Alternative, AlternativeStep


def proposers(m: Solution, scored: Scored) -> tuple[str, ...]:
    """Who proposed a set, in the order in which they ran."""
    return tuple(m.proposers.get(scored.row, ()))


def alternatives(m: Solution) -> Iterable[Alternative]:
    """Hold, the named lists, the runners-up, and the continuous optimum that no list reaches."""
    yield _alternative(m, "hold", m.choice.hold)
    for name, scored in m.choice.named.items():
        yield _alternative(m, name, scored)
    for n, scored in enumerate(m.choice.runners_up, start=1):
        yield _alternative(m, f"runner_up_{n}", scored)
    if m.evidence is not None:
        yield _unrestricted(m, m.evidence.unrestricted)


def _unrestricted(m: Solution, free: Unrestricted) -> Alternative:
    """Any quantities in any number of orders: figures alone, since no order list makes them."""
    ctx = m.ctx
    traded = np.abs(free.weights - ctx.weights)
    rates = np.array([cost_rate(ctx, i) for i in range(ctx.n)])
    cost = dot(traded, rates)
    charges = m.objective.rates.cost * cost
    cash = ctx.cash_weight - float((free.weights - ctx.weights).sum())
    return Alternative(
        name="unrestricted",
        score=m.choice.hold.evaluation.score + free.net + charges,
        improvement=free.net,
        cost=exact(published(cost * ctx.value)),
        turnover=float(traded.sum()) / 2,
        drift_after=drift_of(ctx, free.weights, cash),
        weights={
            symbol: float(w)
            for symbol, w, moved in zip(ctx.symbols, free.weights, traded, strict=True)
            if moved > 0
        },
        proposed_by=(),
        steps=(),
    )


def _alternative(m: Solution, name: str, scored: Scored) -> Alternative:
    order = step_order(m.orders, scored.row)
    return Alternative(
        name=name,
        score=scored.evaluation.score,
        improvement=scored.net,
        cost=sum((costs_of(m, j).total for j in order), ZERO),
        turnover=turnover(m.orders, order),
        drift_after=drift_after(m.ctx, m.orders, scored.row),
        weights=None,
        proposed_by=proposers(m, scored),
        steps=tuple(
            AlternativeStep(
                side=m.orders.side(j),
                symbol=m.ctx.symbols[m.orders.security[j]],
                quantity=m.orders.quantity[j],
            )
            for j in order
        ),
    )
