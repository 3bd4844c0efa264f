"""Prices that contradict each other: two sources of one price, and a newest close that jumps.

A figure that could be wrong by a factor is refused, or kept out of trading and said first; what the
user accepts by name goes on, and is said first too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from steelyard.ages import weekdays
from steelyard.canonical import plain
from steelyard.errors import PlanRefused
from steelyard.importers.rates import MOST_JUMP, NEIGHBOURS, times
from steelyard.importers.values import NOTHING, unit
from steelyard.market import Quote
from steelyard.notices import Drop, Notice
from steelyard.sentences import say

MOST_APART = Decimal("1.2")
"""Factor between two sources of one price over which one of them is wrong."""
LEAST_APART = Decimal("1.02")
"""Factor from which their difference is said."""
MOST_APART_LATER = Decimal(3)
"""The same where one of them is older than a week: a price may have moved since."""
ABOUT_HUNDRED = Decimal(50), Decimal(200)
"""Factors between a price and a cost that look like pence beside pounds."""
SPLITS = (2, 3, 4, 5, 6, 7, 8, 15, 20, 25, 30, 50)
TWICE = 2
CLOSE = Decimal("0.05")
"""How near a factor is to a typical one, as a fraction."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What becomes of two figures that differ: refused, said, or neither."""

    refused: PlanRefused | None = None
    notice: Notice | None = None


AGREED = Ruling()


def between(a: Decimal, b: Decimal) -> Decimal:
    """Factor between two figures, at least 1."""
    return max(a / b, b / a)


def cause(factor: Decimal) -> str:
    """What usually lies behind a factor of 1 and more."""

    def near(typical: Decimal) -> bool:
        return abs(factor / typical - 1) <= CLOSE

    if near(Decimal(100)):
        return "pence read as pounds, or a price per 100?"
    if near(Decimal(10)):
        return "a split of 10:1 on one side, or a decimal point in the wrong place?"
    if near(Decimal(1000)):
        return "a point read as one of thousands?"
    ratio = next((n for n in SPLITS if near(Decimal(n))), None)
    return f"a split of {ratio}:1 on one side?" if ratio else "typed wrong, or another security?"


def two_sources(first: Quote, second: Quote, *, accepted: bool) -> Ruling:
    """Two prices of one security from two files, both in its currency; the first is used."""
    factor = between(first.price, second.price)
    apart = abs(weekdays(first.on, second.on))
    most = MOST_APART if apart <= NEIGHBOURS // 2 else MOST_APART_LATER
    if factor < LEAST_APART:
        return AGREED
    symbol, away = first.symbol, f"{factor - 1:.1%} apart"
    if factor >= TWICE:
        away = f"a factor of {times(factor)}"
    figures = f"{symbol} costs {_figure(first)} and {_figure(second)}, {away}"
    if factor <= most:
        message = f"{figures}; {first.source} was used."
        return Ruling(
            notice=Notice(code="price_differs", message=message, symbol=symbol, head=True)
        )
    if accepted:
        return Ruling(notice=_accepted(symbol, f"{figures}; {plain(first.price)} was accepted."))
    hint = f"correct the wrong one, or take {plain(first.price)} with --accept-price {symbol}"
    return Ruling(
        PlanRefused(
            f"{figures}: {cause(factor)} {NOTHING} {hint[0].upper()}{hint[1:]}.",
            code="price_disagrees",
            place=f"{second.source}, {symbol}",
            value=plain(second.price),
            limit=f"a factor of {most} from {plain(first.price)}",
            hint=hint,
        )
    )


def _figure(quote: Quote) -> str:
    """A price with its day and its file, and how it was quoted where that is in a minor unit."""
    quoted = ""
    if quote.unit:
        parts = unit(quote.unit).parts
        quoted = f" (quoted as {plain(quote.price * parts)} {quote.unit})"
    return f"{plain(quote.price)}{quoted} on {quote.on} by {quote.source}"


def against_cost(quote: Quote, cost: Decimal, *, accepted: bool) -> Ruling:
    """A price about a hundred times its cost, or a hundredth, of a currency that has pence.

    quote   the only price there is
    cost    per share, in the same currency
    """
    factor = between(quote.price, cost)
    low, high = ABOUT_HUNDRED
    if not low <= factor <= high:
        return AGREED
    figures = f"{quote.symbol} costs {_figure(quote)} and was bought at {plain(cost)}"
    away = f"a factor of {times(factor)}"
    if accepted:
        return Ruling(notice=_accepted(quote.symbol, f"{figures}, {away}; the price was accepted."))
    hint = (
        f"say its currency as the price file quotes it (GBP or GBp) in the securities file, or "
        f"take {plain(quote.price)} with --accept-price {quote.symbol}"
    )
    return Ruling(
        PlanRefused(
            f"{figures}, {away}: pence read as pounds, or pounds as pence? {NOTHING} "
            f"{hint[0].upper()}{hint[1:]}.",
            code="unit_in_doubt",
            place=f"{quote.source}, {quote.symbol}",
            value=plain(quote.price),
            limit=plain(cost),
            hint=hint,
        )
    )


@dataclass(frozen=True, slots=True)
class Change:
    """A close and the one before, in one unit; an older pair than the newest may move further."""

    symbol: str
    before: float
    before_on: date
    newest: float
    newest_on: date
    newest_pair: bool = True

    @property
    def factor(self) -> float:
        """Of the change, at least 1."""
        return max(self.newest / self.before, self.before / self.newest)

    @property
    def jumps(self) -> bool:
        """Is it more than a price does from one close to the next?"""
        near = weekdays(self.before_on, self.newest_on) <= NEIGHBOURS
        return self.factor > float(MOST_JUMP if near and self.newest_pair else MOST_APART_LATER)

    @property
    def figures(self) -> str:
        """Both closes with their days."""
        return (
            f"{self.symbol} goes from {self.before:g} on {self.before_on} to {self.newest:g} on "
            f"{self.newest_on}, a factor of {times(self.factor)}"
        )


def jump(change: Change, file: str, *, accepted: bool) -> Ruling:
    """A newest close of something held or targeted that jumps."""
    if not change.jumps:
        return AGREED
    why = cause(Decimal(repr(change.factor)))
    if accepted:
        message = f"{change.figures}, by {file}; the newest was accepted."
        return Ruling(notice=_accepted(change.symbol, message))
    hint = f"correct {file}, say the split in a column `split`, or take it with --accept-price"
    return Ruling(
        PlanRefused(
            f"{change.figures}, by {file}: {why} {NOTHING} {hint[0].upper()}{hint[1:]} "
            f"{change.symbol}.",
            code="price_jump",
            place=f"{file}, {change.symbol}",
            value=f"{change.newest:g}",
            limit=f"a factor of {MOST_JUMP} from {change.before:g}",
            hint=f"{hint} {change.symbol}",
        )
    )


def withheld(change: Change) -> Drop:
    """Why what is neither held nor targeted is kept out of trading."""
    why = say(
        "its price goes from {before:qty} on {day_before:date} to {newest:qty} on {day:date}; it "
        "is not traded",
        before=Decimal(repr(change.before)),
        day_before=change.before_on,
        newest=Decimal(repr(change.newest)),
        day=change.newest_on,
    )
    return Drop("price_jump", change.factor, float(MOST_JUMP), why)


def kept_out(changes: Iterable[Change], most: int) -> list[Notice]:
    """Say what is kept out of trading for its jump, the first few by name."""
    jumps = sorted(changes, key=lambda change: (-change.factor, change.symbol))
    notices = [
        Notice(
            code="price_jump",
            message=f"{change.figures}: it is kept out of trading.",
            symbol=change.symbol,
            head=True,
        )
        for change in jumps[:most]
    ]
    if len(jumps) > most:
        message = f"{len(jumps) - most} more are kept out of trading for such a jump."
        notices.append(Notice(code="price_jump", message=message, head=True))
    return notices


def _accepted(symbol: str, message: str) -> Notice:
    return Notice(code="accepted_price", message=message, symbol=symbol, head=True)
