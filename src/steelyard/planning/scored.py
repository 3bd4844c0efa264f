"""One set of orders scored by the readable reference evaluator: what is published comes from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from steelyard.modules.candidates import Orders
from steelyard.modules.context import Context
from steelyard.planning.score.objective import Objective
from steelyard.planning.score.reference import Evaluation
from steelyard.planning.score.reference import evaluate as reference


@dataclass(frozen=True, slots=True)
class Scored:
    """A set of orders and what it is worth by the reference evaluator.

    row      indices into the table, ascending
    net      improvement over hold after charges
    cost     of value
    """

    row: tuple[int, ...]
    evaluation: Evaluation
    net: float
    cost: float
    charges: tuple[float, float, float]


def score_set(
    ctx: Context, objective: Objective, orders: Orders, row: Sequence[int], hold: float
) -> Scored:
    """Score one set by the reference evaluator; `hold` is the score of doing nothing."""
    weights, at = orders.after(ctx.weights, row), list(row)
    cash = ctx.cash_weight - math.fsum(orders.delta[at].tolist())
    evaluation = reference(objective.terms, objective.weights, weights, cash)
    cost, tax = math.fsum(orders.cost[at].tolist()), math.fsum(orders.tax[at].tolist())
    rates = objective.rates
    charges = (rates.cost * cost, rates.tax * tax, rates.hurdle * float(orders.hurdled[at].sum()))
    return Scored(
        tuple(row),
        evaluation,
        math.fsum((evaluation.score, -hold, *(-charge for charge in charges))),
        cost,
        charges,
    )


def doing_nothing(ctx: Context, objective: Objective, orders: Orders) -> Scored:
    """Doing nothing."""
    hold = score_set(ctx, objective, orders, (), 0.0)
    return Scored((), hold.evaluation, 0.0, 0.0, (0.0, 0.0, 0.0))
