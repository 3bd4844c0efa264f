"""The documents' planner over ours: the same trades, and every switch and argument acts."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from builders.compat import plan, sides, trades
from builders.world import with_call
from steelyard import strategies
from steelyard.compat import (
    CircuitBreaker,
    HolisticPlanner,
    PerformanceTracker,
    PlannerConfiguration,
    PlannerContext,
    Position,
    create_holistic_plan,
    parse_toml_config,
)
from steelyard.errors import InputError, SettingsError
from steelyard.importers import Inputs, assemble, read
from steelyard.modules.registry import Kind
from steelyard.planning import planner
from steelyard.samples import sample


def test_the_documents_records_lead_to_the_trades_that_the_files_do(
    inputs: Inputs, bundled: PlannerContext
):
    ours = planner.plan(
        inputs.snapshot,
        inputs.market,
        strategies.overlay(strategies.default(), {"search": {"scope": "proposals"}}, "test"),
        targets=inputs.targets,
    )

    theirs = plan(bundled)

    assert trades(theirs) == [
        (step.side.value.upper(), step.symbol, float(step.quantity)) for step in ours.steps
    ]
    assert theirs.document.value == ours.value
    assert math.isclose(theirs.improvement, ours.score.improvement)


def test_both_scores_are_of_one_function_and_improvement_is_their_difference(
    bundled: PlannerContext,
):
    made = plan(bundled)

    assert 0 <= made.current_score < made.end_state_score <= 1
    assert made.improvement == made.end_state_score - made.current_score
    terms = [
        value
        for value in made.score_breakdown.values()
        if isinstance(value, dict) and "contribution" in value
    ]
    gained = (
        math.fsum(term["contribution"] for term in terms) - made.score_breakdown["charges"]["total"]
    )
    assert math.isclose(gained, made.improvement, abs_tol=1e-9)


def test_a_plan_that_holds_changes_nothing(small: PlannerContext):
    made = plan(replace(small, target_weights={"ACME": 10 / 13, "BOLT": 2 / 13}))

    assert made.steps == ()
    assert (made.improvement, made.cash_required, made.cash_generated, made.feasible) == (
        0, 0, 0, True,
    )  # fmt: skip
    assert made.end_state_score == made.current_score
    assert made.narrative_summary.startswith("Hold")


def test_money_in_and_out_are_the_sums_of_the_steps(small: PlannerContext):
    made = plan(small)

    assert (
        made.cash_required
        == sum(step.estimated_value for step in made.steps if step.side == "BUY")
        > 0
    )
    assert (
        made.cash_generated
        == sum(step.estimated_value for step in made.steps if step.side == "SELL")
        > 0
    )
    assert [step.step_number for step in made.steps] == list(range(1, len(made.steps) + 1))


def test_four_calls_make_one_plan(small: PlannerContext):
    given = {"target_weights": small.target_weights, "as_of": small.as_of}
    records = {
        "portfolio_context": small.portfolio_context, "positions": small.positions,
        "securities": small.securities, "available_cash": small.available_cash,
    }  # fmt: skip

    made = [
        plan(small),
        asyncio.run(HolisticPlanner().create_plan(**records, **given)),
        asyncio.run(HolisticPlanner().create_plan_incremental(**records, **given, batch_size=7)),
        asyncio.run(create_holistic_plan(**records, **given)),
    ]

    assert len({one.document.inputs_sha256 for one in made}) == 1
    assert len({one.steps for one in made}) == 1
    assert made[0].warnings == made[1].warnings == made[2].warnings[1:] == made[3].warnings


def test_what_the_strategy_has_to_say_is_among_the_warnings(small: PlannerContext):
    made = plan(
        small, parse_toml_config("enable_batch_generation = true\n[search]\nscope = 'proposals'\n")
    )

    assert any("enable_batch_generation" in said for said in made.warnings)


def test_the_last_purchase_travels_with_a_position(small: PlannerContext):
    acme, bolt = small.positions
    fresh = replace(small, positions=(replace(acme, last_bought_at="2026-01-02"), bolt))

    assert ("SELL", "ACME") not in {(step.side, step.symbol) for step in plan(fresh).steps}


def test_what_the_records_cannot_hold_is_refused(inputs: Inputs):
    foreign = replace(
        inputs, snapshot=replace(inputs.snapshot, cash={"USD": Decimal(1), "EUR": Decimal(5)})
    )

    with pytest.raises(InputError, match="balances in EUR"):
        PlannerContext.of(foreign)


def test_a_calculator_that_is_switched_off_proposes_nothing(small: PlannerContext):
    config = PlannerConfiguration()
    config.opportunity_calculators.weight_based.enabled = False

    made = plan(small, config)

    assert "weight_based" in {run.name for run in plan(small).document.modules}
    assert "weight_based" not in {run.name for run in made.document.modules}
    assert trades(made) != trades(plan(small))


def test_a_pattern_that_is_switched_off_changes_the_plan(small: PlannerContext):
    config = PlannerConfiguration()
    for name in config.get_enabled_patterns():
        getattr(config.pattern_generators, name).enabled = name == "multi_sell"
    for name in config.get_enabled_generators():
        getattr(config.sequence_generators, name).enabled = False

    # cash at its target: what is over it is new money and buys without any pattern
    settled = replace(small, available_cash=650)
    assert sides(plan(settled)) == {"BUY", "SELL"}
    assert sides(plan(settled, config)) <= {"SELL"}


ON = {
    kind: {choice.module.name for choice in strategies.default().enabled(kind)}
    for kind in (Kind.OPPORTUNITY, Kind.PATTERN)
}


def only(kind: str, name: str | None, **fields_: Any) -> PlannerConfiguration:
    """The defaults with one module of a kind, or none; patterns without the generators."""
    config = PlannerConfiguration(**fields_)
    for family in {kind, "sequence_generators"} if kind == "pattern_generators" else {kind}:
        for module, switch in vars(getattr(config, family)).items():
            switch.enabled = module == name and family == kind
    return config


def situation(bundled: PlannerContext, name: str) -> PlannerContext:
    """The bundled portfolio; much cash for what buys, none or a debt for what sells, JNJ dips."""
    cash = dict.fromkeys(("direct_buy", "opportunity_first", "averaging_down"), 60_000)
    cash["market_regime"] = 0
    debt = dict.fromkeys(("multi_sell", "cash_generation"), -8_000)
    positions = tuple(
        replace(one, avg_price=250.0) if one.symbol == "JNJ" else one for one in bundled.positions
    )
    dipped = {"positions": positions} if name == "averaging_down" else {}
    return replace(
        bundled, available_cash={**cash, **debt}.get(name, bundled.available_cash), **dipped
    )


def test_every_calculator_by_itself_makes_a_plan(bundled: PlannerContext):
    # of a module that was added, the tests over all modules ask for a world of its own
    towards = {"weight_based", "rebalance_buys", "rebalance_sells"}
    settled = replace(bundled, available_cash=9_000)  # at its target: none of it is new money

    def steps(name: str, switched: str | None) -> bool:
        config = only("opportunity_calculators", switched, scope="candidates")
        of = settled if name in towards else replace(bundled, target_weights=None)
        return bool(plan(situation(of, name), config).steps)

    names = sorted(ON[Kind.OPPORTUNITY])
    assert [name for name in names if not steps(name, name) or steps(name, None)] == []


def test_every_pattern_by_itself_makes_a_plan(bundled: PlannerContext):
    def steps(name: str) -> bool:
        return bool(plan(situation(bundled, name), only("pattern_generators", name)).steps)

    assert [name for name in sorted({*ON[Kind.PATTERN], "adaptive"}) if not steps(name)] == []


def test_the_pattern_of_the_market_regime_needs_an_index(bundled: PlannerContext):
    files = sample("growth")
    with_index = assemble(
        read(
            files.holdings, prices=files.prices, targets=files.targets, securities=files.securities,
            index=files.index,
        )
    )  # fmt: skip

    told = plan(
        situation(PlannerContext.of(with_index), "market_regime"),
        only("pattern_generators", "market_regime"),
    )

    assert told.steps
    assert (
        plan(situation(bundled, "market_regime"), only("pattern_generators", "market_regime")).steps
        == ()
    )


def test_without_patterns_and_generators_nothing_could_be_proposed(bundled: PlannerContext):
    with pytest.raises(SettingsError, match="No pattern or generator"):
        plan(bundled, only("pattern_generators", None))


@pytest.mark.parametrize("name", ["correlation_aware", "diversity"])
def test_a_filter_that_is_switched_on_changes_the_plan(bundled: PlannerContext, name: str):
    # without targets, for what new money must buy leaves no near tie to choose from
    free = replace(bundled, available_cash=9_000, target_weights=None)
    filtered = only("filters", name)
    if name == "diversity":  # by default it only chooses among proposals as good as equal
        filtered.filters.diversity.params.update(max_sequences=1, near_tie=0.1, diversity_weight=1)
    assert trades(plan(free, filtered)) != trades(plan(free, only("filters", None)))


@pytest.mark.parametrize(
    ("name", "change"), [("eligibility", "last_bought_at"), ("recently_traded", "last_sold_at")]
)
def test_a_filter_that_is_switched_off_holds_nothing_up(
    small: PlannerContext, name: str, change: str
):
    acme, bolt = small.positions
    fresh = replace(small, positions=(replace(acme, **{change: "2026-01-08"}), bolt))

    waiting = only("filters", name)
    if name == "recently_traded":  # towards targets only a wait that is set counts
        waiting.filters.recently_traded.params["sell_cooldown_days"] = 30

    held, free = plan(fresh, waiting), plan(fresh, only("filters", None))

    assert ("SELL", "ACME") in {(step.side, step.symbol) for step in free.steps}
    assert ("SELL", "ACME") not in {(step.side, step.symbol) for step in held.steps}


def test_a_parameter_of_a_module_acts(small: PlannerContext):
    config = PlannerConfiguration()
    config.opportunity_calculators.weight_based.params["min_gap_threshold"] = 0.1
    nearly = replace(small, target_weights={"ACME": 0.72, "BOLT": 0.2})

    assert "weight_based" in {
        source for row in plan(nearly).document.candidates for source in row.sources
    }
    assert "weight_based" not in {
        source for row in plan(nearly, config).document.candidates for source in row.sources
    }


SETTINGS: dict[str, tuple[Any, str]] = {
    "max_depth": (1, "search.max_depth"), "max_plan_depth": (1, "search.max_depth"),
    "max_opportunities_per_category": (1, "planner.max_opportunities_per_category"),
    "priority_threshold": (0.9, "planner.priority_threshold"),
    "enable_diverse_selection": (True, "planner.diverse_selection"),
    "diversity_weight": (0.7, "planner.diversity_weight"),
    "transaction_cost_fixed": (9.0, "costs.fixed"),
    "transaction_cost_percent": (0.004, "costs.percent"), "allow_buy": (False, "limits.allow_buy"),
    "allow_sell": (False, "limits.allow_sell"),
}  # fmt: skip


def test_every_field_of_a_configuration_is_a_setting_of_the_strategy():
    def is_set(name: str, value: Any, path: str) -> bool:
        config = PlannerConfiguration()
        setattr(config, name, value)
        strategy = config.strategy()
        section, key = path.split(".")
        right = getattr(getattr(strategy, section), key) == value
        return right and strategy.source(path) == "configuration"

    assert [name for name, (one, path) in SETTINGS.items() if not is_set(name, one, path)] == []


def test_the_best_proposal_is_planned_unless_the_best_of_all_is_asked_for(bundled: PlannerContext):
    assert plan(bundled).document.certificate.scope == "proposals"
    assert (
        plan(bundled, PlannerConfiguration(scope="candidates")).document.certificate.scope
        == "candidates"
    )


COMBINING = "modules.sequence_generators.enhanced_combinatorial.params"
OPTIONS: dict[str, tuple[Any, str]] = {
    "max_plan_depth": (2, "search.max_depth"),
    "max_opportunities_per_category": (3, "planner.max_opportunities_per_category"),
    "priority_threshold": (0.4, "planner.priority_threshold"),
    "transaction_cost_fixed": (5.0, "costs.fixed"),
    "transaction_cost_percent": (0.003, "costs.percent"),
    "beam_width": (5, "search.beam_width"),
    "combinatorial_max_sells": (2, f"{COMBINING}.max_sells"),
    "combinatorial_max_buys": (2, f"{COMBINING}.max_buys"),
    "combinatorial_max_candidates": (7, f"{COMBINING}.max_candidates"),
    "combinatorial_max_combinations_per_depth": (9, f"{COMBINING}.max_combinations"),
}


def test_every_option_of_the_older_call_reaches_the_plan(small: PlannerContext):
    options: Any = {name: value for name, (value, _) in OPTIONS.items()}
    records = (small.portfolio_context, small.available_cash, small.securities, small.positions)

    document = asyncio.run(create_holistic_plan(*records, **options)).document

    def value(path: str) -> Any:
        node: Any = document.strategy.settings
        for part in path.split("."):
            listed = isinstance(node, list)
            node = next(m for m in node if m["name"] == part) if listed else node[part]
        return node

    assert {path: value(path) for _, path in OPTIONS.values()} == {
        path: expected for expected, path in OPTIONS.values()
    }


def test_an_option_that_nothing_reads_is_refused_by_name(small: PlannerContext):
    with pytest.raises(InputError, match=r"'max_plan_dept'.*Did you mean max_plan_depth"):
        asyncio.run(create_holistic_plan(small.portfolio_context, 0.0, (), (), max_plan_dept=3))
    with pytest.raises(InputError, match="'prices'"):
        asyncio.run(HolisticPlanner().create_plan(small.portfolio_context, (), (), 0.0, prices={}))


def test_a_value_out_of_range_is_refused_with_its_range(small: PlannerContext):
    with pytest.raises(SettingsError, match=r"max_.*depth.* from 1 to 10"):
        asyncio.run(create_holistic_plan(small.portfolio_context, 0.0, (), (), max_plan_depth=11))
    for size in (0, 2.5, "x", True):
        with pytest.raises(InputError, match="batch_size is"):
            asyncio.run(
                HolisticPlanner().create_plan_incremental(
                    small.portfolio_context, (), (), 0.0, batch_size=size
                )
            )


def test_a_dry_run_estimates_what_planning_would_generate_and_leaves_no_trace(
    small: PlannerContext,
):
    holistic = HolisticPlanner()

    report = asyncio.run(holistic.dry_run(small))

    assert set(report) == {"valid", "modules_loaded", "estimated_sequences", "warnings", "errors"}
    assert report["valid"] is True
    assert report["errors"] == []
    assert report["estimated_sequences"] >= plan(small).document.certificate.sequences > 0
    assert report["modules_loaded"]["weight_based"].keys() == {
        "type", "status", "version", "params",
    }  # fmt: skip
    assert (
        report["modules_loaded"]["weight_based"]["type"],
        report["modules_loaded"]["weight_based"]["status"],
    ) == ("calculator", "ok")
    assert report["modules_loaded"]["pattern_generators.profit_taking"]["type"] == "pattern"
    assert holistic.perf.get_stats() == {}


def test_a_dry_run_without_a_portfolio_checks_the_configuration():
    report = asyncio.run(HolisticPlanner().dry_run(PlannerContext()))

    assert report["valid"] is True
    assert report["estimated_sequences"] == 0


def test_a_dry_run_of_what_cannot_be_planned_says_why(small: PlannerContext):
    config = PlannerConfiguration(max_depth=0)

    wrong = asyncio.run(HolisticPlanner(config).dry_run(small))
    unpriced = asyncio.run(
        HolisticPlanner().dry_run(replace(small, positions=(Position(symbol="ACME", quantity=1),)))
    )

    assert (wrong["valid"], unpriced["valid"]) == (False, False)
    assert "max_depth" in wrong["errors"][0]
    assert "ACME" in unpriced["errors"][0]


def test_perf_adds_up_real_timings_of_every_module(small: PlannerContext):
    holistic = HolisticPlanner()
    for _ in range(2):
        asyncio.run(holistic.plan(small))

    stats = holistic.perf.get_stats()

    one = stats["weight_based.calculate"]
    assert one["count"] == 2
    assert 0 < one["min"] <= one["mean"] <= one["max"] <= one["total"]
    assert math.isclose(one["mean"], one["total"] / 2)
    assert {
        "profit_taking.calculate", "profit_taking.generate", "eligibility.filter", "planner.prove",
    } <= set(stats)  # fmt: skip


def test_a_block_can_be_tracked_too():
    ticks = iter([1.0, 3.0])
    tracker = PerformanceTracker(clock=lambda: next(ticks))

    with tracker.track("mine", "load"):
        pass

    assert tracker.get_stats() == {
        "mine.load": {"count": 1, "total": 2.0, "mean": 2.0, "min": 2.0, "max": 2.0}
    }


def failing(name: str) -> PlannerConfiguration:
    """The default rules with one calculator that raises."""

    def refuse(*_: object) -> None:
        raise ValueError("no")

    base = strategies.default()
    choices = tuple(
        (
            replace(choice, module=replace(choice.module, call=refuse))
            if choice.module.name == name
            else choice
        )
        for choice in base.choices[Kind.OPPORTUNITY]
    )
    return PlannerConfiguration(
        base=replace(base, choices={**base.choices, Kind.OPPORTUNITY: choices})
    )


def test_a_module_that_fails_three_times_is_left_out_of_the_fourth_plan(small: PlannerContext):
    holistic = HolisticPlanner(failing("averaging_down"))

    made = [asyncio.run(holistic.plan(small)) for _ in range(4)]

    assert ["failed: ValueError: no" in " ".join(one.problems) for one in made] == [
        True, True, True, False,
    ]  # fmt: skip
    assert "out of service: 3 failures in a row" in " ".join(made[3].problems)
    assert {one.steps for one in made} == {made[0].steps}


def test_a_dry_run_names_the_module_that_fails_and_counts_nothing(small: PlannerContext):
    holistic = HolisticPlanner(
        failing("averaging_down"), circuit_breaker=CircuitBreaker(failure_threshold=1)
    )

    report = asyncio.run(holistic.dry_run(small))

    assert report["valid"] is False
    assert [
        name for name, loaded in report["modules_loaded"].items() if loaded["status"] != "ok"
    ] == ["averaging_down"]
    assert any("ValueError: no" in error for error in report["errors"])
    assert asyncio.run(holistic.plan(small)).problems[0].endswith("failed: ValueError: no")


def test_what_each_calculator_wants_is_told_by_its_name(small: PlannerContext):
    wants = asyncio.run(HolisticPlanner().identify_opportunities(small))

    assert set(wants) == set(PlannerConfiguration().get_enabled_calculators())
    assert {candidate.symbol for every in wants.values() for candidate in every} == {"ACME", "BOLT"}


def test_a_calculator_that_fails_wants_nothing_and_is_out_of_service_after_three_times(
    small: PlannerContext, monkeypatch
):
    def failing(*_):
        raise RuntimeError("out of luck")

    strategy = with_call(strategies.default(), Kind.OPPORTUNITY, "rebalance_sells", failing)
    holistic = HolisticPlanner(strategy, circuit_breaker=CircuitBreaker())
    monkeypatch.setattr(type(holistic.config), "strategy", lambda _: strategy)

    for _ in range(3):
        assert asyncio.run(holistic.identify_opportunities(small))["rebalance_sells"] == []

    asked = {"opportunity_calculators.rebalance_sells": "1.0.0"}
    assert "out of luck" in holistic.circuit_breaker.out_of_service(asked)[next(iter(asked))]


def test_a_beam_width_that_changes_nothing_is_said_to(small: PlannerContext):
    context = small.portfolio_context
    made = asyncio.run(
        create_holistic_plan(
            context, small.available_cash, small.securities, small.positions, beam_width=3,
            current_prices=small.current_prices, as_of=small.as_of,
        )
    )  # fmt: skip

    assert any("search.beam_width" in warning and "idle" in warning for warning in made.warnings)
