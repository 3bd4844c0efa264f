"""Rails of the market: its session, and the quote that an order is priced by."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from steelyard.brokers.broker import Quote
from steelyard.execution.rails.asking import (
    fresh,
    near,
    need,
    not_simulated,
    now,
    number,
    order_of,
    plan_of,
    positive,
    shown,
)
from steelyard.execution.rails.facts import Facts
from steelyard.execution.rails.judge import Block, Pass, Verdict, rail


@rail(
    "run",
    "limits.closed_first_s",
    "limits.closed_last_s",
    codes=("market_closed", "session_edge"),
)
def session(facts: Facts) -> Verdict:
    """Is the regular session open, and not in its first or last minutes?"""
    at = now(facts)
    session = need(facts.session, "the session: a day not known is closed")
    opens = session.opens + timedelta(seconds=facts.limits.closed_first_s)
    closes = session.closes - timedelta(seconds=facts.limits.closed_last_s)
    words = f"{at.isoformat()}, orders {opens.isoformat()} to {closes.isoformat()}"
    if need(facts.clock, "the broker's clock").is_open is not True:
        return Block("market_closed", words)
    return Pass(words) if opens <= at < closes else Block("session_edge", words)


def _quote(facts: Facts) -> Quote:
    """The order's; raises Missing."""
    symbol = order_of(facts).ticket.symbol
    return need(need(facts.quotes, "the quotes").get(symbol), f"the quote of {symbol}")


def _middle(facts: Facts) -> Decimal:
    """Between bid and ask, both above 0."""
    quote = _quote(facts)
    return (positive(quote.bid, "the bid") + positive(quote.ask, "the ask")) / 2


@rail("order", "limits.quote_max_age_s", codes=("quote_of_other", "quote_currency", "quote_old"))
def quote(facts: Facts) -> Verdict:
    """Is its quote of this symbol and currency, and young?"""
    quote, ticket = _quote(facts), order_of(facts).ticket
    if quote.symbol != ticket.symbol:
        return Block("quote_of_other", f"asked for {ticket.symbol}, answered {quote.symbol}")
    if quote.currency != ticket.currency:
        return Block("quote_currency", f"{quote.currency}, the order is in {ticket.currency}")
    return fresh(facts, quote.at, facts.limits.quote_max_age_s, "quote_old", "the quote")


@rail("order", "limits.max_spread_weight", codes=("quote_crossed", "spread_wide"))
def spread(facts: Facts) -> Verdict:
    """Is the ask above the bid, and not far above?"""
    quote, middle = _quote(facts), _middle(facts)
    words = f"bid {shown(quote.bid)}, ask {shown(quote.ask)}"
    serves = need(facts.capabilities, "what the broker can do").serves
    if serves == "file" and quote.ask == quote.bid:
        return Pass(f"the plan's price, {shown(quote.bid)}: a person places the order")
    if not quote.ask > quote.bid:
        return Block("quote_crossed", words)
    most = facts.limits.max_spread_weight
    words = f"{words}, apart at most {shown(most)} of the middle"
    within = quote.ask - quote.bid <= most * middle
    return Pass(words) if within else Block("spread_wide", words)


@rail("order", "limits.max_limit_gap_weight", codes=("limit_off_quote",))
def limit_price(facts: Facts) -> Verdict:
    """Is its limit price near the middle of the quote?"""
    limit, most = order_of(facts).ticket.limit_price, facts.limits.max_limit_gap_weight
    return near(limit, _middle(facts), most, "limit_off_quote", "limit and middle")


@rail("order", "limits.max_close_gap_weight", codes=("quote_off_close",))
def close_price(facts: Facts) -> Verdict:
    """Is the quote near the last official close?"""
    close = _quote(facts).reference
    if close is None:
        return not_simulated(facts, "the last official close")
    most = facts.limits.max_close_gap_weight
    return near(_middle(facts), close, most, "quote_off_close", "middle and close")


@rail("order", "limits.max_price_gap_weight", codes=("prices_disagree",))
def two_prices(facts: Facts) -> Verdict:
    """Do two independent prices agree: the quote, and the plan's or the last close?"""
    middle, most = _middle(facts), facts.limits.max_price_gap_weight
    if facts.purpose == "flatten":
        other = _quote(facts).reference
        if other is None:
            return not_simulated(facts, "a second price")
    else:
        step = order_of(facts).step
        order = need(plan_of(facts).approved.get(step), f"the plan's price of step {step}")
        other = number(order.price, "the plan's price")
    return near(middle, other, most, "prices_disagree", "two prices")
