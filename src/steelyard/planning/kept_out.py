"""What is held and not traded: shorts, options, futures. Valued, with no order, and said first.

A future counts what its holding row says it is worth, 0 where it says nothing: never its notional.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from steelyard.market import Quote
from steelyard.money import ZERO
from steelyard.notices import Drop, Notice
from steelyard.portfolio import NOT_TRADED_TYPES, Holding, Security
from steelyard.sentences import money, say, signed

FUTURE = "FUTURE"
WHAT: Mapping[str, str] = {"short": "short position", "option": "option", "future": "future"}
"""Rule that keeps a position out of trading -> what it is, in a few words."""

WHY_ABSENT: Mapping[str, str] = {
    "no_price": "no price",
    "no_rate": "no exchange rate",
    "stale_rate": "old exchange rate",
    "stale_price": "old price",
    "price_jump": "a price in doubt",
    **WHAT,
}
"""Rule that kept a target out of the planning set -> why, in a few words."""

NAMED = 5
"""Positions that the warning names; the others are counted."""


@dataclass(frozen=True, slots=True)
class KeptOut:
    """A position that no order touches.

    quote   None = a future whose row states no value
    rate    base per unit; None without a quote
    drop    why, for the ledger
    """

    security: Security
    holding: Holding
    quote: Quote | None
    rate: Decimal | None
    drop: Drop

    @property
    def value(self) -> Decimal:
        """Base currency, negative for a short."""
        if self.quote is None or self.rate is None:
            return ZERO
        return self.holding.quantity * self.quote.price * self.security.multiplier * self.rate


def not_traded(security: Security, holding: Holding | None) -> str | None:
    """The rule that keeps a security out of trading: `short`, `option`, `future`; None = none."""
    if security.product_type in NOT_TRADED_TYPES:
        return security.product_type.lower()
    return "short" if holding is not None and holding.quantity < 0 else None


def counts_nothing(security: Security, quote: Quote | None) -> bool:
    """A future without a stated value: its notional is not what it is worth."""
    return security.product_type == FUTURE and quote is None


def drop_of(rule: str, holding: Holding | None, quote: Quote | None) -> Drop:
    """Why it is not traded, in a sentence."""
    if holding is None or not holding.quantity:
        why = say("{kind:text}; it is not traded", kind=_a(WHAT[rule]))
        return Drop(rule, None, None, why)
    worth = "valued" if quote is not None else "counted 0, since its row states no value,"
    many = " of {pieces:qty}" if rule == "short" else ", {pieces:qty} {side:text}"
    why = say(
        "{kind:text}" + many + ": it is " + worth + " and not traded",
        kind=_a(WHAT[rule]),
        pieces=abs(holding.quantity),
        side="short" if holding.quantity < 0 else "long",
    )
    return Drop(rule, None, None, why)


def warning(positions: tuple[KeptOut, ...], value: Decimal, currency: str) -> Notice:
    """One for all of them: how many, worth how much, and that they are not traded."""
    count, worth = len(positions), sum((position.value for position in positions), ZERO)
    named = ", ".join(
        f"{position.security.symbol} ({WHAT[position.drop.rule]})" for position in positions[:NAMED]
    )
    more = f" and {count - NAMED} more" if count > NAMED else ""
    share = f" ({signed(float(worth / value))} % of value)" if value > 0 else ""
    them = "it" if count == 1 else "them"
    message = (
        f"{count} position{' is' if count == 1 else 's are'} valued and not traded: {named}{more}, "
        f"worth {currency} {money(worth)}{share}{' together' if count > 1 else ''}. "
        f"No order touches {them}, and every weight counts {them}."
    )
    return Notice(code="kept_out", message=message, head=True)


def _a(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeio' else 'a'} {kind}"
