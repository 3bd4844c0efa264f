"""Rails of the order at hand: it was approved, it is well formed, it is not too large."""

from __future__ import annotations

from decimal import Decimal

from steelyard.execution.rails.asking import (
    at_most,
    fresh,
    need,
    not_simulated,
    number,
    order_base,
    order_of,
    plan_of,
    positive,
    shown,
    value_of,
)
from steelyard.execution.rails.facts import ApprovedOrder, Facts
from steelyard.execution.rails.judge import Block, Pass, Verdict, rail

ZERO, ONE = Decimal(0), Decimal(1)


@rail("order", codes=("order_not_approved", "order_too_much"))
def approved(facts: Facts) -> Verdict:
    """Is it one of the approved orders, and with what is out no more than that?"""
    order, ticket = order_of(facts), order_of(facts).ticket
    if facts.purpose == "flatten":
        sells = Pass("a sale, no plan stands behind")
        return Block("order_not_approved", "only sales have no plan") if order.buys else sells
    allowed = plan_of(facts).approved.get(order.step)
    if allowed is None or _what(allowed) != (ticket.symbol, ticket.side, ticket.currency):
        words = f"step {order.step}: {ticket.side} {ticket.symbol} in {ticket.currency}"
        return Block("order_not_approved", f"{words} is not in the plan")
    rest = number(allowed.quantity, "the approved quantity") - number(allowed.filled, "the filled")
    return at_most(ticket.quantity, rest, "order_too_much", f"shares of step {order.step}")


def _what(allowed: ApprovedOrder) -> tuple[str, str, str]:
    return allowed.symbol, allowed.side, allowed.currency


@rail("order", codes=("duplicate",))
def duplicate(facts: Facts) -> Verdict:
    """Is no order of this id, or of this symbol and side, out already?"""
    twice = need(order_of(facts).duplicate, "whether it is out already")
    return Pass("the first") if twice is False else Block("duplicate", "it is out already")


@rail(
    "order",
    codes=(
        "no_quantity",
        "no_limit_price",
        "other_asset",
        "not_tradable",
        "no_whole_lot",
        "no_whole_tick",
        "below_least",
    ),
)
def ticket(facts: Facts) -> Verdict:
    """Is it a limit order of whole lots and ticks in a security that may be traded?"""
    order, ticket = order_of(facts), order_of(facts).ticket
    asset = need(facts.assets, "the securities").get(ticket.symbol)
    asset = need(asset, f"what the broker says of {ticket.symbol}")
    quantity, limit = number(ticket.quantity, "quantity"), number(ticket.limit_price, "limit")
    tick = asset.tick if limit >= 1 else asset.small_tick
    whole = quantity % positive(asset.lot_size, "the lot size") == 0 or _exit(facts)
    rules = (
        ("no_quantity", quantity > 0, f"quantity {quantity}"),
        ("no_limit_price", limit > 0, f"limit price {limit}"),
        ("other_asset", (asset.symbol, asset.currency) == (ticket.symbol, ticket.currency), "echo"),
        ("not_tradable", asset.tradable is True, f"{asset.symbol} may not be traded"),
        ("no_whole_lot", whole, f"{quantity} is no multiple of {asset.lot_size}"),
        ("no_whole_tick", limit % positive(tick, "the tick") == 0, f"{limit} is off {tick}"),
        (
            "below_least",
            number(order.value, "the amount") >= number(asset.least_notional, "the least"),
            f"{order.value}, at least {asset.least_notional}",
        ),
    )
    wrong = [Block(code, words) for code, right, words in rules if not right]
    return wrong[0] if wrong else Pass(f"limit {shown(limit)}, day, {shown(quantity)} shares")


def _exit(facts: Facts) -> bool:
    """Does it sell a whole holding? Then its quantity is the broker's, whatever the lot."""
    order = order_of(facts)
    if order.buys or not order.full_exit:
        return False
    allowed = None if facts.purpose == "flatten" else plan_of(facts).approved.get(order.step)
    return facts.purpose == "flatten" or (allowed is not None and allowed.full_exit)


@rail("order", "limits.max_order_weight", "limits.max_order_base", codes=("order_large",))
def order_value(facts: Facts) -> Verdict:
    """Is its amount not too large, of the value and in money?"""
    limits, amount = facts.limits, order_base(facts)
    most = limits.max_order_weight * value_of(facts)
    if limits.max_order_base is not None:
        most = min(most, limits.max_order_base)
    return at_most(amount, most, "order_large", "amount in base currency")


@rail("order", "limits.max_order_volume_weight", codes=("order_of_volume",))
def order_volume(facts: Facts) -> Verdict:
    """Is it a small part of what is traded in a day?"""
    ticket = order_of(facts).ticket
    quote = need(need(facts.quotes, "the quotes").get(ticket.symbol), "the quote")
    if quote.volume is None:
        return not_simulated(facts, "the mean volume of 20 days")
    most = facts.limits.max_order_volume_weight * positive(quote.volume, "the mean volume")
    return at_most(ticket.quantity, most, "order_of_volume", "shares")


@rail("order", codes=("short",))
def shares(facts: Facts) -> Verdict:
    """Are the shares to sell held, and bound by no other order?"""
    order = order_of(facts)
    if order.buys:
        return Pass("a buy")
    free = number(order.free_shares, "free shares")
    return at_most(order.ticket.quantity, free, "short", "shares to sell, of those free")


@rail("order", codes=("money_short",))
def cash(facts: Facts) -> Verdict:
    """Is the money for it here, its fee and what the plan keeps included?"""
    order = order_of(facts)
    if not order.buys:
        return Pass("a sale")
    cost = order_base(facts) + number(order.fee_base, "the fee")
    keep = ZERO if facts.purpose == "flatten" else number(plan_of(facts).keep_base, "the reserve")
    free = number(facts.free_cash_base, "free money") - keep
    return at_most(cost, free, "money_short", "cost in base currency, of free money")


@rail("order", "limits.max_position_weight", codes=("position_large",))
def position(facts: Facts) -> Verdict:
    """Does a buy leave its position within the limit, if one is set?"""
    limit = facts.limits.max_position_weight
    if limit is None:
        return Pass("no limit is set")
    if not order_of(facts).buys:
        return Pass("a sale")
    values = need(facts.values_base, "the positions' values")
    after = number(values.get(order_of(facts).ticket.symbol, ZERO), "its value")
    after += order_base(facts)
    return at_most(after, limit * value_of(facts), "position_large", "position in base currency")


@rail("order", "limits.max_sector_weight", codes=("sector_large",))
def sector(facts: Facts) -> Verdict:
    """Does a buy leave its sector within the limit, if one is set?"""
    limit = facts.limits.max_sector_weight
    if limit is None:
        return Pass("no limit is set")
    if not order_of(facts).buys:
        return Pass("a sale")
    symbol, sectors = order_of(facts).ticket.symbol, need(facts.sectors, "the sectors")
    sector = need(sectors.get(symbol), f"the sector of {symbol}")
    values = need(facts.values_base, "the positions' values")
    # a holding of no known sector may be of this one
    same = [value for name, value in values.items() if sectors.get(name, sector) == sector]
    after = number(sum(same, ZERO), "the sector's value") + order_base(facts)
    return at_most(after, limit * value_of(facts), "sector_large", f"{sector} in base currency")


@rail("order", "limits.fx_max_age_s", codes=("base_rate_not_1", "rate_old"))
def fx_rate(facts: Facts) -> Verdict:
    """Is the currency's rate known and young?"""
    order = order_of(facts)
    rate = positive(order.fx_rate, f"the rate of {order.ticket.currency}")
    if order.ticket.currency == need(facts.account, "the account").base_currency:
        words = f"the base currency, at {shown(rate)}"
        return Pass(words) if rate == ONE else Block("base_rate_not_1", words)
    if order.fx_at is None:
        return not_simulated(facts, "when the rate was so")
    return fresh(facts, order.fx_at, facts.limits.fx_max_age_s, "rate_old", "the rate")
