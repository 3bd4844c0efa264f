"""Cash generation: raise the cash that is missing with the fewest sales."""

from __future__ import annotations

from steelyard.arrays import IntArray
from steelyard.ledger import SAFETY, fill
from steelyard.modules.candidates import Candidates
from steelyard.modules.context import Context
from steelyard.modules.patterns import OneSequence, drawn_from, padded_rows, sells, shrinking
from steelyard.modules.registry import pattern_generator
from steelyard.settings import setting


class Params(OneSequence):
    """How much cash is wanted.

    When absent: the reserve, or more where the targets leave more to cash or, without targets,
    where the score prefers more.
    """

    cash_weight: float | None = setting(
        None, "cash to raise to, of value; by the other settings when absent", ge=0, le=1
    )


@pattern_generator(
    "cash_generation",
    version="1.0.0",
    params=Params,
    tags=("sell",),
    dependencies=(drawn_from("profit_taking", "rebalance_sells"),),
)
def cash_generation(ctx: Context, candidates: Candidates, params: Params) -> IntArray:
    """The fewest sales that raise the missing cash, the last the smallest that does; no buys."""
    goal = _goal(ctx) if params.cash_weight is None else params.cash_weight
    proceeds = -candidates.delta - candidates.cost
    drawn = sells(candidates, "profit_taking", "rebalance_sells")
    offered = sorted(shrinking(candidates, drawn), key=lambda row: -proceeds[row])
    depth, missing = ctx.search.max_depth, goal - candidates.account.cash
    orders: list[int] = []
    while missing > SAFETY and len(orders) < depth:
        fitting = [
            row
            for row in offered
            if len(fill(candidates.account, orders, [row], depth)) > len(orders)
        ]
        if not fitting:
            break
        enough = [row for row in fitting if proceeds[row] >= missing - SAFETY]
        row = enough[-1] if enough else fitting[0]
        orders.append(row)
        missing -= float(proceeds[row])
    return padded_rows([orders], depth)


def _goal(ctx: Context) -> float:
    """Cash that the settings ask for, of value."""
    preferred = ctx.preferred_cash if ctx.target_weights is None else ctx.target_cash
    return max(ctx.least_cash, preferred)
