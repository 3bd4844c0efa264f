"""Of a hold plan: each limit alone, the smallest loosening tried that lets a plan through.

A looser limit lets through whatever a tighter one does, so the values tried, mildest first, are
halved between: first the loosest, which says whether any does.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from steelyard.canonical import plain
from steelyard.planning.questions.again import Answer, Asked, Progress
from steelyard.planning.questions.rules import (
    MOST_DEPTH,
    Change,
    least_order_binds,
    one_more_order,
    up,
)
from steelyard.plans.answers import Relaxation
from steelyard.sentences import say, worded

CAPS = ("max_position_weight", "max_group_weight", "max_turnover_weight")
SHARES = (0.75, 0.5, 0.25, 0.0)
RAISED = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
MORE_ORDERS = 16
"""Orders beyond a limit that are tried at most: 1, 2, 4, …"""


def relaxations(asked: Asked, tell: Progress) -> Iterator[Relaxation]:
    """The smallest loosening of each limit under which a plan gets through, where any is."""
    ladders = [ladder for ladder in _ladders(asked.now) if ladder]
    for k, ladder in enumerate(ladders):
        tell("loosening one limit at a time", k, len(ladders))
        smallest = _smallest(asked, ladder)
        if smallest is None:
            continue
        change, net = smallest
        sentence = say(
            "A plan gets through when {setting:text} goes from {now:text} to {then:text}: it "
            "gains {gain:points} points net.",
            setting=change.key,
            now=_number(change.now),
            then=_number(change.then),
            gain=net,
        )
        yield Relaxation(
            setting=change.key,
            now=change.now,
            then=change.then,
            improvement=net,
            **worded(sentence),
        )


def _smallest(asked: Asked, ladder: list[Change]) -> tuple[Change, float] | None:
    """The mildest change that lets a plan through, and the plan's net."""

    def tried(change: Change) -> Answer:
        return asked.again(change.applied(asked.now.case))

    best = tried(ladder[-1])
    if not best.choice.acts:
        return None
    low, high = 0, len(ladder) - 1
    while low < high:
        middle = (low + high) // 2
        other = tried(ladder[middle])
        low, high, best = (low, middle, other) if other.choice.acts else (middle + 1, high, best)
    return ladder[high], best.choice.plan.net


def _ladders(now: Answer) -> Iterator[list[Change]]:
    """The values to try of each limit in force, mildest first."""
    strategy = now.case.strategy
    limits, score = strategy.limits, strategy.score
    least = Change("", "score", "min_improvement", score.min_improvement, 0.0)
    yield [least.to(least.now * share) for share in SHARES if least.now > 0]
    reserve = Change("", "limits", "cash_reserve_weight", limits.cash_reserve_weight, 0.0)
    yield [reserve.to(reserve.now * share) for share in SHARES if reserve.now > 0]
    if least_order_binds(now):
        smaller = Change("", "limits", "min_trade_weight", limits.min_trade_weight, 0.0)
        yield [smaller.to(smaller.now * share) for share in SHARES[1:]]
    hurdle = Change("", "score", "order_hurdle", score.order_hurdle, 0.0)
    yield [hurdle.to(hurdle.now * share) for share in SHARES[1:] if hurdle.now > 0]
    more = one_more_order(strategy)
    if more is not None:
        yield list(_more_orders(more))
    for cap in CAPS:
        now_at = getattr(limits, cap)
        if now_at is not None and now_at < 1:
            raised = Change("", "limits", cap, now_at, 0.0)
            yield [raised.to(up(now_at, by)) for by in RAISED]


def _more_orders(more: Change) -> Iterator[Change]:
    """One more, two more, four more; of a depth no more than it goes up to."""
    by = 1
    while by <= MORE_ORDERS:
        then = more.now + by
        if more.section == "search" and then > MOST_DEPTH:
            break
        yield more.to(then)
        by *= 2


def _number(value: float) -> str:
    return plain(Decimal(repr(value)))
