"""From public inputs only: each pattern and generator is part of a winning plan, each filter
changes one.
"""

from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType

import numpy as np
import pytest

from builders.world import (
    BUSY,
    World,
    market,
    only,
    prepared,
    solution,
    with_call,
    with_params,
    world,
)
from steelyard.modules.candidates import Ruling
from steelyard.modules.registry import Kind
from steelyard.planning.solve import LOCAL, Steps, local
from steelyard.settings import Costs, Limits, Neutral, Score

YOUNG = 30
"""Sessions too few for any estimate: all securities are alike, and only weights and costs
decide.
"""

OVER_AND_UNDER = world(
    "AA 400 @ 100",
    "BB 300 @ 100",
    "CC 100 @ 100",
    "DD 0 @ 50",
    cash="5000",
    targets={"AA": 0.25, "BB": 0.2, "CC": 0.25, "DD": 0.25},
)

WORLDS = {
    "multi_sell": world(
        "AA 290 @ 100",
        "BB 290 @ 100",
        "CC 290 @ 100",
        cash="13000",
        targets=dict.fromkeys(["AA", "BB", "CC"], 0.24),
    ),
    "mixed_strategy": world(
        *("AA 400 @ 100", "BB 100 @ 100", "CC 300 @ 100", "DD 0 @ 50"),
        cash="5000",
        targets={"AA": 0.2, "BB": 0.25, "CC": 0.3, "DD": 0.2},
        cost_prices={"AA": "40"},
    ),
    "opportunity_first": world(
        "AA 250 @ 100",
        "BB 250 @ 100",
        "CC 250 @ 100",
        "DD 0 @ 50",
        cash="25000",
        score=Score(neutral=Neutral(quality=0.9)),
    ),
    "deep_rebalance": OVER_AND_UNDER,
    "cash_generation": world(
        "AA 400 @ 100", "BB 300 @ 100", "CC 200 @ 100", targets={"AA": 0.25, "BB": 0.3, "CC": 0.2}
    ),
    "cost_optimized": world(
        *("AA 300 @ 100", "BB 300 @ 100", "CC 60 @ 100", "FF 240 @ 100"),
        cash="4000",
        targets={"AA": 0.25, "BB": 0.25, "CC": 0.16, "DD": 0.1, "FF": 0.2},
        foreign=["FF"],
        costs=Costs(fx_percent=0.02),
        limits=Limits(max_turnover_weight=0.102),
        score=Score(target_fit_weight=0.1),
        sessions=YOUNG,
    ),
    "combinatorial": OVER_AND_UNDER,
}
KINDS = {name: Kind.SEQUENCE if name == "combinatorial" else Kind.PATTERN for name in WORLDS}
every_proposer = pytest.mark.parametrize("name", WORLDS)


def enabled(of: World, kind: Kind, name: str, **params) -> World:
    """The world with one more module on."""
    strategy = with_params(of.strategy, kind, name, **params)
    choices = tuple(
        replace(choice, enabled=choice.enabled or choice.module.name == name)
        for choice in strategy.choices[kind]
    )
    return replace(
        of,
        strategy=replace(strategy, choices=MappingProxyType({**strategy.choices, kind: choices})),
    )


def proposing(of: World, **search) -> World:
    """The world in which the plan is the best proposal."""
    return replace(
        of,
        strategy=replace(
            of.strategy,
            search=of.strategy.search.model_copy(update={"scope": "proposals", **search}),
        ),
    )


def alone(of: World, name: str) -> World:
    """The world in which one module makes all proposals."""
    asked = enabled(proposing(of), KINDS[name], name)
    others = Kind.PATTERN if KINDS[name] is Kind.SEQUENCE else Kind.SEQUENCE
    return replace(asked, strategy=only(only(asked.strategy, KINDS[name], name), others))


def winners(of: World) -> list[str]:
    """Who proposed the plan."""
    made = solution(of)
    return made.proposers[made.choice.plan.row]


def traded(plan) -> set[str]:
    return {("+" if step.side == "buy" else "-") + step.symbol for step in plan.steps}


@every_proposer
def test_what_a_module_proposes_alone_becomes_a_plan(name):
    plan = alone(WORLDS[name], name).plan()

    assert plan.verdict.action == "act"
    assert plan.certificate.scope == "proposals"
    assert winners(alone(WORLDS[name], name)) == [name]


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind is Kind.PATTERN])
def test_among_all_patterns_a_pattern_is_part_of_a_winning_plan(name):
    asked = proposing(WORLDS[name])

    assert name in winners(replace(asked, strategy=only(asked.strategy, Kind.SEQUENCE)))


@pytest.mark.parametrize("name", ["mixed_strategy", "cost_optimized"])
def test_some_winning_plans_come_from_one_pattern_alone(name):
    asked = proposing(WORLDS[name])

    assert winners(replace(asked, strategy=only(asked.strategy, Kind.SEQUENCE))) == [name]


def test_the_cheapest_way_wins_over_the_one_of_fewest_orders():
    asked = proposing(WORLDS["cost_optimized"])
    rebalance = replace(
        asked, strategy=only(only(asked.strategy, Kind.PATTERN, "rebalance"), Kind.SEQUENCE)
    )

    cheap, short = alone(asked, "cost_optimized").plan(), rebalance.plan()

    assert traded(cheap) == {"-AA", "-BB", "+CC"}
    assert traded(short) == {"-FF", "+CC"}
    assert cheap.costs.total < short.costs.total
    assert cheap.turnover == pytest.approx(short.turnover, rel=0.02)


@pytest.mark.parametrize("name", sorted(set(WORLDS) - {"combinatorial"}))
def test_sales_alone_and_buys_alone_stay_so_in_the_plan(name):
    sides = {step.side for step in alone(WORLDS[name], name).plan().steps}

    alone_sides = {
        "multi_sell": {"sell"},
        "cash_generation": {"sell"},
        "opportunity_first": {"buy"},
    }
    assert sides == alone_sides.get(name, {"sell", "buy"})


# correlation_aware

TWINS = ("AA 600 @ 100", "BB 0 @ 50", "CC 0 @ 80", "DD 200 @ 40")


def twins(
    *lines: str, wanted: dict[str, float], cash: str, alike: tuple[str, ...] = ("BB", "CC")
) -> World:
    """A world in which some securities have one history, as have those whose names begin with A."""
    prices = {line.split()[0]: Decimal(line.split()[-1]) for line in lines}
    walks = {
        symbol: 7 if symbol in alike else 11
        for symbol in prices
        if symbol in alike or symbol.startswith("A")
    }
    return replace(world(*lines, targets=wanted, cash=cash), market=market(prices, walks=walks))


def test_a_proven_plan_buys_two_that_move_alike_unless_the_filter_keeps_them_apart():
    free = twins(*TWINS, cash="32000", wanted={"AA": 0.5, "BB": 0.15, "CC": 0.15, "DD": 0.18})

    usual, kept = free.plan(), enabled(free, Kind.FILTER, "correlation_aware").plan()

    assert {"+BB", "+CC"} <= traded(usual)
    assert len({"+BB", "+CC"} & traded(kept)) == 1
    assert usual.certificate.status == kept.certificate.status == "proven"
    assert kept.score.plan < usual.score.plan
    assert any(run.name == "correlation_aware" and run.count for run in kept.modules)


def test_a_proven_plan_buys_what_moves_like_a_large_holding_unless_the_filter_keeps_it_out():
    wanted = {"AA": 0.5, "BB": 0.2, "CC": 0.15, "DD": 0.13}
    free = twins(
        "AA 500 @ 100", "BB 400 @ 50", "CC 0 @ 80", "DD 100 @ 40", cash="26000", wanted=wanted
    )

    usual, kept = free.plan(), enabled(free, Kind.FILTER, "correlation_aware").plan()

    assert "+CC" in traded(usual)
    assert "+CC" not in traded(kept)
    assert kept.certificate.status == "proven"
    assert kept.certificate.candidates < usual.certificate.candidates
    told = [
        stop
        for stop in kept.not_traded
        if stop.symbol == "CC" and stop.rule == "correlation_threshold"
    ]
    assert told
    assert all(stop.stage == "filter" for stop in told)


def test_the_patterns_keep_apart_what_the_filter_keeps_apart():
    free = twins(*TWINS, cash="32000", wanted={"AA": 0.5, "BB": 0.15, "CC": 0.15, "DD": 0.18})
    asked = proposing(enabled(free, Kind.FILTER, "correlation_aware"))

    plan = asked.plan()

    assert plan.verdict.action == "act"
    assert len({"+BB", "+CC"} & traded(plan)) <= 1


def test_conflicts_stay_with_their_orders_when_the_filter_drops_others():
    wanted = {"AA": 0.5, "AB": 0.1, "BB": 0.15, "CC": 0.15, "DD": 0.08}
    free = twins(
        "AA 500 @ 100",
        "AB 0 @ 30",
        "BB 0 @ 50",
        "CC 0 @ 80",
        "DD 100 @ 40",
        cash="46000",
        wanted=wanted,
    )

    made = prepared(enabled(free, Kind.FILTER, "correlation_aware"))

    names = [made.ctx.symbols[i] for i in made.table.security]
    apart = {
        frozenset((names[a], names[b]))
        for a, b in zip(*np.nonzero(made.table.account.conflicts), strict=True)
    }
    assert apart == {frozenset({"BB", "CC"})}
    assert "AB" in {made.ctx.symbols[i] for i in prepared(free).table.security} - set(names)
    assert made.table.account.conflicts.shape == (made.table.m, made.table.m)


def test_what_the_filter_could_not_compare_is_told():
    young = enabled(WORLDS["cost_optimized"], Kind.FILTER, "correlation_aware").plan()

    told = [
        warning.message
        for warning in young.warnings
        if warning.module == "filters.correlation_aware"
    ]
    assert told == ["correlation_aware lacks the correlation of 1 security: CC."]


def test_a_filter_of_pairs_may_say_nothing_of_single_orders():
    asked = enabled(OVER_AND_UNDER, Kind.FILTER, "correlation_aware")

    def all_apart(ctx, table, params):
        return np.ones((table.m, table.m), dtype=np.bool_)

    plan = replace(
        asked, strategy=with_call(asked.strategy, Kind.FILTER, "correlation_aware", all_apart)
    ).plan()

    assert len(plan.steps) == 1
    assert plan.certificate.status == "proven"


@pytest.mark.parametrize(
    "answer",
    [
        lambda ctx, table, params: np.ones((1, 2), dtype=np.bool_),
        lambda ctx, table, params: (
            np.zeros((table.m, table.m)),
            Ruling(np.zeros(table.m, dtype=np.bool_), {}),
        ),
    ],
    ids=["shape", "no reason"],
)
def test_a_filter_of_pairs_that_answers_wrongly_costs_only_itself(answer):
    asked = enabled(OVER_AND_UNDER, Kind.FILTER, "correlation_aware")

    plan = replace(
        asked, strategy=with_call(asked.strategy, Kind.FILTER, "correlation_aware", answer)
    ).plan()

    assert plan.steps == OVER_AND_UNDER.plan().steps
    assert [problem.module for problem in plan.problems] == ["filters.correlation_aware"]


# diversity


def test_diversity_keeps_only_the_first_proposals_and_the_certificate_says_of_how_many():
    free = proposing(BUSY)

    usual, kept = (
        free.plan(),
        enabled(free, Kind.FILTER, "diversity", max_sequences=1, diversity_weight=1.0).plan(),
    )

    assert kept.certificate.sequences == usual.certificate.sequences > 1
    assert usual.certificate.covers == f"best of {usual.certificate.sequences:,d} proposals"
    assert (
        kept.certificate.covers
        == f"best of at most 1 of {usual.certificate.sequences:,d} proposals, the first by rank"
    )
    assert kept.score.improvement < usual.score.improvement
    assert kept.certificate.search_gap > usual.certificate.search_gap


def test_diversity_that_keeps_all_changes_no_plan():
    free = proposing(BUSY)

    usual, kept = free.plan(), enabled(free, Kind.FILTER, "diversity", max_sequences=100_000).plan()

    assert kept.steps == usual.steps
    assert kept.score == usual.score


def test_where_the_plan_is_the_best_of_the_table_diversity_does_not_run():
    usual, asked = BUSY.plan(), enabled(BUSY, Kind.FILTER, "diversity", max_sequences=1).plan()

    assert asked.steps == usual.steps
    assert asked.certificate.covers == usual.certificate.covers
    run = next(run for run in asked.modules if run.name == "diversity")
    assert run.outcome == "no_input"
    assert run.error == "it ranks proposals, and search.scope is candidates"


def backwards(steps: Steps) -> Steps:
    """Scores that arrive in the opposite order."""

    def evaluate(table, batches, findings):
        return iter(list(steps.evaluate(table, batches, findings))[::-1])

    return replace(steps, evaluate=evaluate)


@pytest.mark.parametrize("most", [1, 3, 20])
def test_with_diversity_neither_batches_nor_their_order_change_the_plan(most):
    asked = enabled(proposing(BUSY), Kind.FILTER, "diversity", max_sequences=most)

    plans = [
        asked.plan(steps=steps).plan_id
        for steps in (LOCAL, local(batch_size=7), backwards(local(batch_size=5)))
    ]

    assert len(set(plans)) == 1
