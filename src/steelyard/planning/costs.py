"""What an order costs and which lots it sells: in floats of value for the table, in exact money for
the document.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

import numpy as np

from steelyard.arrays import FloatArray, flags
from steelyard.modules.context import Context
from steelyard.money import ZERO
from steelyard.plans.orders import Conversion, CostShown, PlanCosts, Step
from steelyard.portfolio import TaxLot
from steelyard.settings import Costs
from steelyard.strategies import Strategy

BPS = Decimal(10_000)

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


def cost_rates(ctx: Context) -> FloatArray:
    """(n,) `cost_rate` of every security."""
    foreign = flags(security.currency != ctx.base_currency for security in ctx.securities)
    home = ctx.costs.percent + ctx.costs.spread_bps / HALF_SPREAD_BPS
    return home + np.where(foreign, ctx.costs.fx_percent, 0.0)


def order_costs(costs: Costs, notional_base: Decimal, *, foreign: bool) -> CostShown:
    """Commission, half the spread and the conversion margin of one order, base currency, exact."""
    commission = exact(costs.fixed) + exact(costs.percent) * notional_base
    spread = exact(costs.spread_bps) / 2 / BPS * notional_base
    fx = exact(costs.fx_percent) * notional_base if foreign else ZERO
    return CostShown(total=commission + spread + fx, commission=commission, spread=spread, fx=fx)


def exact_cost(costs: Costs, *, foreign: bool) -> tuple[Decimal, Decimal]:
    """The total of `order_costs`: what an order costs, and what a unit of its amount does."""
    rate = exact(costs.percent) + exact(costs.spread_bps) / 2 / BPS
    return exact(costs.fixed), rate + exact(costs.fx_percent) * foreign


def exact(setting: float) -> Decimal:
    """The decimal that the setting was written as."""
    return Decimal(repr(setting))


def with_fx(costs: CostShown, fx: Decimal) -> CostShown:
    """Costs with another margin: that of what is really converted."""
    total = costs.commission + costs.spread + fx
    return costs.model_copy(update={"total": total, "fx": fx})


def total_costs(
    steps: Iterable[Step], conversions: Iterable[Conversion], tax: Decimal | None
) -> PlanCosts:
    """Sum over the steps, and over all that is converted."""
    parts = [step.costs for step in steps]
    commission = sum((c.commission for c in parts), ZERO)
    spread = sum((c.spread for c in parts), ZERO)
    fx = sum((line.cost for line in conversions), ZERO)
    total = commission + spread + fx
    return PlanCosts(total=total, commission=commission, spread=spread, fx=fx, tax=tax)


def sale_tax(ctx: Context, i: int, quantity: Decimal) -> float:
    """Tax of a sale, of value: negative for a loss, 0 when not charged or the cost is unknown."""
    holding = ctx.holdings[i]
    if ctx.score.tax_rate == 0 or holding is None:
        return 0.0
    multiplier = ctx.securities[i].multiplier
    gain = sum(
        float(shares) * (float(ctx.prices[i]) - float(lot.unit_cost * multiplier))
        for lot, shares in lots_sold(holding.lots, quantity)
        if lot.unit_cost is not None
    )
    return ctx.score.tax_rate * gain * float(ctx.fx[i]) / ctx.value


def least_tax_rate(ctx: Context, i: int) -> float:
    """Least tax per weight sold over the lots of security i, which makes a bound valid."""
    holding = ctx.holdings[i]
    if ctx.score.tax_rate == 0 or holding is None:
        return 0.0
    multiplier = ctx.securities[i].multiplier
    gains = [
        1 - float(lot.unit_cost * multiplier) / float(ctx.prices[i])
        for lot in holding.lots
        if lot.unit_cost is not None
    ]
    unknown = len(gains) < len(holding.lots)
    return ctx.score.tax_rate * min([*gains, *([0.0] if unknown else [])], default=0.0)


def by_age(lots: Sequence[TaxLot]) -> list[TaxLot]:
    """Oldest first, unknown dates before all; of one date the dearest: row order is no input."""
    return sorted(
        lots,
        key=lambda lot: (
            lot.acquired is not None,
            lot.acquired or date.min,
            -(lot.unit_cost or 0),
            -lot.quantity,
        ),
    )


def lots_sold(lots: Sequence[TaxLot], quantity: Decimal) -> list[tuple[TaxLot, Decimal]]:
    """Oldest lots first; lots of an unknown date come first of all."""
    rest, sold = quantity, []
    for lot in by_age(lots):
        part = min(lot.quantity, rest)
        if part > 0:
            sold.append((lot, part))
            rest -= part
    return sold


def min_order_weight(strategy: Strategy, value: float) -> float:
    """Least order, of value: its commission stays under `max_cost_share`, and it is not dust."""
    least = max(strategy.limits.min_trade_base / value, strategy.limits.min_trade_weight)
    # in decimals, as both were written: close to each other, floats would leave noise to divide by
    spare = float(
        Decimal(repr(strategy.limits.max_cost_share)) - Decimal(repr(strategy.costs.percent))
    )
    return max(least, strategy.costs.fixed / spare / value) if spare > 0 else least
