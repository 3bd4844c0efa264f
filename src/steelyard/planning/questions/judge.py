"""What a list of orders is worth under the rules of another strategy, on the same snapshot.

The orders are the same whole lots; scales, weights of the terms, costs, taxes and the hurdle are
the judge's. What its planning set lacks and somebody trades is in its context beside that set, so
that two lists are always scored by one context.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from steelyard.arrays import frozen
from steelyard.modules.candidates import Orders
from steelyard.modules.context import Context
from steelyard.orders import Side
from steelyard.planning.case import Case
from steelyard.planning.contexts import context_of
from steelyard.planning.findings import Findings
from steelyard.planning.guard import Guard, settled
from steelyard.planning.score.objective import Objective, objective_of
from steelyard.planning.scored import score_set
from steelyard.planning.sizing import exactly
from steelyard.planning.solve import Solution
from steelyard.planning.table import account_of, orders_table


@dataclass(frozen=True, slots=True)
class Traded:
    """One order of a plan: `free` of the hurdle, for it is traded whatever the score gains."""

    symbol: str
    side: Side
    quantity: Decimal
    free: bool


def traded(solution: Solution) -> tuple[Traded, ...]:
    """The orders of a plan; none of one that holds."""
    orders, ctx = solution.orders, solution.ctx
    return tuple(
        Traded(
            ctx.symbols[int(orders.security[j])],
            orders.side(j),
            orders.quantity[j],
            not orders.hurdled[j],
        )
        for j in solution.choice.plan.row
    )


def judged(case: Case, lists: Sequence[Sequence[Traded]]) -> tuple[float, ...]:
    """The score of each list's end state, less its charges, under the case's strategy.

    On the scale of `score.hold + score.improvement` of a plan: 1 is 100 points. Raises PlanRefused
    where the strategy cannot value the snapshot.
    """
    symbols = {order.symbol for orders in lists for order in orders}

    def scored(guard: Guard) -> tuple[float, ...]:
        own, _, ctx = context_of(case, guard.findings, also=symbols)
        objective = objective_of(ctx, own.strategy, guard)
        return tuple(_score(ctx, objective, orders) for orders in lists)

    return settled(scored, Guard(disabled=case.disabled, findings=Findings()))


def _score(ctx: Context, objective: Objective, orders: Iterable[Traded]) -> float:
    rows = tuple(orders)
    table = _table(ctx, rows)
    return score_set(ctx, objective, table, range(len(rows)), 0.0).net


def _table(ctx: Context, rows: Sequence[Traded]) -> Orders:
    sized = [exactly(ctx, row.symbol, row.side, row.quantity, ()) for row in rows]
    table = orders_table(ctx, sized, (None,) * len(sized), account_of(ctx, sized))
    free = frozen(np.array([row.free for row in rows], dtype=np.bool_))
    return replace(table, free=free)
