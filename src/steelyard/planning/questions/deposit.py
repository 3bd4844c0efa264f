"""The smallest deposit that needs no sale: with it buys alone bring all to their targets.

Weights are of value and deposits, so a deposit makes what is over its target lighter. A security
needs no sale from where it is over its target by no more than half a lot: (its value - half a lot)
/ its target is what all must be worth then.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal
from typing import NamedTuple

from steelyard.canonical import published
from steelyard.modules.context import Context
from steelyard.money import ZERO
from steelyard.plans.answers import Deposit
from steelyard.plans.plan import Plan
from steelyard.sentences import Fact, Sentence, facts_of, say

CENT = Decimal("0.01")


class Position(NamedTuple):
    """What is owned of a security, above 0: shares, worth of one in base currency, its target."""

    symbol: str
    quantity: Decimal
    lot: Decimal
    share: Decimal
    target: Decimal


def deposit(ctx: Context) -> Deposit | None:
    """The answer; None without targets, or where nothing is owned."""
    money = ctx.exact
    if ctx.target_weights is None or money is None:
        return None
    positions = [
        Position(
            ctx.symbols[i],
            holding.quantity,
            ctx.securities[i].lot_size,
            money.shares[i],
            Decimal(repr(published(float(ctx.target_weights[i])))),
        )
        for i, holding in enumerate(ctx.holdings)
        if holding is not None and holding.quantity > 0
    ]
    return _answer(positions, money.value, ctx.base_currency)


def deposit_of(plan: Plan) -> Deposit | None:
    """The same of a plan that is made, from its document alone."""
    if plan.objective.mode != "targets":
        return None
    positions = [
        Position(h.symbol, h.quantity, h.lot_size, h.value / h.quantity, _target(h.target))
        for h in plan.holdings
        if h.quantity > 0
    ]
    return _answer(positions, plan.base_of_weights, plan.base_currency)


def _target(target: float | None) -> Decimal:
    return Decimal(repr(target or 0.0))


def _answer(owned: Sequence[Position], value: Decimal, currency: str) -> Deposit | None:
    if value <= 0:
        return None
    bare = tuple(each.symbol for each in owned if not each.target)
    if bare:
        return _told(_never(bare), None, bare[0], currency)
    needed = (((each.quantity - each.lot / 2) * each.share / each.target, each.symbol)
              for each in owned)  # fmt: skip
    worth, symbol = max(needed, default=(ZERO, ""))
    amount = (worth - value).quantize(CENT, ROUND_CEILING)
    if amount <= 0:
        sentence = say(
            "No more need be deposited to reach the targets without a sale: nothing is further "
            "over its target than half a lot."
        )
        return _told(sentence, ZERO, None, currency)
    facts: dict[str, Fact] = {"currency": currency, "amount": amount, "symbol": symbol}
    sentence = say(
        "{currency:text} {amount:money} more is the smallest deposit with which the targets are "
        "reached without a sale: {symbol:text} is over its target until then.",
        **facts,
    )
    return _told(sentence, amount, symbol, currency)


def _never(bare: tuple[str, ...]) -> Sentence:
    return say(
        "No deposit reaches the targets without a sale: {symbols:text} has no target.",
        symbols=", ".join(bare),
    )


def _told(sentence: Sentence, amount: Decimal | None, symbol: str | None, currency: str) -> Deposit:
    return Deposit(
        text=sentence.text,
        template=sentence.template,
        facts=facts_of(sentence),
        amount=amount,
        currency=currency,
        symbol=symbol,
    )
