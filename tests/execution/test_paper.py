"""A plan that is traded on paper at its own prices leaves the cash that it says."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from builders import plans
from builders.paper import EXACT
from steelyard.brokers.broker import Accepted, Ticket
from steelyard.brokers.paper import open_paper
from steelyard.execution.approved import approved
from steelyard.execution.paper import opening_of
from steelyard.orders import Side

TICK, CENT = Decimal("0.01"), Decimal("0.01")
HALF_SPREADS = {"growth": Decimal(0), "euro": Decimal("0.0002")}


@pytest.mark.parametrize("name", sorted(HALF_SPREADS))
def test_cash_is_that_of_the_plan_but_for_ticks_and_the_spread_it_expects(
    name: str, tmp_path: Path
) -> None:
    plan = getattr(plans, name)()
    orders = approved(plan)
    broker = open_paper(tmp_path / "p.db", "tests", opening_of(orders), EXACT)
    rates = {orders.base_currency: Decimal(1), **orders.foreign_rates}
    slack = CENT
    for each in (*orders.sells, *orders.buys):
        quote = broker.quotes([each.symbol])[each.symbol]
        limit = quote.ask if each.side is Side.BUY else quote.bid
        reply = broker.submit(
            Ticket(
                client_order_id=f"o{each.step}", symbol=each.symbol, side=each.side,
                quantity=each.quantity, limit_price=limit, currency=each.currency,
            )
        )  # fmt: skip
        assert isinstance(reply, Accepted)
        amount = each.quantity * each.price
        apart = each.quantity * TICK + amount * HALF_SPREADS[name] + 3 * CENT
        slack += apart * Decimal("1.01") * rates[each.currency]

    account = broker.account()

    for currency, amount in plan.cash_after.items():
        assert abs(account.balance(currency).amount - amount) <= slack / rates[currency]
    shares = {held.symbol: held.quantity for held in account.positions}
    after = {row.symbol: row.quantity for row in plan.holdings_after if row.quantity}
    assert shares == after
