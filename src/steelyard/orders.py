"""Order, fill and their life from new to settled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Side(StrEnum):
    """Direction of an order or a candidate."""

    BUY = "buy"
    SELL = "sell"


class OrderStatus(StrEnum):
    """Where an order is; UNKNOWN is never read as "did not happen"."""

    NEW = "new"
    WORKING = "working"
    PARTLY_FILLED = "partly_filled"
    FILLED = "filled"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


TERMINAL = frozenset(
    {OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.EXPIRED, OrderStatus.REJECTED}
)
OPEN = frozenset(OrderStatus) - TERMINAL


@dataclass(frozen=True, slots=True)
class Order:
    """An order as the account knows it.

    quantity, filled_quantity in shares; limit_price in the security's currency, None for a market
    order.
    """

    client_order_id: str
    symbol: str
    side: Side
    quantity: Decimal
    limit_price: Decimal | None
    status: OrderStatus = OrderStatus.NEW
    filled_quantity: Decimal = Decimal(0)
    created_at: datetime | None = None

    @property
    def open_quantity(self) -> Decimal:
        """Shares that may still trade; 0 for an order that is over."""
        return self.quantity - self.filled_quantity if self.status in OPEN else Decimal(0)
