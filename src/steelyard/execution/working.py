"""How orders are worked: steps of the walk and how long each thing is waited for."""

from __future__ import annotations

from decimal import Decimal

from steelyard.execution.settings import Exact
from steelyard.settings import Section, setting


class Working(Section):
    """How long execution waits, and at which prices it asks.

    walk   parts of the spread from our own side to the other one, a step each
    """

    walk: tuple[Exact, ...] = setting(
        (Decimal("0.5"), Decimal("0.75"), Decimal("0.95"), Decimal(1)),
        "limit of each step, as a part of the spread from our side to the far side",
        min_length=1,
        max_length=10,
    )
    far_side_tries: int = setting(
        3, "times that the far side is asked, each at its quote then", ge=1, le=10
    )
    step_wait_s: float = setting(10.0, "for fills, at each step", gt=0, le=3600)
    poll_s: float = setting(1.0, "between two looks at the broker", gt=0, le=60)
    cancel_wait_s: float = setting(30.0, "for a cancel to be confirmed", gt=0, le=3600)
    settle_timeout_s: float = setting(60.0, "for money, after the last sale is over", ge=0, le=3600)
    lookup_wait_s: float = setting(
        120.0, "for an order whose fate is unknown to be seen, at most", ge=0, le=3600
    )
    min_buying_power_base: Exact = setting(
        Decimal(10), "money under which nothing is bought", ge=0, le=10**9
    )
    min_order_base: Exact = setting(
        Decimal(5), "least order; full exits are exempt", ge=0, le=10**9
    )
    price_buffer_weight: Exact = setting(
        Decimal("0.005"),
        "by which the limit of an order that a person places may be worse than its price",
        ge=0,
        le=Decimal("0.05"),
    )
    reconcile_tol_shares: Exact = setting(
        Decimal("0.000001"),
        "by which books and broker may differ where a symbol has parts of a share",
        ge=0,
        le=Decimal("0.01"),
    )
    reconcile_tol_cash: Exact = setting(
        Decimal(0), "by which books and broker may differ, money of each currency", ge=0, le=100
    )
    exchange: str | None = setting(
        None,
        "also closed while this exchange is, by its rules: XNYS, XETR, …; needs the extra execute",
        min_length=1,
        max_length=20,
    )
    settlement_sessions: int = setting(
        1, "sessions from a sale to its money, as reports name the day", ge=0, le=10
    )
    sweep_fx: bool = setting(True, "may base cash pay what a foreign purchase lacks")
