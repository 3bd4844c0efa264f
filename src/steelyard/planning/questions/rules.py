"""The rules in force that questions loosen: their keys, and the case with one of them changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from steelyard.planning.case import Case
from steelyard.planning.costs import min_order_weight
from steelyard.planning.questions.again import Answer
from steelyard.strategies import Strategy

MOST_DEPTH = 10
"""Orders of a set of candidates: what `search.max_depth` goes up to."""
MORE_RESERVE = 0.01
LOOSER_CAP = 0.05


@dataclass(frozen=True, slots=True)
class Change:
    """One rule changed.

    name      in words, for people
    looser    does it only add to what may be planned?
    """

    name: str
    section: str
    setting: str
    now: float
    then: float
    looser: bool = True

    @property
    def key(self) -> str:
        """Of the strategy, dotted."""
        return f"{self.section}.{self.setting}"

    def to(self, then: float) -> Change:
        """The same rule, tried at another value."""
        return replace(self, then=then)

    def applied(self, case: Case) -> Case:
        """The case with the rule changed; of the most orders both limits that may bind are."""
        if self.key not in ORDER_LIMITS:
            return case.with_setting(self.section, self.setting, self.then)
        most = int(self.then)
        if case.strategy.limits.max_orders is not None:
            case = case.with_setting("limits", "max_orders", most)
        if self.key == DEPTH or case.strategy.search.max_depth < most <= MOST_DEPTH:
            case = case.with_setting("search", "max_depth", most)
        return case


DEPTH = "search.max_depth"
ORDER_LIMITS = (DEPTH, "limits.max_orders")


def changes(answer: Answer) -> Iterator[Change]:
    """Every rule that is in force, one notch looser, and the reserve one notch higher."""
    strategy = answer.case.strategy
    limits, score = strategy.limits, strategy.score
    more = one_more_order(strategy)
    if more is not None:
        yield more
    reserve = limits.cash_reserve_weight
    yield Change(
        "another percent of reserve", "limits", "cash_reserve_weight",
        reserve, up(reserve, MORE_RESERVE), looser=False,
    )  # fmt: skip
    for name, key in (
        ("a looser position cap", "max_position_weight"),
        ("a looser group cap", "max_group_weight"),
    ):
        cap = getattr(limits, key)
        if cap is not None and cap < 1:
            yield Change(name, "limits", key, cap, up(cap, LOOSER_CAP))
    if least_order_binds(answer):
        least = limits.min_trade_weight
        yield Change("a smaller least order", "limits", "min_trade_weight", least, least / 2)
    if score.order_hurdle > 0:
        hurdle = score.order_hurdle
        yield Change("a lower hurdle for each order", "score", "order_hurdle", hurdle, hurdle / 2)


def one_more_order(strategy: Strategy) -> Change | None:
    """The limit of orders raised by one; None where no limit is in force, or none higher may be."""
    most, limits, search = strategy.most_orders, strategy.limits, strategy.search
    if most is None:
        return None
    # over whole lots a plan has a written depth as its most orders too
    written = strategy.is_set(DEPTH) and search.max_depth == most
    by_depth = written if search.scope == "quantities" else limits.max_orders != most
    if not by_depth:
        return Change("one more order", "limits", "max_orders", most, most + 1)
    if most >= MOST_DEPTH:
        return None
    return Change("one more order", "search", "max_depth", most, most + 1)


def least_order_binds(answer: Answer) -> bool:
    """Is it the least weight that sets the least order, and not its cost or its amount?"""
    least = answer.case.strategy.limits.min_trade_weight
    if least <= 0:
        return False
    half = Change("", "limits", "min_trade_weight", least, least / 2).applied(answer.case)
    return min_order_weight(half.strategy, answer.ctx.value) < answer.ctx.min_order_weight


def up(weight: float, by: float) -> float:
    """A weight raised, at most to 1."""
    return min(1.0, round(weight + by, 9))
