"""Lots of one book in one symbol: first in, first out; or one pool, for the average-cost view.

Costs are totals with fees, of buys > 0 and of sales < 0, so that no rounding of a price is in them
and the gain of a match is what is left when both are added.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Literal

from steelyard.execution.attribution.allocate import DIGITS, MONEY_STEP, finest
from steelyard.money import ZERO

Method = Literal["fifo", "average"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """Shares that came in together.

    quantity   shares; < 0 where more was sold than any lot had
    currency   of the cost; "" = nobody knows
    cost       paid for them in all; < 0 = received; None = nobody knows
    source     execution, transfer or entry that they are from
    """

    book: str
    symbol: str
    currency: str
    quantity: Decimal
    cost: Decimal | None
    at: datetime
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Shares that went out, with the lot that they were of.

    gain   realised, fees of both sides taken off; None where the cost is not known
    """

    book: str
    symbol: str
    currency: str
    quantity: Decimal
    gain: Decimal | None
    at: datetime
    lot: str


def matched(
    lots: Sequence[Lot], new: Lot, method: Method = "fifo"
) -> tuple[list[Lot], list[Match], Lot | None]:
    """What is left of the lots, what was matched, and what of `new` no lot was there for.

    lots   of the same book and symbol, oldest first
    """
    rest = _pool(lots) if method == "average" else list(lots)
    matches: list[Match] = []
    coming: Lot | None = new
    while coming is not None and rest and rest[0].quantity * coming.quantity < 0:
        lot = rest.pop(0)
        size = min(abs(lot.quantity), abs(coming.quantity))
        closed, lot_rest = _split(lot, size)
        closing, coming = _split(coming, size)
        matches.append(_match(closed, closing))
        if lot_rest is not None:
            rest.insert(0, lot_rest)
    return rest, matches, coming


def _pool(lots: Sequence[Lot]) -> list[Lot]:
    """All lots as one; its cost is known where all are."""
    if len(lots) < 2:  # noqa: PLR2004 two make a pool
        return list(lots)
    costs = [lot.cost for lot in lots if lot.cost is not None]
    cost = sum(costs, ZERO) if len(costs) == len(lots) else None
    return [replace(lots[0], quantity=sum((lot.quantity for lot in lots), ZERO), cost=cost)]


def _split(lot: Lot, size: Decimal) -> tuple[Lot, Lot | None]:
    """A part of `size` shares and the rest, their costs together the lot's to the last digit."""
    if size == abs(lot.quantity):
        return lot, None
    part = size if lot.quantity > 0 else -size
    cost = None if lot.cost is None else _share(lot.cost, part, lot.quantity)
    rest = None if lot.cost is None or cost is None else lot.cost - cost
    return replace(lot, quantity=part, cost=cost), replace(
        lot, quantity=lot.quantity - part, cost=rest
    )


def _share(cost: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    with localcontext() as context:
        context.prec = DIGITS
        return (cost * part / whole).quantize(finest(MONEY_STEP, cost))


def _match(closed: Lot, closing: Lot) -> Match:
    currencies = {lot.currency for lot in (closed, closing) if lot.currency}
    unknown = closed.cost is None or closing.cost is None or len(currencies) > 1
    gain = None if unknown else -((closed.cost or ZERO) + (closing.cost or ZERO))
    return Match(
        book=closed.book,
        symbol=closed.symbol,
        currency=closing.currency or closed.currency,
        quantity=abs(closed.quantity),
        gain=gain,
        at=closing.at,
        lot=closed.source,
    )
