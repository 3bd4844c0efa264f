"""The search honours every filter: a plan keeps the rule with it, and the best plan without it
breaks the rule.

In both scopes, through `plan`: the proof of a plan is one over the sets that the filters let
through.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from builders.world import (
    AS_OF,
    World,
    market,
    solution,
    with_module,
    with_on,
    with_params,
    without,
    world,
)
from steelyard.modules.filters.diversity import variety
from steelyard.modules.registry import Kind, Module, ModuleParams
from steelyard.modules.terms import BlackBox, Part, Term
from steelyard.plans.plan import Plan
from steelyard.strategies import Strategy

SCOPES = ("candidates", "proposals")
HELD = ("AA 400 @ 100", "BB 150 @ 50", "CC 0 @ 20")
GOALS = {"AA": 0.2, "BB": 0.3, "CC": 0.3}
YOUNG = 30
"""Sessions too few for any estimate: only weights and costs decide."""


def scoped(of: World, scope: str) -> World:
    return replace(
        of,
        strategy=replace(
            of.strategy, search=of.strategy.search.model_copy(update={"scope": scope})
        ),
    )


def traded(plan: Plan) -> set[str]:
    return {("+" if step.side == "buy" else "-") + step.symbol for step in plan.steps}


def dated(of: World, symbol: str, *, bought: int | None = None, sold: int | None = None) -> World:
    """The world in which a holding was bought, or sold in part, some days ago."""

    def days_ago(days: int | None) -> date | None:
        return None if days is None else AS_OF - timedelta(days=days)

    def of_symbol(holding: Any) -> Any:
        lots = tuple(
            replace(lot, acquired=days_ago(bought) or lot.acquired) for lot in holding.lots
        )
        return replace(holding, lots=lots, last_sold=days_ago(sold))

    holdings = tuple(
        of_symbol(holding) if holding.symbol == symbol else holding
        for holding in of.snapshot.holdings
    )
    return replace(of, snapshot=replace(of.snapshot, holdings=holdings))


def twins() -> World:
    """BB and CC have one history."""
    lines = ("AA 600 @ 100", "BB 0 @ 50", "CC 0 @ 80", "DD 200 @ 40")
    made = world(*lines, cash="32000", targets={"AA": 0.5, "BB": 0.15, "CC": 0.15, "DD": 0.18})
    prices = {line.split()[0]: Decimal(line.split()[-1]) for line in lines}
    return replace(made, market=market(prices, walks={"BB": 7, "CC": 7}))


def at_most_one_buy(
    ctx: Any, table: Any, params: ModuleParams
) -> Callable[[np.ndarray], np.ndarray]:
    """A predicate over sequences: what no mask and no pair can say would do as well, but this is
    asked lazily.
    """
    buys = np.append(table.is_buy, False)
    return lambda rows: buys[rows].sum(axis=1) <= 1


ONE_BUY = Module(
    Kind.FILTER,
    "at_most_one_buy",
    "1.0.0",
    "At most one buy in a plan",
    ModuleParams,
    at_most_one_buy,
    form="rows",
)


@dataclass(frozen=True)
class Bound:
    """A filter, a world in which it matters, and whether a plan breaks its rule.

    on     puts the filter into a strategy
    quiet  mask filters that are off on both sides, since they would stop the same order
    """

    of: World
    on: Callable[[Strategy], Strategy]
    broken: Callable[[Plan], bool]
    quiet: tuple[str, ...] = field(default=("eligibility", "recently_traded"))

    def plans(self, scope: str) -> tuple[Plan, Plan]:
        """Without the filter, and with it."""
        free = scoped(
            replace(self.of, strategy=without(self.of.strategy, Kind.FILTER, *self.quiet)), scope
        )
        return free.plan(), replace(free, strategy=self.on(free.strategy)).plan()


def set_to(name: str, **params: Any) -> Callable[[Strategy], Strategy]:
    return lambda strategy: with_on(
        with_params(strategy, Kind.FILTER, name, **params), Kind.FILTER, name
    )


USUAL = world(
    *HELD, cash="9000", targets=GOALS, cost_prices={"AA": "160", "BB": "40"}, sessions=YOUNG
)

BOUND = {
    "eligibility, min_hold_days": Bound(
        dated(USUAL, "AA", bought=60), set_to("eligibility"), lambda plan: "-AA" in traded(plan)
    ),
    "eligibility, no_panic_sell_pct": Bound(
        USUAL, set_to("eligibility", no_panic_sell_pct=0.3), lambda plan: "-AA" in traded(plan)
    ),
    "recently_traded, buys": Bound(
        dated(USUAL, "BB", bought=10), set_to("recently_traded"), lambda plan: "+BB" in traded(plan)
    ),
    "recently_traded, sales": Bound(
        dated(USUAL, "AA", sold=100), set_to("recently_traded"), lambda plan: "-AA" in traded(plan)
    ),
    "recently_traded, undone": Bound(
        dated(USUAL, "AA", bought=80), set_to("recently_traded"), lambda plan: "-AA" in traded(plan)
    ),
    "correlation_aware, pairs": Bound(
        twins(), set_to("correlation_aware"), lambda plan: {"+BB", "+CC"} <= traded(plan)
    ),
    "a row predicate": Bound(
        USUAL,
        lambda strategy: with_module(strategy, ONE_BUY),
        lambda plan: sum(step.side == "buy" for step in plan.steps) > 1,
    ),
}


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("name", BOUND)
def test_the_best_plan_breaks_the_rule_without_the_filter_and_keeps_it_with_it(
    name: str, scope: str
):
    free, kept = BOUND[name].plans(scope)

    assert BOUND[name].broken(free)
    assert not BOUND[name].broken(kept)
    assert kept.steps
    assert kept.score.improvement < free.score.improvement
    assert free.certificate.scope == kept.certificate.scope == scope


@pytest.mark.parametrize("name", BOUND)
def test_both_plans_are_proven_and_what_the_filter_keeps_out_counts_for_neither_bound(name: str):
    free, kept = BOUND[name].plans("candidates")

    assert free.certificate.status == kept.certificate.status == "proven"
    assert kept.certificate.bound == kept.score.hold + kept.score.improvement
    assert kept.certificate.bound < free.certificate.bound


def varied(of: World) -> float:
    """Diversity of the plan, 0..1, by the filter's own measure."""
    made = solution(of)
    return float(variety(made.ctx, made.table, np.array([made.choice.plan.row], dtype=np.int64))[0])


def test_among_proposals_diversity_keeps_out_a_better_plan_of_too_little_variety():
    free = scoped(
        replace(
            USUAL, strategy=without(USUAL.strategy, Kind.FILTER, "eligibility", "recently_traded")
        ),
        "proposals",
    )
    least = varied(free) + 0.01
    kept = replace(
        free,
        strategy=set_to("diversity", min_diversity_score=least, max_sequences=100_000)(
            free.strategy
        ),
    )

    assert varied(free) < least <= varied(kept)
    assert kept.plan().score.improvement < free.plan().score.improvement


def test_over_the_whole_table_diversity_does_not_run_and_says_so():
    asked = replace(
        USUAL, strategy=set_to("diversity", min_diversity_score=1.0)(USUAL.strategy)
    ).plan()

    assert asked.steps == USUAL.plan().steps
    assert [run.outcome for run in asked.modules if run.name == "diversity"] == ["no_input"]


def test_what_a_filter_keeps_out_of_the_plan_is_told_as_that_and_not_as_never_proposed():
    apart = {
        row.rule for row in BOUND["correlation_aware, pairs"].plans("candidates")[1].not_traded
    }
    lazily = {row.rule for row in BOUND["a row predicate"].plans("candidates")[1].not_traded}
    free = scoped(USUAL, "proposals")
    ranked = replace(
        free, strategy=set_to("diversity", max_sequences=1, diversity_weight=1.0)(free.strategy)
    ).plan()

    assert "conflict" in apart
    assert "row_filter" in lazily
    assert "ranked_out" in {row.rule for row in ranked.not_traded}
    told = next(row.reason for row in ranked.not_traded if row.rule == "ranked_out")
    assert told.startswith("The plan with it was proposed and would gain ")


def shy_of_cc(ctx: Any, params: ModuleParams) -> Term:
    """A term without an array form that wants nothing held of CC."""
    i = ctx.symbols.index("CC")
    part = Part("shy", 1.0, 0.0, 1.0, lambda weights, cash: -float(weights[i] > 0), BlackBox(1.0))
    return Term("shy", (part,))


def test_what_a_term_that_only_re_ranks_keeps_out_of_the_plan_is_not_told_as_a_loss():
    score = USUAL.strategy.score.model_copy(update={"further": {"shy": 0.9}})
    shy = Module(Kind.TERM, "shy", "1.0.0", "Nothing of CC", ModuleParams, shy_of_cc)

    plan = replace(USUAL, strategy=with_module(replace(USUAL.strategy, score=score), shy)).plan()

    assert "+CC" in traded(USUAL.plan()) - traded(plan)
    assert "not_searched" in {row.rule for row in plan.not_traded if row.symbol == "CC"}
