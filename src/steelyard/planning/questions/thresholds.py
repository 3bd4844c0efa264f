"""The price at which each order leaves the plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from steelyard.orders import Side
from steelyard.planning.case import Case
from steelyard.planning.questions.loosened import Progress
from steelyard.planning.solve import Solution, Steps, solved
from steelyard.plans.answers import Threshold
from steelyard.plans.orders import Step
from steelyard.sentences import Sentence, longer, say, worded

LARGEST_FALL = 0.5
LARGEST_RISE = 2.0
PRICE_HALVINGS = 6
PRICE_DIGITS = 6


def thresholds(
    solution: Solution, order: Sequence[Step], steps: Steps, tell: Progress
) -> Iterator[Threshold]:
    """The price at which each order leaves the plan, other prices as they are."""
    for k, step in enumerate(order):
        tell("finding the prices at which orders leave", k, len(order))
        factor, beyond = leaves_at(solution.case, step, steps)
        price = None if factor is None else _price(step.price, factor)
        off = None if beyond is None else _off_target(beyond, step.symbol)
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


def leaves_at(case: Case, step: Step, steps: Steps) -> tuple[float | None, Solution | None]:
    """Factor of today's price at which the order leaves, to one percent, and the case there.

    A sale is tried at falling prices, a buy at rising ones; (None, None) if it stays over the whole
    range.
    """
    near, far = 1.0, LARGEST_FALL if step.side is Side.SELL else LARGEST_RISE
    beyond = _at_price(case, step, far, steps)
    if _trades(beyond, step):
        return None, None
    for _ in range(PRICE_HALVINGS):
        middle = (near + far) / 2
        solution = _at_price(case, step, middle, steps)
        if _trades(solution, step):
            near = middle
        else:
            far, beyond = middle, solution
    return far, beyond


def _price(price: Decimal, factor: float) -> Decimal:
    return Decimal(f"{float(price) * factor:.{PRICE_DIGITS}g}")


def _at_price(case: Case, step: Step, factor: float, steps: Steps) -> Solution:
    quote = replace(case.market.quotes[step.symbol], price=_price(step.price, factor))
    quotes = {**case.market.quotes, step.symbol: quote}
    return solved(replace(case, market=replace(case.market, quotes=quotes)), steps)[0]


def _trades(solution: Solution, step: Step) -> bool:
    table = solution.orders
    return any(
        solution.ctx.symbols[table.security[j]] == step.symbol
        and bool(table.is_buy[j]) is (step.side is Side.BUY)
        for j in solution.choice.plan.row
    )


def _off_target(solution: Solution, symbol: str) -> float | None:
    if solution.ctx.target_weights is None:
        return None
    i = solution.ctx.place[symbol]
    return float(solution.ctx.weights[i] - solution.ctx.target_weights[i])
