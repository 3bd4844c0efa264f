"""The smallest deposit that needs no sale: with it buys alone bring all to their targets.

Weights are of value and deposits, so a deposit makes what is over its target lighter. A security
needs no sale from where it is over its target by no more than half a lot: (its value - half a lot)
/ its target is what all must be worth then.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_CEILING, Decimal

from steelyard.canonical import published
from steelyard.modules.context import Context
from steelyard.money import ZERO
from steelyard.plans.answers import Deposit
from steelyard.sentences import Fact, Sentence, facts_of, say

CENT = Decimal("0.01")

Needed = tuple[Decimal, str]
"""What all must be worth, base currency, and for which symbol."""


def deposit(ctx: Context) -> Deposit | None:
    """The answer; None without targets, or where nothing is owned."""
    money = ctx.exact
    if ctx.target_weights is None or money is None or money.value <= 0:
        return None
    bare = tuple(s for s, q, t in zip(ctx.symbols, ctx.quantities, ctx.target_weights, strict=True)
                 if q > 0 and t == 0)  # fmt: skip
    if bare:
        return _told(_never(bare), None, bare[0], ctx.base_currency)
    worth, symbol = max(_needed(ctx), default=(ZERO, ""))
    amount = (worth - money.value).quantize(CENT, ROUND_CEILING)
    if amount <= 0:
        sentence = say(
            "No more need be deposited to reach the targets without a sale: nothing is further "
            "over its target than half a lot."
        )
        return _told(sentence, ZERO, None, ctx.base_currency)
    facts: dict[str, Fact] = {"currency": ctx.base_currency, "amount": amount, "symbol": symbol}
    sentence = say(
        "{currency:text} {amount:money} more is the smallest deposit with which the targets are "
        "reached without a sale: {symbol:text} is over its target until then.",
        **facts,
    )
    return _told(sentence, amount, symbol, ctx.base_currency)


def _needed(ctx: Context) -> Iterator[Needed]:
    """What all must be worth so that a security needs no sale, of each that is held."""
    if ctx.target_weights is None or ctx.exact is None:
        return
    for i, holding in enumerate(ctx.holdings):
        target = Decimal(repr(published(float(ctx.target_weights[i]))))
        if holding is not None and target > 0:
            half = ctx.securities[i].lot_size / 2
            yield (holding.quantity - half) * ctx.exact.shares[i] / target, ctx.symbols[i]


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
