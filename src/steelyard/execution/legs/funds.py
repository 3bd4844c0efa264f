"""After the sales: wait for their money to be spendable, and shrink the buys to what arrived."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from steelyard.brokers.broker import BrokerAccount, Quote
from steelyard.errors import BrokerError
from steelyard.execution.approved import Instruction
from steelyard.execution.desk import Desk, Halted, look
from steelyard.execution.evidence import floor_of, free_cash
from steelyard.execution.journal import rows
from steelyard.execution.legs.watch import filled_of_step
from steelyard.ledger import Purchase, resize
from steelyard.money import ZERO
from steelyard.orders import Side

BACK_OFF = (1.0, 2.0, 4.0, 8.0, 10.0)
"""Seconds between two looks; the last one for ever."""


@dataclass(frozen=True, slots=True)
class Sized:
    """A buy with the shares that its money pays for, and why they are fewer; "" = they are not."""

    instruction: Instruction
    quantity: Decimal
    why: str


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
        account = desk.broker.account()
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


def shrunk(desk: Desk, unsettled: Decimal) -> list[Sized]:
    """The approved buys at the size that the money pays for, at the far side of the spread now."""
    buys = desk.approved.buys
    sight = look(desk, [each.symbol for each in buys])
    account, quotes = sight.account, sight.quotes
    if account is None or quotes is None:
        raise Halted(
            "The broker does not say what money there is, or at which prices. Nothing further was "
            "sent. Continue with: steelyard resume",
            code="money_unknown",
            hint="steelyard resume",
        )
    pool, own = money(desk, account)
    rest = {each.step: each.quantity - filled_of_step(desk, each.step) for each in buys}
    purchases = [_purchase(desk, each, rest[each.step], quotes) for each in buys]
    sizes = resize(purchases, pool, own)
    if pool + sum(own.values(), ZERO) < desk.working.min_buying_power_base:
        sizes = (ZERO,) * len(sizes)
    return [
        Sized(each, size, "" if size == rest[each.step] else _why(desk, size, pool, unsettled))
        for each, size in zip(buys, sizes, strict=True)
    ]


def money(desk: Desk, account: BrokerAccount) -> tuple[Decimal, dict[str, Decimal]]:
    """(base cash over its floor, currency -> base value of the cash that pays for its own)."""
    plan = desk.approved
    free = free_cash(desk, account, desk.legs)
    own = {
        balance.currency: max(balance.spendable, ZERO) * plan.rates[balance.currency]
        for balance in account.cash
        if balance.currency != plan.base_currency
    }
    return free - sum(own.values(), ZERO) - floor_of(plan), own


def _purchase(
    desk: Desk, each: Instruction, quantity: Decimal, quotes: Mapping[str, Quote]
) -> Purchase:
    quote = quotes.get(each.symbol)
    price = each.price if quote is None else quote.ask
    return Purchase(
        quantity=quantity,
        lot=each.lot_size,
        unit_cost=price * each.multiplier * each.fx_rate * (1 + each.percent_cost),
        fixed=each.fixed_cost,
        least=desk.working.min_order_base,
        currency=each.currency,
    )


def _why(desk: Desk, size: Decimal, pool: Decimal, unsettled: Decimal) -> str:
    arrived = f"{max(pool, ZERO):.2f} {desk.approved.base_currency} may be spent"
    late = f", {unsettled:.2f} is unsettled" if unsettled > 0 else ""
    return f"{'unsettled' if unsettled > 0 else 'money'}: {arrived}{late}" + (
        "" if size else "; nothing of it is bought"
    )
