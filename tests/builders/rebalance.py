"""Small accounts for exact rebalancing: `account("A 40 @ 100", cash="2000")`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from steelyard.orders import Order
from steelyard.portfolio import Holding, Security, Snapshot, TaxLot
from steelyard.rebalance import RebalancePlan, Thresholds, calculate_rebalance_plan
from steelyard.rebalance.weights import Weight

DAY = date(2026, 3, 10)
STEP = "0.000001"
PLAIN = Thresholds(cash_reserve_weight=Decimal(0))
"""The thresholds of the scenarios: no reserve, a band of one point, 5 in money."""


def account(
    *held: str, cash: str = "0", step: str = STEP, orders: tuple[Order, ...] = ()
) -> Snapshot:
    """`"A 40 @ 100"`: 40 shares at 100; a quantity of 0 is a security to buy."""
    rows = [text.replace("@", " ").split() for text in held]
    holdings = [
        Holding(s, Decimal(q), (TaxLot(Decimal(q)),) if Decimal(q) else (), price=Decimal(p))
        for s, q, p in rows
    ]
    securities = tuple(Security(s, "USD", lot_size=Decimal(step)) for s, _, _ in rows)
    return Snapshot(
        DAY, "USD", tuple(holdings), {"USD": Decimal(cash)}, securities, open_orders=orders
    )


def rows(
    snapshot: Snapshot, targets: Mapping[str, Weight], rules: Thresholds = PLAIN
) -> dict[str, RebalancePlan]:
    return calculate_rebalance_plan(targets, snapshot, rules=rules)


def told(plans: Mapping[str, RebalancePlan]) -> dict[str, str]:
    """Symbol -> `"BUY 1000"` or `"HOLD within_band"`, in the order of the rows."""
    return {
        symbol: f"{row.direction} {abs(row.trade_amount).normalize():f}"
        if row.trades
        else f"{row.direction} {row.reason}"
        for symbol, row in plans.items()
    }
