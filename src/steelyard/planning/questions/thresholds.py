"""The price at which each order leaves the plan."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from steelyard.modules.context import Context
from steelyard.orders import Side
from steelyard.planning.questions.again import Answer, Asked, Lots, Posed, Progress
from steelyard.plans.answers import Threshold, Told
from steelyard.plans.orders import Step
from steelyard.sentences import Sentence, longer, say, worded

LARGEST_FALL = 0.5
LARGEST_RISE = 2.0
PRECISION = 0.01
"""Of today's price."""
PRICE_DIGITS = 6
SAME_TARGET = 1e-12
"""Two targets of a member of a class, or of what takes the place of a loss, are one within this."""

Mark = tuple[float, float | None]
"""A factor of today's price, and what the order is worth there, < 0 where it is gone; or None."""


def largest_first(order: Sequence[Step], most: int) -> tuple[list[Step], bool]:
    """The largest orders by amount, as the plan has them, and whether there are more."""
    largest = sorted(order, key=lambda step: (-step.notional_base, step.n))[:most]
    return sorted(largest, key=lambda step: step.n), len(order) > most


def unasked(asked: int, orders: int) -> Told:
    """Which orders were not asked."""
    sentence = say(
        "The price at which an order leaves was looked for of the {asked:count} largest of "
        "{orders:count} orders.",
        asked=asked,
        orders=orders,
    )
    return Told(**worded(sentence))


def thresholds(asked: Asked, order: Sequence[Step], tell: Progress) -> Iterator[Threshold]:
    """The price at which each order leaves the plan, other prices as they are."""
    for k, step in enumerate(order):
        tell("finding the prices at which orders leave", k, len(order))
        factor, beyond = leaves_at(asked, step)
        price = None if factor is None else _price(step.price, factor)
        off = None if beyond is None else _off_target(asked.now.ctx, beyond, step.symbol)
        yield Threshold(
            n=step.n,
            symbol=step.symbol,
            side=step.side,
            price_now=step.price,
            price=price,
            off_target=off,
            **worded(_sentence(step, price, factor, off)),
        )


def _sentence(
    step: Step, price: Decimal | None, factor: float | None, off: float | None
) -> Sentence:
    if price is None or factor is None:
        sells = step.side is Side.SELL
        return say(
            f"{{symbol:text}} stays in the plan at any price {'down' if sells else 'up'} to "
            "{limit:ratio} times today's.",
            symbol=step.symbol,
            limit=LARGEST_FALL if sells else LARGEST_RISE,
        )
    sentence = say(
        "{symbol:text} leaves the plan at about {price:qty} {currency:text} ({move:spct})",
        symbol=step.symbol,
        price=price,
        currency=step.currency,
        move=factor - 1,
    )
    return (
        longer(sentence, ".")
        if off is None
        else longer(sentence, ", then {off:spp} off its target.", off=off)
    )


def leaves_at(asked: Asked, step: Step) -> tuple[float | None, Context | None]:
    """Factor of today's price at which the order leaves, to one percent, and the context there.

    A sale is tried at falling prices, a buy at rising ones; (None, None) if it stays over the whole
    range. Between the nearest price at which it stays and the nearest at which it is gone, what
    the order is worth there says where to look next.
    """
    far = LARGEST_FALL if step.side is Side.SELL else LARGEST_RISE
    stays, worth_far, beyond = _at_price(asked, step, far)
    if stays:
        return None, None
    ends: tuple[Mark, Mark] = (1.0, step.adds.score), (far, worth_far)
    bisect = False
    while abs(ends[1][0] - ends[0][0]) > PRECISION:
        width = abs(ends[1][0] - ends[0][0])
        factor = (ends[0][0] + ends[1][0]) / 2 if bisect else _between(*ends)
        stays, worth, ctx = _at_price(asked, step, factor)
        ends = ((factor, worth), ends[1]) if stays else (ends[0], (factor, worth))
        beyond = beyond if stays else ctx
        bisect = abs(ends[1][0] - ends[0][0]) > width / 2
    return ends[1][0], beyond


def _between(near: Mark, far: Mark) -> float:
    """Where the worth of the order would be nothing on a line, a little past it on the far side."""
    (a, worth), (b, loss) = near, far
    if worth is None or loss is None or worth <= 0 or loss >= 0:
        return (a + b) / 2
    guess = a + (b - a) * worth / (worth - loss)
    nudge = math.copysign(PRECISION / 2, b - a)
    guess += nudge if abs(guess - a) < abs(b - a) / 2 else -nudge
    low, high = sorted((a + nudge, b - nudge))
    return min(max(guess, low), high)


def _worth(answer: Answer, step: Step) -> float | None:
    """What the order adds to a plan over whole lots, or would cost it; None where nothing says."""
    lots = answer.lots
    if lots is None or lots.search is None:
        return None
    search, i = lots.search, answer.ctx.place[step.symbol]
    net = search.place(lots.listed).net
    if _row_of(answer, step) is not None:
        without = search.without(lots.listed, i)
        return net if without is None else net - without.net
    forced = search.with_order(lots.listed, i, 1 if step.side is Side.BUY else -1)
    return None if forced is None else forced.net - net


def _price(price: Decimal, factor: float) -> Decimal:
    return Decimal(f"{float(price) * factor:.{PRICE_DIGITS}g}")


def _at_price(asked: Asked, step: Step, factor: float) -> tuple[bool, float | None, Context]:
    """At a factor of today's price: does the order stay, what is it worth there, the context."""
    case = asked.now.case
    quote = replace(case.market.quotes[step.symbol], price=_price(step.price, factor))
    quotes = {**case.market.quotes, step.symbol: quote}
    case = replace(case, market=case.market.at_prices(quotes))
    if isinstance(asked.basis, Lots):
        posed = asked.posed(case)
        if not _may_trade(posed, step):
            return False, None, posed[1]
        answer = asked.searched(posed)
    else:
        answer = asked.again(case)
    return _row_of(answer, step) is not None, _worth(answer, step), answer.ctx


def _may_trade(posed: Posed, step: Step) -> bool:
    """Is there any order in that security on that side?"""
    _, ctx, _, domain = posed
    trades, i = domain.trades, ctx.place.get(step.symbol, -1)
    return bool(((trades.security == i) & ((trades.lot > 0) == (step.side is Side.BUY))).any())


def _row_of(answer: Answer, step: Step) -> int | None:
    """The order of a plan in that security on that side."""
    orders, i = answer.orders, answer.ctx.place.get(step.symbol)
    rows = (j for j in answer.choice.plan.row if orders.security[j] == i)
    return next((j for j in rows if bool(orders.is_buy[j]) is (step.side is Side.BUY)), None)


def _off_target(now: Context, there: Context, symbol: str) -> float | None:
    """Distance from its target at another price; None where that price gives it another target."""
    i, target, then = there.place.get(symbol), _target(now, symbol), _target(there, symbol)
    if i is None or target is None or then is None or abs(then - target) > SAME_TARGET:
        return None
    return float(there.weights[i] - target)


def _target(ctx: Context, symbol: str) -> float | None:
    targets, i = ctx.target_weights, ctx.place.get(symbol)
    return None if targets is None or i is None else float(targets[i])
