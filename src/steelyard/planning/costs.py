"""What an order costs and which lots it sells: in floats of value for the table, in exact money for
the document.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, localcontext

import numpy as np

from steelyard.arrays import FloatArray, flags
from steelyard.modules.context import Context
from steelyard.money import ZERO, ExactMoney
from steelyard.plans.orders import Conversion, CostShown, PlanCosts, Step
from steelyard.portfolio import TaxLot
from steelyard.settings import Costs, Rules
from steelyard.strategies import Strategy

BPS = Decimal(10_000)

DIGITS = 100
"""No product of a quantity, a price, a rate of exchange and a rate of cost has more."""

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
    if not is_taxed(ctx) or ctx.holdings[i] is None:
        return 0.0
    tax = sum(
        float(shares) * tax_of_share(ctx, i, lot) for lot, shares in ctx.lots_sold(i, quantity)
    )
    return tax * float(ctx.fx[i]) / ctx.value


def is_taxed(ctx: Context) -> bool:
    """Is any gain taxed?"""
    return bool(ctx.score.tax_rate or ctx.score.tax_rate_long)


def tax_of_share(ctx: Context, i: int, lot: TaxLot) -> float:
    """Tax on one share of a lot, the security's currency; 0 where its cost is unknown."""
    return float(ctx.lot_rule.rate(lot)) * (ctx.gain_of(i, lot) or 0.0)


def least_tax_rate(ctx: Context, i: int) -> float:
    """Least tax per weight sold over the lots of security i, which makes a bound valid."""
    holding = ctx.holdings[i]
    if not is_taxed(ctx) or holding is None:
        return 0.0
    return min(
        (tax_of_share(ctx, i, lot) / float(ctx.prices[i]) for lot in holding.lots), default=0.0
    )


def sale_gain(ctx: Context, i: int, quantity: Decimal) -> float:
    """Net gain of a sale as the yearly budget counts it, of value.

    A lot of unknown cost counts as one that cost nothing: whatever it cost, its gain is no larger.
    """
    gain = sum(
        float(shares) * budgeted_gain(ctx, i, lot) for lot, shares in ctx.lots_sold(i, quantity)
    )
    return gain * float(ctx.fx[i]) / ctx.value


def budgeted_gain(ctx: Context, i: int, lot: TaxLot) -> float:
    """Gain of one share as the budget counts it, the security's currency."""
    gain = ctx.gain_of(i, lot)
    return float(ctx.prices[i]) if gain is None else gain


def exact_gain(ctx: Context, money: ExactMoney, i: int, quantity: Decimal) -> Decimal:
    """The same in base currency, exact."""
    with localcontext(prec=DIGITS):
        per_point = ctx.securities[i].multiplier * money.rates[i]
        gains = (
            shares * (money.shares[i] - (lot.unit_cost or ZERO) * per_point)
            for lot, shares in ctx.lots_sold(i, quantity)
        )
        return sum(gains, ZERO)


def gain_room(ctx: Context) -> Decimal | None:
    """Most net gain that a plan may realise, base currency, >= 0; None without a budget."""
    if ctx.lots.max_gain_base is None:
        return None
    return max(ZERO, exact(ctx.lots.max_gain_base) - (ctx.state.realised_gain or ZERO))


def min_order_weight(strategy: Strategy, value: float) -> float:
    """Least order, of value: its commission stays under `max_cost_share`, and it is not dust."""
    least = max(strategy.limits.min_trade_base / value, strategy.limits.min_trade_weight)
    return max(least, least_commissioned(strategy.rules) / value)


def least_of_new_money(ctx: Context) -> float:
    """Least order that new money makes, base currency: by its commission, and as is set."""
    return max(ctx.limits.min_trade_base, least_commissioned(ctx.rules))


def least_commissioned(rules: Rules) -> float:
    """Least order whose commission stays under `max_cost_share`, base currency; 0 where no order's
    can.
    """
    # in decimals, as both were written: close to each other, floats would leave noise to divide by
    spare = float(exact(rules.limits.max_cost_share) - exact(rules.costs.percent))
    return rules.costs.fixed / spare if spare > 0 else 0.0
