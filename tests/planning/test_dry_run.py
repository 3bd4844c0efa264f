"""A dry run: what it says holds for the plan that it does not make."""

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.demo import growth
from builders.world import AS_OF, only, with_call, with_on, with_params, world
from builders.worlds import SOME, worlds
from steelyard.errors import PlanRefused
from steelyard.modules.registry import BUILT_IN, Kind, modules
from steelyard.planning.contexts import context_of
from steelyard.planning.dry_run import dry_run, estimated_seconds, minimal_case
from steelyard.planning.findings import Findings
from steelyard.planning.guard import Guard
from steelyard.planning.planner import plan_case
from steelyard.planning.score.objective import objective_of
from steelyard.planning.solve import within
from steelyard.planning.wishes import find_opportunities
from steelyard.portfolio import Flow
from steelyard.settings import Limits, Rebalance, Search
from steelyard.strategies import PRESETS, default, preset

BUSY = world(
    "AA 60 @ 100", "BB 20 @ 100", "CC 0 @ 50",
    cash="2000", targets={"AA": 0.3, "BB": 0.35, "CC": 0.3},
)  # fmt: skip
MORE = {
    Kind.OPPORTUNITY: ("tax_loss",),
    Kind.PATTERN: ("adaptive", "market_regime"),
    Kind.SEQUENCE: ("combinatorial",),
}


@st.composite
def cases(draw):
    """Random worlds under random scopes, with every built-in module or the usual ones, money that
    is brought or taken out, and bands.
    """
    portfolio = draw(worlds())
    strategy = portfolio.strategy
    if draw(st.booleans()):
        for kind, names in MORE.items():
            strategy = with_on(strategy, kind, *names)
    scope = draw(st.sampled_from(["quantities", "candidates", "proposals"]))
    trigger = draw(st.sampled_from(["score", "score", "band"]))
    most = draw(st.sampled_from([2000, 2000, 12]))
    search = strategy.search.model_copy(update={"scope": scope, "max_candidates": most})
    strategy = replace(strategy, search=search, rebalance=Rebalance(trigger=trigger))
    amount = draw(st.sampled_from([0, 0, 3000, -700, -9000]))
    flows = (Flow("USD", Decimal(amount), AS_OF),) if amount else ()
    return portfolio.having(flows=flows, strategy=strategy).case


@SOME
@given(cases())
def test_no_plan_has_more_candidates_or_sequences_than_its_bounds(case):
    run = dry_run(case)
    try:
        plan = plan_case(case)
    except PlanRefused:
        assert not run.valid
        return

    assert len(plan.candidates) <= run.counts.upper_bound_candidates
    assert len(plan.candidates) == run.counts.estimated_candidates
    assert plan.certificate.sequences <= run.counts.upper_bound_sequences
    assert run.counts.estimated_sequences <= run.counts.upper_bound_sequences
    assert run.counts.unbounded == ()


@SOME
@given(cases())
def test_no_module_proposes_more_than_it_says(case):
    try:
        own, _, ctx = context_of(case, Findings())
    except PlanRefused:
        return
    ctx = within(ctx, own.strategy.most_orders)
    guard, depth = Guard(), ctx.search.max_depth
    for module in modules(Kind.OPPORTUNITY).values():
        params = own.strategy.choice(Kind.OPPORTUNITY, module.name).params
        asked = module.call(ctx, params)
        sides = [(candidate.symbol, candidate.side) for candidate in asked]
        assert len(sides) == len(set(sides)), module.name
        assert {side.value for _, side in sides} <= set(module.tags), module.name
        assert all(len(c.weights) <= params.most_sizes() for c in asked), module.name
    objective = objective_of(ctx, own.strategy, guard)
    try:
        table = find_opportunities(ctx, objective, own.strategy, guard)
    except PlanRefused:
        return
    seeds = np.zeros((0, depth), dtype=np.int64)
    for module in modules(Kind.PATTERN).values():
        params = own.strategy.choice(Kind.PATTERN, module.name).params
        answer = module.call(ctx, table, params)
        every = answer.values() if isinstance(answer, Mapping) else [answer]
        seeds = np.concatenate([seeds, *every])
        assert sum(map(len, every)) <= params.most_sequences(depth), module.name
    for name in ("combinatorial", "enhanced_combinatorial"):
        choice = own.strategy.choice(Kind.SEQUENCE, name)
        rows = sum(map(len, choice.module.call(ctx, table, seeds, choice.params)))
        assert rows <= choice.params.most_sequences(depth), name


@pytest.mark.parametrize(("pattern", "rows"), [("rebalance", 4), ("multi_sell", 3)])
def test_a_pattern_reaches_its_bound(pattern, rows):
    sectors = {"AA": "Energy", "BB": "Energy", "CC": "Energy", "DD": "Energy", "EE": "Health Care"}
    goals = {"AA": 0.02, "BB": 0.03, "CC": 0.01, "DD": 0.02, "EE": 0.9}
    whole = world(
        *(f"{symbol} {200 + 10 * n} @ 100" for n, symbol in enumerate(list(goals)[:4])),
        "EE 10 @ 77", cash="100", targets=goals, sectors=sectors,
    )  # fmt: skip
    solved = whole.prepared
    module = modules(Kind.PATTERN)[pattern]
    params = module.params(max_sells=2 if pattern == "rebalance" else 4)

    answer = module.call(solved.ctx, solved.table, params)

    assert len(answer) == params.most_sequences(solved.ctx.search.max_depth) == rows


def candidates_of(whole):
    """Rows of the plan's table, and the bound on them."""
    return len(plan_case(whole.case).candidates), dry_run(whole.case).counts.upper_bound_candidates


def without_calculators(whole, *but, **sections):
    return replace(whole, strategy=replace(only(default(), Kind.OPPORTUNITY, *but), **sections))


def test_sales_that_cash_asks_for_are_within_the_bound_of_what_no_calculator_asks_for():
    owing = without_calculators(BUSY.having(cash={"USD": Decimal(-900)}, targets=None))
    rows, most = candidates_of(owing)

    assert 0 < rows <= most


def test_answers_to_bands_are_within_the_bound_of_what_no_calculator_asks_for():
    off = without_calculators(
        BUSY, search=Search(scope="candidates"), rebalance=Rebalance(trigger="band")
    )
    rows, most = candidates_of(off)

    assert 0 < rows <= most


def test_a_buy_that_passes_its_target_stands_a_lot_shorter_too_and_is_within_the_bound():
    # the gap is 5.6 lots: half, three quarters and all of it are 2, 4 and 6, and 5 beside it
    whole = world("AA 0 @ 1000", cash="100000", targets={"AA": 0.056})
    rows, most = candidates_of(without_calculators(whole, "weight_based"))

    assert (rows, most) == (4, 4)


@pytest.mark.parametrize("name", PRESETS)
def test_of_the_bundled_portfolio_every_preset_is_valid_and_estimated_closely(name):
    whole = growth()
    case = replace(whole.case, strategy=preset(name))
    run, plan = dry_run(case), plan_case(case)

    assert run.valid
    assert run.counts.estimated_candidates == len(plan.candidates)
    assert abs(run.counts.estimated_sequences - plan.certificate.sequences) <= 30
    ran = {f"{entry.kind}.{entry.name}": entry.version for entry in plan.modules}
    assert {name: loaded.version for name, loaded in run.modules.items()} == ran


def test_it_takes_under_a_fifth_of_the_time_of_the_plan():
    case = replace(growth().case, strategy=default())
    seconds = {dry_run: [], plan_case: []}
    for _ in range(5):  # by turns, and processor time: others use this machine too
        for work, times in seconds.items():
            start = time.process_time()
            work(case)
            times.append(time.process_time() - start)

    assert min(seconds[dry_run]) < min(seconds[plan_case]) / 5


def test_it_proposes_nothing():
    def proposes(*_):
        raise AssertionError("a dry run asks no pattern and no generator")

    strategy = default()
    for kind in (Kind.PATTERN, Kind.SEQUENCE):
        for choice in strategy.enabled(kind):
            strategy = with_call(strategy, kind, choice.module.name, proposes)

    run = dry_run(replace(BUSY.case, strategy=strategy))

    assert run.valid
    assert run.counts.estimated_sequences > 0


def test_what_fails_in_a_calculator_is_an_error_of_its_module():
    def fails(ctx, params):
        raise RuntimeError("out of luck")

    strategy = with_call(default(), Kind.OPPORTUNITY, "profit_taking", fails)
    run = dry_run(replace(BUSY.case, strategy=strategy))

    loaded = run.modules["opportunity_calculators.profit_taking"]
    assert (loaded.status, loaded.error) == ("error", "RuntimeError: out of luck")
    assert run.errors == (
        "opportunity_calculators.profit_taking failed: RuntimeError: out of luck",
    )
    assert not run.valid


def test_a_portfolio_that_would_be_refused_is_an_error_and_nothing_is_counted():
    old = BUSY.having(as_of=AS_OF + timedelta(days=90))
    run = dry_run(old.case)

    assert (run.valid, run.counts) == (False, None)
    assert "AA" in run.errors[0]
    assert run.document()["upper_bound_sequences"] is None


def test_a_module_that_does_not_say_how_much_it_proposes_leaves_the_sets_of_candidates():
    (chosen,) = default().enabled(Kind.SEQUENCE)
    outside = tuple(
        replace(choice, module=replace(choice.module, source="a plugin"))
        for choice in default().choices[Kind.SEQUENCE]
    )
    choices = {**default().choices, Kind.SEQUENCE: outside}
    strategy = replace(default(), choices=choices, search=Search(max_depth=2))
    run = dry_run(replace(BUSY.case, strategy=strategy))

    most = run.counts.upper_bound_candidates
    assert run.counts.upper_bound_sequences == most + most * (most - 1) // 2
    assert run.counts.unbounded == (chosen.module.qualified,)
    assert any(chosen.module.qualified in text for text in run.warnings)


def test_every_built_in_module_that_proposes_says_how_much_at_most():
    for kind in (Kind.PATTERN, Kind.SEQUENCE):
        for module in modules(kind).values():
            says = module.params().most_sequences(5)
            if module.source == BUILT_IN and module.form != "what_if":
                assert says is not None, module.qualified
    for module in modules(Kind.OPPORTUNITY).values():
        if module.source == BUILT_IN:
            assert module.params().most_sizes(), module.qualified


def test_what_modules_draw_from_is_told():
    off = with_params(default(), Kind.PATTERN, "profit_taking", max_sells=3)
    met = dry_run(replace(BUSY.case, strategy=off)).dependencies
    assert "pattern_generators.profit_taking has what it draws from." in met

    choices = tuple(
        replace(choice, enabled=choice.module.name != "profit_taking")
        for choice in default().choices[Kind.OPPORTUNITY]
    )
    lacking = replace(default(), choices={**default().choices, Kind.OPPORTUNITY: choices})
    text = "pattern_generators.profit_taking finds nothing without "
    told_of = dry_run(replace(BUSY.case, strategy=lacking)).dependencies
    assert any(sentence.startswith(text) for sentence in told_of)


def test_time_is_that_of_the_plans_with_most_alike_sequences_or_unknown():
    timed = [(10, 0.1), (1000, 0.5), (1100, 0.7), (900, 0.6), (5, 9.0), (990, 0.55), (1, 8.0)]
    run = dry_run(replace(BUSY.case, strategy=default()), timed)

    assert estimated_seconds(timed, 1000) == 0.55
    assert run.seconds in {seconds for _, seconds in timed}
    bare = dry_run(BUSY.case)
    assert bare.seconds is None
    assert any("the time is not estimated" in text for text in bare.warnings)


def test_a_strategy_alone_is_tried_on_cash_and_one_thing_to_buy():
    run = dry_run(minimal_case(default()))
    assert run.valid
    assert run.counts.upper_bound_candidates < 20

    never = replace(default(), limits=Limits(allow_buy=False, allow_sell=False))
    assert "nothing could ever be traded" in dry_run(minimal_case(never)).errors[0]
