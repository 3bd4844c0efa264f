"""Answers of a broker that are numbers; what is none is as good as no answer."""

from __future__ import annotations

from collections.abc import Mapping

from steelyard.brokers.broker import Broker, BrokerAccount, Quote
from steelyard.errors import BrokerError


def account_of(broker: Broker) -> BrokerAccount:
    """What the broker says of the account; raises BrokerError where a figure is no number."""
    account = broker.account()
    figures = [figure for each in account.positions for figure in (each.quantity, each.available)]
    figures += [figure for each in account.cash for figure in (each.amount, each.spendable)]
    if not all(figure.is_finite() for figure in figures):
        raise BrokerError(
            f"The broker answers of the account {account.account_id} with a figure that is no "
            "number. Nothing was sent.",
            code="account_no_number",
            place=account.account_id,
        )
    return account


def usable(quotes: Mapping[str, Quote]) -> dict[str, Quote]:
    """Those with prices above 0 that do not cross; the others are as good as none."""
    return {symbol: quote for symbol, quote in quotes.items() if _is_market(quote)}


def _is_market(quote: Quote) -> bool:
    finite = quote.bid.is_finite() and quote.ask.is_finite()
    return finite and 0 < quote.bid <= quote.ask
