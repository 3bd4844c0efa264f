"""After the sales: wait for their money to be spendable, and shrink the buys to what arrived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from steelyard.brokers.broker import BrokerAccount
from steelyard.errors import BrokerError
from steelyard.execution.answers import account_of
from steelyard.execution.approved import Instruction
from steelyard.execution.desk import Desk, Halted, Sight, calendar
from steelyard.execution.evidence import floor_of, free_cash, spendable
from steelyard.execution.journal import rows
from steelyard.execution.legs import price
from steelyard.execution.legs.work import Rest, Sized
from steelyard.execution.sessions import settlement
from steelyard.ledger import Purchase, resize
from steelyard.money import ZERO
from steelyard.orders import Side

BACK_OFF = (1.0, 2.0, 4.0, 8.0, 10.0)
"""Seconds between two looks; the last one for ever."""
TICK = Decimal("0.0001")
"""No price is less: what is rounded down to nothing still costs something."""


def wait_for_money(desk: Desk) -> Decimal:
    """Wait until what the sales brought is spendable; base money that is not yet, at the deadline.

    Raises Halted where the broker does not say what there is.
    """
    waited, looks = 0.0, 0
    while True:
        missing = _missing(desk)
        if missing is not None and missing <= 0:
            return ZERO
        if waited >= desk.working.settle_timeout_s:
            break
        pause = min(BACK_OFF[min(looks, len(BACK_OFF) - 1)], desk.working.settle_timeout_s - waited)
        desk.broker.wait(pause)
        waited, looks = waited + pause, looks + 1
    if missing is None:
        raise Halted(
            f"The broker does not say what money there is: asked for {waited:g} seconds. Nothing "
            "further was sent. Continue with: steelyard resume",
            code="money_unknown",
            hint="steelyard resume",
        )
    return missing


def _missing(desk: Desk) -> Decimal | None:
    """Base money that the account has and does not let us spend; None = it does not say."""
    try:
        account = account_of(desk.broker)
    except BrokerError:
        return None
    rates = desk.approved.rates
    sold = {
        row.currency for row in rows.fills(desk.journal, run_id=desk.run_id)
        if row.side is Side.SELL
    } | {desk.approved.base_currency}  # fmt: skip
    return sum(
        (
            (balance.amount - balance.spendable) * rates[balance.currency]
            for balance in account.cash
            if balance.currency in sold
        ),
        ZERO,
    )


def fitted(
    desk: Desk, sight: Sight, rest: Rest, part: Decimal, unsettled: Decimal = ZERO
) -> list[Sized]:
    """Buys at the size that the money pays for now, asked at a part of the spread.

    rest   most shares of each
    Raises Halted where the broker does not say what money there is.
    """
    if sight.account is None or sight.quotes is None:
        raise Halted(
            "The broker does not say what money there is, or at which prices. Nothing further was "
            "sent. Continue with: steelyard resume",
            code="money_unknown",
            hint="steelyard resume",
        )
    pool, own = money(desk, sight.account, sight)
    purchases = [_purchase(desk, each, quantity, sight, part) for each, quantity in rest]
    sizes = _sizes(desk, purchases, pool, own)
    until = _settled_on(desk, sight) if unsettled > 0 else ""
    why = _why(desk, pool + sum(own.values(), ZERO), unsettled, until)
    return [
        Sized(each, size, "" if size == quantity else why)
        for (each, quantity), size in zip(rest, sizes, strict=True)
    ]


def _sizes(
    desk: Desk, purchases: Sequence[Purchase], pool: Decimal, own: Mapping[str, Decimal]
) -> Sequence[Decimal]:
    if pool + sum(own.values(), ZERO) < desk.working.min_buying_power_base:
        return [ZERO] * len(purchases)
    if desk.working.sweep_fx:
        return resize(purchases, pool, own)
    base = desk.approved.base_currency
    ours = resize([_if(each, each.currency == base) for each in purchases], pool, {})
    others = resize([_if(each, each.currency != base) for each in purchases], ZERO, own)
    return [mine or theirs for mine, theirs in zip(ours, others, strict=True)]


def _if(purchase: Purchase, counts: bool) -> Purchase:
    """The same, or nothing of it."""
    return purchase if counts else replace(purchase, quantity=ZERO)


def money(desk: Desk, account: BrokerAccount, sight: Sight) -> tuple[Decimal, dict[str, Decimal]]:
    """(base cash over its floor, currency -> base value of the cash that pays for its own)."""
    plan = desk.approved
    own = {
        currency: max(free, ZERO) * plan.rates[currency]
        for currency, free in spendable(desk, account)
        if currency != plan.base_currency
    }
    free = free_cash(desk, account, sight, desk.legs)
    return free - sum(own.values(), ZERO) - floor_of(plan), own


def _purchase(
    desk: Desk, each: Instruction, quantity: Decimal, sight: Sight, part: Decimal
) -> Purchase:
    quote, asset = (sight.quotes or {}).get(each.symbol), (sight.assets or {}).get(each.symbol)
    asked = each.price
    if quote is not None and asset is not None and price.has_ticks(asset):
        asked = price.limit(quote, Side.BUY, part, asset)
    return Purchase(
        quantity=quantity,
        lot=each.lot_size,
        unit_cost=max(asked, TICK) * each.multiplier * each.fx_rate * (1 + each.percent_cost),
        fixed=each.fixed_cost,
        least=desk.working.min_order_base,
        currency=each.currency,
    )


def _settled_on(desk: Desk, sight: Sight) -> str:
    """` until` the day on which money of today's sales is there; "" where no calendar knows it."""
    if sight.session is None:
        return ""
    day = sight.session.day
    try:
        on = settlement(calendar(desk, day), day, desk.working.settlement_sessions)
    except BrokerError:
        return ""
    return f" until {on.isoformat()}"


def _why(desk: Desk, there: Decimal, unsettled: Decimal, until: str) -> str:
    arrived = f"{max(there, ZERO):.2f} {desk.approved.base_currency} may be spent"
    if unsettled > 0:
        return f"unsettled: {arrived}, {unsettled:.2f} is unsettled{until}"
    counted = desk.approved.deposits_words
    return f"money: {arrived}" + (f"; the plan counts on a deposit of {counted}" if counted else "")
