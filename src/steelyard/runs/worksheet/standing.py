"""What an account comes to under some orders: score, drift, money, and what is outside its band."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from decimal import Decimal

from steelyard.arrays import FloatArray
from steelyard.modules.context import Context
from steelyard.money import ZERO
from steelyard.planning.bands import ON_EDGE, edges_of, free_cash
from steelyard.planning.document.account import cash_ladder
from steelyard.planning.document.gains import tax_of
from steelyard.planning.document.orders import carried_out, costs_of, turnover
from steelyard.planning.solve import Solution, step_order
from steelyard.plans.account import CashRung
from steelyard.plans.orders import CostShown, PlanCosts
from steelyard.runs.worksheet.records import Lowest, Standing
from steelyard.targets import CASH


def standing_of(m: Solution) -> Standing:
    """Under the orders of a solution."""
    row = m.choice.plan.row
    paid = carried_out(m, step_order(m.orders, row))
    fx = sum((line.cost for line in paid.conversions), ZERO)
    cash = free_cash(m.ctx) - math.fsum(m.orders.delta[list(row)].tolist())
    weights = m.orders.after(m.ctx.weights, row)
    return Standing(
        orders=len(row),
        score=m.choice.plan.evaluation.score,
        net=m.choice.plan.net,
        drift=m.drift,
        costs=_costs([costs_of(m, j) for j in row], fx, tax_of(m)),
        turnover=turnover(m.orders, row),
        cash=paid.balances,
        lowest=_lowest(cash_ladder(m, paid.balances)),
        cash_weight=cash,
        outside=tuple(_outside(m.ctx, weights, cash)),
    )


def _costs(parts: list[CostShown], fx: Decimal, tax: Decimal | None) -> PlanCosts:
    """Of the orders; conversion is of all that is converted."""
    commission = sum((part.commission for part in parts), ZERO)
    spread = sum((part.spread for part in parts), ZERO)
    total = commission + spread + fx
    return PlanCosts(total=total, commission=commission, spread=spread, fx=fx, tax=tax)


def _lowest(ladder: Iterable[CashRung]) -> dict[str, Lowest]:
    lowest: dict[str, Lowest] = {}
    for rung in ladder:
        before = lowest.get(rung.currency)
        if before is None or rung.balance < before.amount:
            lowest[rung.currency] = Lowest(amount=rung.balance, on=rung.date)
    return lowest


def _outside(ctx: Context, weights: FloatArray, cash: float) -> Iterator[str]:
    """What ends outside its band, by its name."""
    edges = edges_of(ctx)
    if edges is None:
        return
    away = (weights < edges.low - ON_EDGE) | (weights > edges.high + ON_EDGE)
    yield from (symbol for symbol, off in zip(ctx.symbols, away.tolist(), strict=True) if off)
    for band in ctx.class_bands:
        weight = float(weights[list(band.members)].sum())
        if not band.low - ON_EDGE <= weight <= band.high + ON_EDGE:
            yield f"class {band.name}"
    low, high = edges.cash
    if not low - ON_EDGE <= cash <= high + ON_EDGE:
        yield CASH
