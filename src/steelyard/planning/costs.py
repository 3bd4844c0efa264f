"""What an order costs: in floats of value for the table, in exact money for the document."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from steelyard.modules.context import Context
from steelyard.money import ZERO
from steelyard.plans.orders import (
    CostShown,
    PlanCosts,
    Step,
)
from steelyard.settings import Costs

HALF_SPREAD_BPS = 20_000
"""A spread in bps over this is half the spread as a fraction."""


def order_cost(ctx: Context, i: int, weight: float) -> float:
    """Commission, half the spread and the conversion margin of one order, of value."""
    return ctx.costs.fixed / ctx.value + weight * cost_rate(ctx, i)


def cost_rate(ctx: Context, i: int) -> float:
    """Proportional cost of trading security i, a fraction of the order's amount."""
    foreign = ctx.securities[i].currency != ctx.base_currency
    return (
        ctx.costs.percent
        + ctx.costs.spread_bps / HALF_SPREAD_BPS
        + (ctx.costs.fx_percent if foreign else 0.0)
    )


BPS = Decimal(10_000)


def order_costs(costs: Costs, notional_base: Decimal, *, foreign: bool) -> CostShown:
    """Commission, half the spread and the conversion margin of one order, base currency, exact."""
    commission = _exact(costs.fixed) + _exact(costs.percent) * notional_base
    spread = _exact(costs.spread_bps) / 2 / BPS * notional_base
    fx = _exact(costs.fx_percent) * notional_base if foreign else ZERO
    return CostShown(total=commission + spread + fx, commission=commission, spread=spread, fx=fx)


def exact_cost(costs: Costs, notional_base: Decimal, *, foreign: bool) -> Decimal:
    """The total of `order_costs`."""
    rate = _exact(costs.percent) + _exact(costs.spread_bps) / 2 / BPS
    return _exact(costs.fixed) + (rate + _exact(costs.fx_percent) * foreign) * notional_base


def _exact(setting: float) -> Decimal:
    """The decimal that the setting was written as."""
    return Decimal(repr(setting))


def total_costs(steps: Iterable[Step], tax: Decimal | None) -> PlanCosts:
    """Sum over the steps."""
    parts = [step.costs for step in steps]
    return PlanCosts(
        total=sum((c.total for c in parts), ZERO),
        commission=sum((c.commission for c in parts), ZERO),
        spread=sum((c.spread for c in parts), ZERO),
        fx=sum((c.fx for c in parts), ZERO),
        tax=tax,
    )
