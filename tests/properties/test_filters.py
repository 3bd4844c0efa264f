"""The search honours every filter: a plan keeps the rule with it; without it the best breaks it.

In both scopes, through `plan`: the proof of a plan is one over the sets that the filters let
through.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from builders.changes import (
    BB_AND_CC_ALIKE,
    ONE_BUY,
    YOUNG,
    dated,
    enabled,
    off,
    scoped,
    traded,
    usual,
)
from builders.each import each
from builders.world import World, with_module
from steelyard.modules.registry import Kind
from steelyard.plans.plan import Plan

USUAL = usual(cost_prices={"AA": "160", "BB": "40"}, sessions=YOUNG)

Rule = tuple[World, Callable[[World], World], Callable[[Plan], bool]]


def bound(of: World, name: str, broken: str, **params: Any) -> Rule:
    """A filter that keeps orders like `+BB +CC` from standing in one plan."""
    orders = set(broken.split())
    return (
        of, lambda free: enabled(free, Kind.FILTER, name, **params), lambda p: orders <= traded(p),
    )  # fmt: skip


BOUND: dict[str, Rule] = {
    "min_hold_days": bound(dated(USUAL, "AA", bought=60), "eligibility", "-AA"),
    "no_panic_sell_pct": bound(USUAL, "eligibility", "-AA", no_panic_sell_pct=0.3),
    "a buy too soon": bound(
        dated(USUAL, "BB", bought=10), "recently_traded", "+BB", buy_cooldown_days=30
    ),
    "a sale too soon": bound(
        dated(USUAL, "AA", sold=100), "recently_traded", "-AA", sell_cooldown_days=180
    ),
    "a buy undone": bound(dated(USUAL, "AA", bought=80), "recently_traded", "-AA"),
    "two that move alike": bound(BB_AND_CC_ALIKE, "correlation_aware", "+BB +CC"),
    "a row predicate": (
        USUAL,
        lambda free: replace(free, strategy=with_module(free.strategy, ONE_BUY)),
        lambda plan: sum(step.side == "buy" for step in plan.steps) > 1,
    ),
}
"""A rule -> a world in which it matters, what puts its filter in, whether a plan breaks it."""


def plans(of: World, strict: Callable[[World], World], scope: str) -> tuple[Plan, Plan]:
    """Without the filter, and with it; without others that would stop the same order."""
    free = off(scoped(of, scope), Kind.FILTER, "eligibility", "recently_traded")
    return free.plan(), strict(free).plan()


def test_the_best_plan_breaks_the_rule_without_the_filter_and_keeps_it_with_it() -> None:
    def is_kept(of: World, strict: Callable[[World], World], broken: Any) -> None:
        for scope in ("candidates", "proposals"):
            free, bounded = plans(of, strict, scope)
            proof, score = bounded.certificate, bounded.score
            assert broken(free)
            assert not broken(bounded)
            assert bounded.steps
            assert score.improvement < free.score.improvement
            assert free.certificate.scope == proof.scope == scope
            if scope == "candidates":
                # what the filter keeps out counts for neither bound
                assert free.certificate.status == proof.status == "proven"
                assert proof.bound == score.hold + score.improvement
                assert proof.bound < free.certificate.bound

    each(BOUND, is_kept)
