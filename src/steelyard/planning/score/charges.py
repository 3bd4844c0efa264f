"""What trading is charged in the score: costs, tax brought forward, and a hurdle per order.

Intent: costs are certain and gains are estimates, so a cost counts `cost_aversion` times, spread
over `holding_years`; tax on a sale is paid now instead of `tax_years` later; and each order must be
worth looking at.
With lambda = max(W_total_return / (hi - lo), `min_score_per_return`), the score of one unit of
yearly return:
    cost    lambda x aversion / holding years            per unit of cost / V
    tax     lambda x (1 - (1 + mu_0)^-h) / h             per unit of tax / V, mu_0 the prior return,
            h = `tax_years`
    hurdle  per order
All are linear in the orders, so they cost the search nothing. The score's cash is before costs: a
cost is charged here and nowhere else.
Source: a multiplier above 1 on costs as in Boyd et al., Multi-Period Trading via Convex
Optimization (2017).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from steelyard.modules.context import Context


@dataclass(frozen=True, slots=True)
class ChargeRates:
    """Score per unit of cost / V, per unit of tax / V, and per order.

    per_return   lambda, the score of one unit of yearly return: a score over it is a return a year
    """

    cost: float
    tax: float
    hurdle: float
    per_return: float = 1.0

    def base_per_year(self, score: float, value: float) -> Decimal:
        """What a score is worth a year in money, cents; `value` of the portfolio, base currency."""
        return Decimal(f"{score / self.per_return * value:.2f}")

    def total(self, cost: float, tax: float, orders: int) -> float:
        """Charge of a set of orders: `cost` and `tax` as fractions of V, tax < 0 for a loss."""
        return self.cost * cost + self.tax * tax + self.hurdle * orders


def charge_rates(ctx: Context, weights: Mapping[str, float]) -> ChargeRates:
    """The rates; without a total return term the least score per return stands."""
    settings = ctx.score
    lo, hi = settings.anchors.tr
    per_return = max(weights.get("total_return", 0.0) / (hi - lo), settings.min_score_per_return)
    discount: float = (1 + settings.neutral.mu) ** -settings.tax_years
    return ChargeRates(
        cost=per_return * settings.cost_aversion / settings.holding_years,
        tax=per_return * (1 - discount) / settings.tax_years,
        hurdle=settings.order_hurdle,
        per_return=per_return,
    )
