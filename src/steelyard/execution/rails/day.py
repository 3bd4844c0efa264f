"""Rails of the run and the day: how many, how much, how often refused, how much lost."""

from __future__ import annotations

from decimal import Decimal

from steelyard.execution.ids import PREFIX
from steelyard.execution.rails.asking import (
    NO_PLAN,
    at_most,
    need,
    now,
    number,
    order_base,
    order_of,
    plan_of,
    positive,
    seconds,
    shown,
    value_of,
)
from steelyard.execution.rails.facts import DayFacts, Facts
from steelyard.execution.rails.judge import Block, Pass, Verdict, rail
from steelyard.orders import Side

HOUR = 3600


def _day(facts: Facts) -> DayFacts:
    return need(facts.day, "what the journal has of the day")


@rail(
    "order",
    "limits.max_orders_a_day",
    "limits.max_orders_without_plan",
    "limits.max_attempts_per_order",
    codes=("orders_today", "orders_in_run", "attempts"),
)
def order_count(facts: Facts) -> Verdict:
    """Are there not too many orders: of this step, this run, this day?"""
    day, limits = _day(facts), facts.limits
    most = limits.max_orders_without_plan
    if facts.purpose != "flatten":
        most = len(plan_of(facts).approved) * limits.max_attempts_per_order
    counts = (
        ("orders_today", day.orders_today, limits.max_orders_a_day, "sent today"),
        ("orders_in_run", day.orders_in_run, most, "sent in this run"),
        ("attempts", order_of(facts).attempt, limits.max_attempts_per_order, "sent of this step"),
    )
    for code, sent, limit, what in counts:
        if not 0 <= sent < limit:
            return Block(code, f"{sent} {what}, at most {limit}")
    return Pass(f"{day.orders_in_run} in this run, {day.orders_today} today")


@rail("order", "limits.min_order_gap_s", codes=("pace",))
def pace(facts: Facts) -> Verdict:
    """Has enough time passed since the last order?"""
    last = _day(facts).last_order_at
    if last is None:
        return Pass("the first")
    gap = seconds(last, now(facts))
    words = f"{shown(gap)} s since the last order, at least {facts.limits.min_order_gap_s}"
    return Pass(words) if gap >= facts.limits.min_order_gap_s else Block("pace", words)


@rail("order", "limits.max_turnover_weight", codes=("turnover",))
def turnover(facts: Facts) -> Verdict:
    """Do the day's buys and sells stay within the limit, this order included?"""
    total = number(_day(facts).turnover_base, "the day's turnover") + order_base(facts)
    most = facts.limits.max_turnover_weight * value_of(facts)
    return at_most(total, most, "turnover", "bought and sold today in base currency")


@rail(
    "run",
    "limits.loss_sells_only_weight",
    "limits.loss_halt_weight",
    codes=("loss_halt", "loss_sells_only"),
)
def loss(facts: Facts) -> Verdict:
    """Has not too much been lost since the session opened?

    A person's `flatten` is not stopped by a loss: it may be the answer to it.
    """
    opening = positive(facts.equity_open_base, "the value at the opening")
    value, limits = number(facts.equity_base, "the value now"), facts.limits
    words = f"value {shown(value)}, at the opening {shown(opening)}"
    if facts.purpose == "flatten":
        return Pass(words)
    if not value > opening * (1 - limits.loss_halt_weight):
        return Block("loss_halt", f"{words}: a loss of {limits.loss_halt_weight} or more")
    few = value > opening * (1 - limits.loss_sells_only_weight)
    if not few and facts.order is not None and facts.order.buys:
        return Block("loss_sells_only", f"{words}: from {limits.loss_sells_only_weight} on no buys")
    return Pass(words)


@rail("run", "limits.max_rejects_in_row", "limits.max_rejects", codes=("rejects_in_row", "rejects"))
def rejects(facts: Facts) -> Verdict:
    """Has the broker not refused too many orders?"""
    day, limits = _day(facts), facts.limits
    if not 0 <= day.rejects_in_row < limits.max_rejects_in_row:
        return Block("rejects_in_row", f"{day.rejects_in_row} refused one after another")
    if not 0 <= day.rejects < limits.max_rejects:
        return Block("rejects", f"{day.rejects} refused in this run")
    return Pass(f"{day.rejects} refused")


@rail("run", "limits.max_failures", codes=("failures",))
def failures(facts: Facts) -> Verdict:
    """Have not too many runs failed within 24 hours?"""
    count = _day(facts).failures
    words = f"{count} runs failed within 24 hours, {facts.limits.max_failures} halt"
    return Pass(words) if 0 <= count < facts.limits.max_failures else Block("failures", words)


@rail(
    "order",
    "limits.sell_fail_block_base",
    "limits.sell_fail_block_weight",
    codes=("sells_failed",),
)
def failed_sells(facts: Facts) -> Verdict:
    """Have the sells that pay for a buy brought nearly all of their money?"""
    if not order_of(facts).buys:
        return Pass("a sale")
    limits = facts.limits
    most = max(limits.sell_fail_block_base, limits.sell_fail_block_weight * value_of(facts))
    failed = _day(facts).failed_sells_base
    return at_most(failed, most, "sells_failed", "not brought by sells, in base currency")


@rail("order", codes=("restricted",))
def restricted(facts: Facts) -> Verdict:
    """Is the symbol not on the list of those that nobody may trade?"""
    symbol = order_of(facts).ticket.symbol
    names = need(facts.restricted, "the list of restricted symbols")
    return Block("restricted", symbol) if symbol in names else Pass(f"not among {len(names)}")


@rail("order", codes=("foreign_order", "opposite_order"))
def open_orders(facts: Facts) -> Verdict:
    """Is no order open in this symbol that is not ours, or of the other side?"""
    ticket = order_of(facts).ticket
    for order in need(facts.account, "the account").open_orders:
        if order.symbol != ticket.symbol:
            continue
        if not order.client_order_id.startswith(PREFIX):
            return Block("foreign_order", f"{order.broker_id} in {order.symbol} is not ours")
        if order.side != ticket.side:
            return Block("opposite_order", f"{order.client_order_id} is a {order.side}")
    return Pass("none in the way")


@rail("order", "limits.opposite_trade_hours", codes=("opposite_trade",))
def opposite_trade(facts: Facts) -> Verdict:
    """Was nothing traded lately in this symbol on the other side, by another run?

    A person's `flatten` is not stopped by it.
    """
    if facts.purpose == "flatten":
        return NO_PLAN
    ticket = order_of(facts).ticket
    other = Side.SELL if ticket.side is Side.BUY else Side.BUY
    at = need(facts.last_trades, "the last trades").get((ticket.symbol, other))
    if at is None:
        return Pass("none")
    hours = seconds(at, now(facts)) / HOUR
    words = f"a {other} {shown(hours)} hours ago, at least {facts.limits.opposite_trade_hours}"
    enough = hours >= Decimal(facts.limits.opposite_trade_hours)
    return Pass(words) if enough else Block("opposite_trade", words)
