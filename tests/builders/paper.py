"""Paper accounts for tests."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from steelyard.brokers.broker import Ticket
from steelyard.brokers.paper import Fees, Opening, PaperBroker, PaperPrice, Script, open_paper
from steelyard.orders import Side

DAY = date(2026, 3, 10)
EARLY = datetime(2000, 1, 1, tzinfo=UTC)
PRICES = {
    "AA": PaperPrice(Decimal(100), "USD"), "BB": PaperPrice(Decimal(50), "EUR"),
    "WW": PaperPrice(Decimal("7.5"), "USD", lot_size=Decimal(1)),
    "TT": PaperPrice(Decimal("0.4712"), "EUR"),
}  # fmt: skip
EXACT = Script(instant=True, spread_bps=0.0, wobble_bps=0.0)
"""Everything fills at once and at the price."""


def opening(**changes: Any) -> Opening:
    """Euros, a few dollars, and shares quoted in both."""
    fields: dict[str, Any] = {
        "as_of": DAY, "base_currency": "EUR", "positions": {"AA": Decimal(10), "WW": Decimal(40)},
        "cash": {"EUR": Decimal(1000), "USD": Decimal(100)}, "prices": PRICES,
        "rates": {"USD": Decimal("0.9")}, "fees": Fees(Decimal(2), Decimal("0.002")),
    }  # fmt: skip
    return Opening(**{**fields, **changes})


def paper(folder: Path, script: Script = EXACT, **changes: Any) -> PaperBroker:
    """An account of its own."""
    return open_paper(folder / "paper.db", "tests", opening(**changes), script)


def ticket(name: str, side: str, symbol: str, quantity: str, limit: str) -> Ticket:
    """An order; the symbol's currency."""
    return Ticket(
        client_order_id=name, symbol=symbol, side=Side(side), quantity=Decimal(quantity),
        limit_price=Decimal(limit), currency=PRICES[symbol].currency,
    )  # fmt: skip
