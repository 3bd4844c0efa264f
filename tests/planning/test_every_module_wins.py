"""From public inputs only, where the plan is the best proposal: every module fires and is part of a
winning plan.

Calculators and what proposes stand alone, so that nobody else can have won; a filter changes the
plan; a what-if generator is part of the report. The world of a module that is not here is the
`WORLD` of its own tests; a filter's is a world and its parameters.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from builders import adaptive as adaptive_worlds
from builders import regimes as regime_worlds
from builders.changes import BB_AND_CC_ALIKE, YOUNG, described, enabled, proposing, traded, usual
from builders.own import own
from builders.proposers import WORLDS
from builders.world import AS_OF, World, only, world
from steelyard.modules.patterns.adaptive import VARIANTS
from steelyard.modules.registry import Kind, modules
from steelyard.settings import Neutral, Score

GOOD = Score(neutral=Neutral(quality=0.9))
DIP = described(
    world(
        *("AA 20 @ 100", "BB 150 @ 100", "CC 150 @ 100"), cash="10000", cost_prices={"AA": "130"},
        score=GOOD, sessions=YOUNG, targets={"AA": 0.2, "BB": 0.28, "CC": 0.285},
    ),
    quality={"AA": 0.9},
)  # fmt: skip
GROWN = world(
    *("AA 500 @ 100", "BB 200 @ 100", "CC 200 @ 100"), cash="5000", cost_prices={"AA": "30"},
    targets={"AA": 0.3, "BB": 0.2, "CC": 0.2},
)  # fmt: skip
SHORT_OF_ENERGY = world(
    *("AA 300 @ 100", "BB 100 @ 100"), cash="20000", sectors={"AA": "Tech", "BB": "Energy"},
    targets={"AA": 0.4, "BB": 0.27}, sessions=YOUNG,
)  # fmt: skip
CONCENTRATED = world("AA 600 @ 100", "BB 150 @ 100", "CC 150 @ 100", cash="5000")
OVER_AND_UNDER = WORLDS["deep_rebalance"]

CALCULATORS = own(
    Kind.OPPORTUNITY,
    "WORLD",
    {
        "profit_taking": GROWN, "averaging_down": DIP,
        "opportunity_buys": WORLDS["opportunity_first"], "rebalance_sells": CONCENTRATED,
        "rebalance_buys": SHORT_OF_ENERGY, "weight_based": OVER_AND_UNDER,
    },
)  # fmt: skip
VARIED = {
    "adaptive": adaptive_worlds.WORLDS,
    "market_regime": {r: regime_worlds.WORLDS[r] for r in ("bull", "bear", "sideways")},
}
"""Patterns of several variants, by variant."""
PATTERNS = own(
    Kind.PATTERN,
    "WORLD",
    {
        **VARIED, **{name: of for name, of in WORLDS.items() if name != "combinatorial"},
        "direct_buy": DIP, "profit_taking": GROWN, "rebalance": OVER_AND_UNDER,
        "averaging_down": DIP, "single_best": GROWN,
    },
)  # fmt: skip
WHAT_IF = [name for name, module in modules(Kind.SEQUENCE).items() if module.form == "what_if"]
GENERATORS = own(
    Kind.SEQUENCE,
    "WORLD",
    dict.fromkeys(("combinatorial", "enhanced_combinatorial", *WHAT_IF), OVER_AND_UNDER),
)


def alone(of: World, kind: Kind, name: str) -> World:
    """The world in which one module alone calculates, or alone proposes."""
    asked = enabled(proposing(of), kind, name)
    others = {Kind.OPPORTUNITY: (), Kind.PATTERN: (Kind.SEQUENCE,), Kind.SEQUENCE: (Kind.PATTERN,)}[
        kind
    ]
    strategy = only(asked.strategy, kind, name)
    for other in others:
        strategy = only(strategy, other)
    return replace(asked, strategy=strategy)


@pytest.mark.parametrize("name", modules(Kind.OPPORTUNITY))
def test_every_calculator_alone_makes_a_plan(name):
    plan = alone(CALCULATORS[name], Kind.OPPORTUNITY, name).plan()

    assert plan.verdict.action == "act"
    assert {step.proposed_by for step in plan.steps} == {(name,)}


@pytest.mark.parametrize("name", sorted(set(modules(Kind.PATTERN)) - set(VARIED)))
def test_every_pattern_alone_proposes_a_plan(name):
    plan = alone(PATTERNS[name], Kind.PATTERN, name).plan()

    assert plan.verdict.action == "act"
    assert plan.proposed_by == (name,)


@pytest.mark.parametrize("name", VARIED)
def test_every_variant_of_a_pattern_alone_proposes_a_plan(name):
    plans = {variant: of.plan() for variant, of in VARIED[name].items()}

    assert name != "adaptive" or set(plans) == set(VARIANTS)
    assert {
        variant: (plan.verdict.action, plan.proposed_by) for variant, plan in plans.items()
    } == {variant: ("act", (f"{name}.{variant}",)) for variant in plans}


@pytest.mark.parametrize("name", sorted(set(modules(Kind.SEQUENCE)) - set(WHAT_IF)))
def test_every_generator_alone_proposes_a_plan(name):
    plan = alone(GENERATORS[name], Kind.SEQUENCE, name).plan()

    assert plan.verdict.action == "act"
    assert plan.proposed_by == (name,)


def recently(of: World, symbol: str, **dates) -> World:
    """The world in which a holding has other dates: `acquired`, `last_bought`, `last_sold`."""
    acquired = dates.pop("acquired", None)

    def dated(holding):
        lots = tuple(replace(lot, acquired=acquired or lot.acquired) for lot in holding.lots)
        return replace(holding, lots=lots, **dates) if holding.symbol == symbol else holding

    return replace(
        of, snapshot=replace(of.snapshot, holdings=tuple(map(dated, of.snapshot.holdings)))
    )


BOUGHT = AS_OF - timedelta(days=30)
FILTERS = own(
    Kind.FILTER,
    "WORLD",
    {
        "eligibility": (recently(OVER_AND_UNDER, "AA", acquired=BOUGHT), {}),
        "recently_traded": (
            recently(OVER_AND_UNDER, "CC", last_bought=AS_OF - timedelta(days=10)),
            {"buy_cooldown_days": 30},  # with targets 0, unless it is set
        ),
        "correlation_aware": (BB_AND_CC_ALIKE, {}),
        "diversity": (usual(sessions=YOUNG), {"max_sequences": 1000, "min_diversity_score": 0.2}),
    },
)


@pytest.mark.parametrize("name", modules(Kind.FILTER))
def test_every_filter_changes_a_plan_that_acts(name):
    of, params = FILTERS[name]
    strict = enabled(proposing(of), Kind.FILTER, name, **params)
    # without the others: eligibility and recently_traded both guard what was just bought
    strict = replace(strict, strategy=only(strict.strategy, Kind.FILTER, name))
    free = replace(strict, strategy=only(strict.strategy, Kind.FILTER))

    plan = strict.plan()

    assert plan.verdict.action == "act"
    assert traded(plan) != traded(free.plan())
    assert plan.score.improvement < free.plan().score.improvement
    assert next(run.count for run in plan.modules if run.name == name)


@pytest.mark.parametrize("name", WHAT_IF)
def test_every_what_if_generator_is_part_of_the_report_of_a_plan_that_acts(name):
    plan = enabled(proposing(OVER_AND_UNDER), Kind.SEQUENCE, name).plan()

    assert plan.verdict.action == "act"
    assert plan.what_if is not None
    reports = {
        "partial_execution": plan.what_if.fills,
        "constraint_relaxation": plan.what_if.relaxations,
    }
    assert reports.pop(name)
    assert not any(reports.values())
    assert name not in plan.proposed_by
