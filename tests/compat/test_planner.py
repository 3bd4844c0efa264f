"""The documents' planner over ours: the same trades; every argument acts or is named."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from steelyard import strategies
from steelyard.compat import (
    CircuitBreaker,
    HolisticPlan,
    HolisticPlanner,
    PerformanceTracker,
    PlannerConfiguration,
    PlannerContext,
    PortfolioContext,
    Position,
    Security,
    create_holistic_plan,
    parse_toml_config,
    process_planner_batch_job,
)
from steelyard.compat.convert import convert
from steelyard.errors import InputError, PlanRefused, SettingsError
from steelyard.importers import Inputs, assemble, read
from steelyard.market import Market
from steelyard.modules.registry import Kind, modules
from steelyard.money import FxRate, FxTable
from steelyard.planning import planner
from steelyard.samples import sample


def plan(
    context: PlannerContext, config: PlannerConfiguration | None = None, **given: Any
) -> HolisticPlan:
    return asyncio.run(HolisticPlanner(config, **given).plan(context))


def trades(made: HolisticPlan) -> list[tuple[str, str, float]]:
    return [(step.side, step.symbol, step.quantity) for step in made.steps]


def sides(made: HolisticPlan) -> set[str]:
    return {step.side for step in made.steps}


class Trades:
    """A trade repository, sync."""

    def __init__(self, history: Mapping[str, Mapping[str, Any]]) -> None:
        self.history = history

    def get_trade_history(self) -> Mapping[str, Mapping[str, Any]]:
        return self.history


class Settings:
    """A settings repository, async."""

    def __init__(self, **settings: Any) -> None:
        self.settings = settings

    def _as(self, settings: Any) -> Settings:
        self.settings = settings
        return self

    async def get_all(self) -> Mapping[str, Any]:
        return self.settings


class Rates:
    """An exchange rate service, async."""

    async def get_rate(self, from_currency: str, to_currency: str) -> float:
        assert (from_currency, to_currency) == ("USD", "EUR")
        return 0.5


# the same plan


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
        0,
        0,
        0,
        True,
    )
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
        "portfolio_context": small.portfolio_context,
        "positions": small.positions,
        "securities": small.securities,
        "available_cash": small.available_cash,
    }

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


# switches


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

    assert sides(plan(small)) == {"BUY", "SELL"}
    assert sides(plan(small, config)) <= {"SELL"}


def only(kind: str, name: str | None, **fields_: Any) -> PlannerConfiguration:
    """The defaults with one module of a kind, or none; patterns without the generators."""
    config = PlannerConfiguration(**fields_)
    for family in {kind, "sequence_generators"} if kind == "pattern_generators" else {kind}:
        for module, switch in vars(getattr(config, family)).items():
            switch.enabled = module == name and family == kind
    return config


def situation(bundled: PlannerContext, name: str) -> PlannerContext:
    """The bundled portfolio; much cash for what buys, a debt for what sells, a dip in JNJ."""
    cash = {"direct_buy": 60_000, "opportunity_first": 60_000, "averaging_down": 60_000}
    debt = dict.fromkeys(("multi_sell", "cash_generation", "market_regime"), -8_000)
    positions = tuple(
        replace(one, avg_price=250.0) if one.symbol == "JNJ" else one for one in bundled.positions
    )
    dipped = {"positions": positions} if name == "averaging_down" else {}
    return replace(
        bundled, available_cash={**cash, **debt}.get(name, bundled.available_cash), **dipped
    )


@pytest.mark.parametrize("name", sorted(modules(Kind.OPPORTUNITY)))
def test_every_calculator_by_itself_makes_a_plan(bundled: PlannerContext, name: str):
    context = situation(bundled, name)

    assert plan(context, only("opportunity_calculators", name, scope="candidates")).steps
    assert plan(context, only("opportunity_calculators", None, scope="candidates")).steps == ()


@pytest.mark.parametrize("name", sorted(set(modules(Kind.PATTERN)) - {"market_regime"}))
def test_every_pattern_by_itself_makes_a_plan(bundled: PlannerContext, name: str):
    assert plan(situation(bundled, name), only("pattern_generators", name)).steps


def test_the_pattern_of_the_market_regime_needs_an_index(bundled: PlannerContext):
    files = sample("growth")
    with_index = assemble(
        read(
            files.holdings,
            prices=files.prices,
            targets=files.targets,
            securities=files.securities,
            index=files.index,
        )
    )

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
    assert trades(plan(bundled, only("filters", name))) != trades(
        plan(bundled, only("filters", None))
    )


@pytest.mark.parametrize(
    ("name", "change"), [("eligibility", "last_bought_at"), ("recently_traded", "last_sold_at")]
)
def test_a_filter_that_is_switched_off_holds_nothing_up(
    small: PlannerContext, name: str, change: str
):
    acme, bolt = small.positions
    fresh = replace(small, positions=(replace(acme, **{change: "2026-01-08"}), bolt))

    held, free = plan(fresh, only("filters", name)), plan(fresh, only("filters", None))

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


@pytest.mark.parametrize(
    ("name", "value", "path"),
    [
        ("max_depth", 1, ("search", "max_depth")),
        ("max_plan_depth", 1, ("search", "max_depth")),
        ("max_opportunities_per_category", 1, ("planner", "max_opportunities_per_category")),
        ("priority_threshold", 0.9, ("planner", "priority_threshold")),
        ("enable_diverse_selection", True, ("planner", "diverse_selection")),
        ("diversity_weight", 0.7, ("planner", "diversity_weight")),
        ("transaction_cost_fixed", 9.0, ("costs", "fixed")),
        ("transaction_cost_percent", 0.004, ("costs", "percent")),
        ("allow_buy", False, ("limits", "allow_buy")),
        ("allow_sell", False, ("limits", "allow_sell")),
    ],
)
def test_every_field_of_a_configuration_is_a_setting_of_the_strategy(
    name: str, value: Any, path: tuple[str, str]
):
    config = PlannerConfiguration()
    setattr(config, name, value)

    strategy = config.strategy()

    assert getattr(getattr(strategy, path[0]), path[1]) == value
    assert strategy.source(".".join(path)) == "configuration"


def test_the_best_proposal_is_planned_unless_the_best_of_all_is_asked_for(bundled: PlannerContext):
    assert plan(bundled).document.certificate.scope == "proposals"
    assert (
        plan(bundled, PlannerConfiguration(scope="candidates")).document.certificate.scope
        == "candidates"
    )


@pytest.mark.parametrize(
    ("option", "value", "path"),
    [
        ("max_plan_depth", 2, "search.max_depth"),
        ("max_opportunities_per_category", 3, "planner.max_opportunities_per_category"),
        ("priority_threshold", 0.4, "planner.priority_threshold"),
        ("transaction_cost_fixed", 5.0, "costs.fixed"),
        ("transaction_cost_percent", 0.003, "costs.percent"),
        ("beam_width", 5, "search.beam_width"),
        (
            "combinatorial_max_sells",
            2,
            "modules.sequence_generators.enhanced_combinatorial.params.max_sells",
        ),
        (
            "combinatorial_max_buys",
            2,
            "modules.sequence_generators.enhanced_combinatorial.params.max_buys",
        ),
        (
            "combinatorial_max_candidates",
            7,
            "modules.sequence_generators.enhanced_combinatorial.params.max_candidates",
        ),
        (
            "combinatorial_max_combinations_per_depth",
            9,
            "modules.sequence_generators.enhanced_combinatorial.params.max_combinations",
        ),
    ],
)
def test_every_option_of_the_older_call_reaches_the_plan(
    small: PlannerContext, option: str, value: Any, path: str
):
    made = asyncio.run(
        create_holistic_plan(
            small.portfolio_context,
            small.available_cash,
            small.securities,
            small.positions,
            **{option: value},
        )
    )

    found: Any = made.document.strategy.settings
    for part in path.split("."):
        found = (
            next(one for one in found if one["name"] == part)
            if isinstance(found, list)
            else found[part]
        )
    assert found == value


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


# prices


def test_prices_come_from_the_caller_then_the_position_then_its_cost(small: PlannerContext):
    acme, bolt = small.positions
    context = replace(
        small, positions=(acme, replace(bolt, current_price=None)), current_prices={"ACME": 90.0}
    )

    made = plan(context)

    assert {held.symbol: float(held.price) for held in made.document.holdings} == {
        "ACME": 90,
        "BOLT": 60,
    }
    assert "BOLT costs now: the average cost was used" in made.warnings[0]


def test_a_position_s_own_price_is_used_and_said(small: PlannerContext):
    made = plan(small)

    assert "ACME, BOLT: the current_price of the position" in made.warnings[0]


def test_a_history_gives_prices_and_statistics(bundled: PlannerContext):
    silent = replace(
        bundled,
        portfolio_context=replace(bundled.portfolio_context, history=None),
        base_currency=None,
    )

    with_history, without = plan(bundled), plan(silent)

    assert len(without.document.data_coverage) > len(with_history.document.data_coverage)
    assert any("current_price of the position" in said for said in without.warnings)
    assert not any("current_price of the position" in said for said in with_history.warnings)


def test_a_position_without_any_price_refuses_the_plan(small: PlannerContext):
    with pytest.raises(PlanRefused, match="CORE"):
        plan(replace(small, positions=(*small.positions, Position(symbol="CORE", quantity=3))))


# currencies


def test_a_foreign_position_without_a_rate_refuses_the_plan(foreign: PlannerContext):
    with pytest.raises(PlanRefused, match="USD"):
        plan(foreign)


def test_a_rate_is_base_for_one_of_currency_from_position_or_service(foreign: PlannerContext):
    acme, bolt = foreign.positions
    stated = replace(foreign, positions=(acme, replace(bolt, currency_rate=0.5)))

    own, served = plan(stated), plan(foreign, services={"exchange_rate_service": Rates()})

    assert (
        float(own.document.value) == float(served.document.value) == 10_000 + 40 * 50 * 0.5 + 1000
    )


def test_several_currencies_need_a_base(foreign: PlannerContext):
    with pytest.raises(InputError, match="base_currency"):
        plan(replace(foreign, base_currency=None))


# records that contradict each other


def test_values_that_say_otherwise_are_told_and_not_used(small: PlannerContext):
    context = replace(
        small,
        portfolio_context=PortfolioContext(positions={"ACME": 5000, "GONE": 7}, total_value=99.0),
    )

    made = plan(context)

    told = " ".join(made.warnings)
    assert float(made.document.value) == 13_000
    assert all(
        part in told
        for part in ("ACME is worth 10,000.00", "values GONE at 7.00", "total_value is 99.00")
    )


def test_positions_of_two_buckets_are_not_one_plan(small: PlannerContext):
    acme, bolt = small.positions
    with pytest.raises(InputError, match="core, other"):
        plan(replace(small, positions=(acme, replace(bolt, bucket_id="other"))))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"positions": (Position(symbol="ACME", quantity=-1.0),)}, "quantity of ACME is -1.0"),
        (
            {"positions": (Position(symbol="ACME", quantity=1.0, current_price=math.nan),)},
            "current_price of ACME is nan",
        ),
        (
            {"positions": (Position(symbol="ACME", quantity=1.0, first_bought_at="soon"),)},
            "first_bought_at of ACME is 'soon'",
        ),
        (
            {
                "positions": (
                    Position(symbol="ACME", quantity=1.0),
                    Position(symbol="ACME", quantity=2.0),
                )
            },
            "more than one position",
        ),
        (
            {"securities": (Security(symbol="ACME", currency="USD"),)},
            "ACME is a position in EUR and a security in USD",
        ),
        ({"securities": (Security(symbol="ACME", min_lot=0),)}, "min_lot of ACME is 0"),
        ({"available_cash": math.inf}, "available_cash is inf"),
        ({"target_weights": {"ACME": 1.2}}, "sum to 1.2"),
        ({"target_weights": {"ACME": "half"}}, "target weight of ACME is 'half'"),
        ({"positions": (Position(symbol="ACME", quantity=None),)}, "quantity of ACME is None"),
        ({"positions": (Position(symbol="ACME", quantity=False),)}, "quantity of ACME is False"),
        (
            {"positions": (Position(symbol="ACME", quantity=1, currency_rate=3.0),)},
            "currency_rate of ACME is 3 EUR.*account's currency",
        ),
        (
            {
                "positions": (
                    Position(symbol="ACME", quantity=1, currency="USD", currency_rate=0.9),
                    Position(symbol="BOLT", quantity=1, currency="USD", currency_rate=0.5),
                ),
                "securities": (),
            },
            "currency_rate of BOLT is 0.5 EUR for one USD; another position has 0.9",
        ),
        (
            {
                "positions": tuple(Position(symbol=s, quantity=1, bucket_id="x") for s in "AB"),
                "securities": (),
            },
            "belong to x.*plan is of core",
        ),
        (
            {"securities": (Security(symbol="ACME", priority_multiplier=0),)},
            "priority_multiplier of ACME is 0",
        ),
        (
            {"portfolio_context": PortfolioContext(security_scores={"ACME": 70})},
            "score of ACME is 70; it must be a fraction",
        ),
        (
            {"portfolio_context": PortfolioContext(security_dividends={"ACME": math.nan})},
            "dividend yield of ACME is nan",
        ),
        ({"available_cash": None}, "available_cash is None"),
        ({"available_cash": "1000"}, "available_cash is '1000'"),
        ({"as_of": "soon"}, "as_of is 'soon'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_record_that_is_not_usable_is_refused_with_its_field(
    small: PlannerContext, change: dict[str, Any], told: str
):
    with pytest.raises(InputError, match=told):
        plan(replace(small, base_currency="EUR", **change))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"portfolio_context": None}, "portfolio_context is None"),
        ({"positions": None}, "positions is None"),
        (
            {"positions": ({"symbol": "ACME"},)},
            "one of positions is {'symbol': 'ACME'}.*must be a Position",
        ),
        ({"securities": ("ACME",)}, "one of securities is 'ACME'.*must be a Security"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_record_of_another_kind_is_refused_by_name(
    small: PlannerContext, change: dict[str, Any], told: str
):
    with pytest.raises(InputError, match=told):
        replace(small, **change)


def test_numbers_may_be_of_any_type(small: PlannerContext):
    acme, bolt = small.positions
    exact = replace(
        small,
        positions=(replace(acme, quantity=np.int64(100)), replace(bolt, quantity=Decimal(40))),
        available_cash=Decimal(1000),
    )

    assert trades(plan(exact)) == trades(plan(small))


def test_what_is_not_held_has_no_weight_and_needs_no_price(small: PlannerContext):
    acme, bolt = small.positions
    none = replace(bolt, quantity=0, current_price=None, avg_price=None)

    made = plan(replace(small, positions=(acme, none), target_weights={"ACME": 0.5}))

    assert float(made.document.value) == 11_000
    assert sides(made) == {"SELL"}


def test_a_position_without_an_average_price_is_planned_and_has_no_gain(small: PlannerContext):
    acme, bolt = small.positions

    made = plan(replace(small, positions=(replace(acme, avg_price=None), bolt)))

    assert ("SELL", "ACME") in {(step.side, step.symbol) for step in made.steps}
    assert "profit_taking" not in {
        source for row in made.document.candidates if row.symbol == "ACME" for source in row.sources
    }


def test_orders_are_whole_lots(small: PlannerContext):
    acme, bolt = small.securities

    made = plan(replace(small, securities=(replace(acme, min_lot=7), bolt)))

    assert next(step.quantity for step in made.steps if step.symbol == "ACME") % 7 == 0


def test_records_that_name_no_bucket_are_planned_for_a_satellite_and_it_is_said(
    small: PlannerContext,
):
    made = plan(small, bucket_id="momentum_1")

    assert made.document.bucket == "momentum_1"
    assert any(
        "name no bucket beside core, and were planned as those of momentum_1" in said
        for said in made.warnings
    )


@pytest.mark.parametrize("bucket", [None, "", 5])
def test_a_bucket_needs_a_name(bucket: Any):
    with pytest.raises(InputError, match="bucket_id is"):
        HolisticPlanner(bucket_id=bucket)
    with pytest.raises(InputError, match="bucket_id is"):
        asyncio.run(process_planner_batch_job(bucket_id=bucket))


# dates and histories


def test_of_a_history_nothing_after_the_date_is_looked_at(bundled: PlannerContext):
    history = bundled.portfolio_context.history
    assert history is not None
    day, other = (
        date(2021, 1, 4),
        replace(
            history,
            closes=np.where(
                history.dates[:, None] > np.datetime64("2021-01-04"), 1.0, history.closes
            ),
        ),
    )
    changed = replace(bundled, portfolio_context=replace(bundled.portfolio_context, history=other))

    then, again = (plan(replace(context, as_of=day)).document for context in (bundled, changed))

    assert then.plan_id == again.plan_id
    assert then.value != plan(bundled).document.value
    assert then.prices_as_of.quotes == then.prices_as_of.history == day


def test_a_date_before_the_history_is_refused_and_one_after_it_is_told(bundled: PlannerContext):
    with pytest.raises(
        InputError, match="as_of is 1980-01-01 and the price history begins on 2004-01-02"
    ):
        plan(replace(bundled, as_of="1980-01-01"))

    assert any(
        "ends on 2022-12-28 and the plan is of 2023-01-03: old prices" in said
        for said in plan(replace(bundled, as_of="2023-01-03")).warnings
    )
    assert not any("old prices" in said for said in plan(bundled).warnings)


def test_a_rate_that_the_history_has_otherwise_is_told(foreign: PlannerContext):
    acme, bolt = foreign.positions
    rates = FxTable("EUR", {"USD": (FxRate("USD", Decimal("0.5"), date(2026, 1, 8)),)})
    days = np.array(["2026-01-08", "2026-01-09"], dtype="datetime64[D]")
    history = Market(
        symbols=("ACME",), dates=days, closes=np.full((2, 1), 100.0), quotes={}, fx=rates
    )
    context = replace(
        foreign,
        positions=(acme, replace(bolt, currency_rate=0.9)),
        portfolio_context=PortfolioContext(history=history),
    )

    made = plan(context)

    assert any(
        "One USD is 0.5 EUR in the history and 0.9 in the positions: the former was used" in said
        for said in made.warnings
    )


def test_groups_of_the_context_are_targets_of_the_score(small: PlannerContext):
    facts = PortfolioContext(
        country_weights={"Europe": 0.6, "Asia": 0.4},
        country_to_group={"France": "Europe", "Japan": "Asia"},
        security_countries={"ACME": "France", "BOLT": "Japan"},
    )

    made = plan(replace(small, portfolio_context=facts, target_weights=None))

    assert made.document.strategy.settings["groups"]["country"] == {"Asia": 0.4, "Europe": 0.6}
    assert "rebalance_sells" in {run.name for run in made.document.modules if run.outcome == "ok"}


def test_a_sale_must_be_opted_in(small: PlannerContext):
    made = plan(replace(small, securities=(Security(symbol="ACME"), Security(symbol="BOLT"))))

    assert sides(made) <= {"BUY"}


# repositories


def test_a_trade_repository_feeds_the_cooldowns(small: PlannerContext):
    yesterday = date(2026, 1, 8)

    free = plan(small)
    cooling = plan(small, trade_repo=Trades({"ACME": {"last_buy": yesterday, "last_sell": None}}))

    assert ("SELL", "ACME") in {(step.side, step.symbol) for step in free.steps}
    assert ("SELL", "ACME") not in {(step.side, step.symbol) for step in cooling.steps}
    assert {stop.rule for stop in cooling.document.not_traded if stop.symbol == "ACME"} >= {
        "min_hold_days"
    }


def test_what_was_sold_whole_is_not_bought_back_at_once(small: PlannerContext):
    acme, _ = small.positions
    context = replace(
        small,
        positions=(acme,),
        target_weights={"ACME": 0.5, "BOLT": 0.45},
        current_prices={"BOLT": 50.0},
    )

    free = plan(context)
    cooling = plan(context, trade_repo=Trades({"BOLT": {"last_sell": "2026-01-02"}}))

    assert ("BUY", "BOLT") in {(step.side, step.symbol) for step in free.steps}
    assert ("BUY", "BOLT") not in {(step.side, step.symbol) for step in cooling.steps}


def test_a_settings_repository_feeds_costs_and_limits(small: PlannerContext):
    free = plan(small)
    dear = plan(
        small,
        settings_repo=Settings(
            transaction_cost_fixed=50, min_cash_reserve="2600", max_plan_depth=1
        ),
    )

    assert trades(dear) != trades(free)
    assert len(dear.steps) <= 1
    assert dear.document.rules.costs.fixed == 50
    assert dear.document.rules.limits.cash_reserve_weight == 0.2


@pytest.mark.parametrize(
    ("name", "value", "key"),
    [
        ("transaction_cost_fixed", 5, "costs.fixed"),
        ("transaction_cost_percent", 0.004, "costs.percent"),
        ("max_plan_depth", 2, "search.max_depth"),
        ("min_hold_days", 10, "filters.eligibility.min_hold_days"),
        ("sell_cooldown_days", 11, "filters.recently_traded.sell_cooldown_days"),
        ("min_security_score", 0.8, "opportunity_calculators.opportunity_buys.min_quality_score"),
        ("max_loss_threshold", -0.2, "filters.eligibility.no_panic_sell_pct"),
        ("min_cash_reserve", 1300, "limits.cash_reserve_weight"),
    ],
)
def test_every_setting_of_the_account_reaches_the_strategy(
    small: PlannerContext, name: str, value: float, key: str
):
    expected = {"max_loss_threshold": 0.2, "min_cash_reserve": 0.1}.get(name, value)

    settings = plan(small, settings_repo={name: value}).document.strategy.settings

    section, *rest = key.split(".")
    found = (
        settings[section]
        if section in settings
        else next(m for m in settings["modules"][section] if m["name"] == rest[0])["params"]
    )
    assert found[rest[-1]] == pytest.approx(expected)


def test_the_configuration_wins_over_the_account_and_says_so(small: PlannerContext):
    made = plan(
        small,
        PlannerConfiguration(transaction_cost_fixed=3.0),
        settings_repo={"transaction_cost_fixed": 50},
    )

    assert made.document.rules.costs.fixed == 3
    assert any("costs.fixed = 50" in said and "configuration" in said for said in made.warnings)


def test_a_setting_of_an_optimiser_is_named_as_unused(small: PlannerContext):
    made = plan(small, settings_repo={"optimizer_blend": 0.5})

    assert any("optimizer_blend" in said and "not used" in said for said in made.warnings)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            {"settings_repo": {"min_cash_reserv": 1}},
            "min_cash_reserv.*Did you mean min_cash_reserve",
        ),
        ({"settings_repo": {"min_cash_reserve": "much"}}, "min_cash_reserve is 'much'"),
        (
            {"settings_repo": {"min_hold_days": 1.5}},
            "min_hold_days is 1.5; it must be a whole number",
        ),
        ({"settings_repo": {"min_cash_reserve": 1e9}}, "worth 13,000.00"),
        ({"settings_repo": {"max_loss_threshold": 0.2}}, "from -1 to 0"),
        ({"settings_repo": object()}, r"settings_repo is a object without get_all\(\)"),
        ({"trade_repo": object()}, r"trade_repo is a object without get_trade_history\(\)"),
        ({"trade_repo": Trades({"ACME": {"last_bye": None}})}, "'last_bye'.*Did you mean last_buy"),
        (
            {"services": {"exchange_rates": None}},
            "services has no 'exchange_rates'.*exchange_rate_service",
        ),
        ({"repositories": object()}, "none of settings_repo, trade_repo"),
        ({"settings_repo": Settings()._as(None)}, "What settings_repo gives is None"),
        ({"settings_repo": {1: 2}}, "settings_repo has 1,"),
        ({"settings_repo": {"transaction_cost_fixed": 10**400}}, "must be a number"),
        ({"trade_repo": Trades(None)}, "The trade history is None"),
        (
            {"trade_repo": Trades({"ACME": "2026-01-01"})},
            "The trade history of ACME is '2026-01-01'",
        ),
        (
            {"settings_repo": {}, "repositories": {"settings_repo": {}}},
            "settings_repo is given twice",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_repository_that_is_not_understood_is_refused(
    small: PlannerContext, given: dict[str, Any], told: str
):
    with pytest.raises(InputError, match=told):
        plan(small, **given)


def test_what_a_repository_raises_comes_through_and_nothing_is_counted_against_a_module(
    small: PlannerContext,
):
    class Down:
        async def get_all(self) -> Mapping[str, Any]:
            raise ConnectionError("database is away")

    breaker = CircuitBreaker(failure_threshold=1)
    with pytest.raises(ConnectionError, match="database is away"):
        plan(small, settings_repo=Down(), circuit_breaker=breaker)

    assert not any(
        breaker.is_open(module.qualified) for module in HolisticPlanner().opportunity_calculators
    )


@pytest.mark.parametrize(
    "given",
    [
        {"settings_repo": {"transaction_cost_fixed": 500}},
        {"settings_repo": {"min_cash_reserve": 5000}},
        {"trade_repo": Trades({"BOLT": {"last_buy": "2026-01-08"}})},
    ],
    ids=["costs", "limits", "cooldowns"],
)
def test_what_the_account_says_changes_the_trades_by_itself(
    small: PlannerContext, given: dict[str, Any]
):
    rich = replace(small, available_cash=6000, target_weights={"ACME": 0.56, "BOLT": 0.44})

    assert trades(plan(rich)) == [("BUY", "BOLT", 32)]
    assert trades(plan(rich, **given)) != trades(plan(rich))


def test_nothing_of_one_planner_is_in_another(small: PlannerContext):
    config = PlannerConfiguration()
    first = HolisticPlanner()
    first.config.opportunity_calculators.weight_based.enabled = False
    first.config.filters.eligibility.params["min_hold_days"] = 1
    before = plan(small, config)

    plan(
        small,
        config,
        settings_repo={"transaction_cost_fixed": 50},
        trade_repo=Trades({"ACME": {"last_buy": "2026-01-08"}}),
    )

    assert HolisticPlanner().config == PlannerConfiguration() == config
    assert (
        plan(small, config).document.plan_id
        == before.document.plan_id
        == plan(small).document.plan_id
    )


def test_plans_made_at_once_in_tasks_and_threads_are_one_plan(small: PlannerContext):
    one = HolisticPlanner()

    async def together() -> list[str]:
        return [
            made.document.plan_id
            for made in await asyncio.gather(*(one.plan(small) for _ in range(4)))
        ]

    with ThreadPoolExecutor(4) as pool:
        ids = {
            plan_id
            for made in pool.map(lambda _: asyncio.run(together()), range(4))
            for plan_id in made
        }

    assert len(ids) == 1
    assert one.perf.get_stats()["weight_based.calculate"]["count"] == 16


def test_the_plan_is_the_native_one_of_the_same_inputs(small: PlannerContext):
    config = PlannerConfiguration(max_depth=4)
    inputs = convert(small, "core", {}, {})

    native = planner.plan(inputs.snapshot, inputs.market, config.strategy(), targets=inputs.targets)

    assert plan(small, config).document.plan_id == native.plan_id


def test_repositories_may_come_together(small: PlannerContext):
    together = SimpleNamespace(
        settings_repo=Settings(transaction_cost_fixed=7), trade_repo=Trades({})
    )

    made = plan(small, repositories=together)

    assert made.document.rules.costs.fixed == 7


# dry run, timings, circuit breaker


def test_a_dry_run_counts_what_planning_would_generate_and_leaves_no_trace(small: PlannerContext):
    holistic = HolisticPlanner()

    report = asyncio.run(holistic.dry_run(small))

    assert set(report) == {"valid", "modules_loaded", "estimated_sequences", "warnings", "errors"}
    assert report["valid"] is True
    assert report["errors"] == []
    assert report["estimated_sequences"] == plan(small).document.certificate.sequences > 0
    assert report["modules_loaded"]["weight_based"].keys() == {
        "type",
        "status",
        "version",
        "params",
    }
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
        "profit_taking.calculate",
        "profit_taking.generate",
        "eligibility.filter",
        "planner.prove",
    } <= set(stats)


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
        True,
        True,
        True,
        False,
    ]
    assert "out of service: 3 failures in a row" in " ".join(made[3].problems)
    assert {one.steps for one in made} == {made[0].steps}


def test_a_dry_run_names_the_module_that_fails_and_counts_nothing(small: PlannerContext):
    holistic = HolisticPlanner(
        failing("averaging_down"), circuit_breaker=CircuitBreaker(failure_threshold=1)
    )

    report = asyncio.run(holistic.dry_run(small))

    assert report["valid"] is True
    assert [
        name for name, loaded in report["modules_loaded"].items() if loaded["status"] != "ok"
    ] == ["averaging_down"]
    assert any("ValueError: no" in said for said in report["warnings"])
    assert asyncio.run(holistic.plan(small)).problems[0].endswith("failed: ValueError: no")


def test_a_plan_that_is_refused_gives_the_try_back(small: PlannerContext):
    moments = [0.0]
    breaker = CircuitBreaker(
        failure_threshold=1, timeout=timedelta(seconds=10), now=lambda: moment(moments[-1])
    )
    breaker.record_failure("filters.eligibility")
    moments.append(10.0)

    with pytest.raises(PlanRefused):
        asyncio.run(
            HolisticPlanner(circuit_breaker=breaker).plan(
                replace(small, positions=(Position(symbol="CORE", quantity=3),))
            )
        )

    assert not breaker.is_open("filters.eligibility")


def test_a_module_that_failed_too_often_is_left_out_and_named(small: PlannerContext):
    breaker = CircuitBreaker(failure_threshold=2)
    for _ in range(2):
        breaker.record_failure("opportunity_calculators.weight_based", "ValueError: no")

    made = asyncio.run(HolisticPlanner(circuit_breaker=breaker).plan(small))

    assert breaker.is_open("opportunity_calculators.weight_based")
    assert any(
        "weight_based is out of service: 2 failures in a row, the last ValueError: no" in said
        for said in made.problems
    )


def test_after_the_timeout_one_run_tries_and_a_success_closes(small: PlannerContext):
    moments = [0.0]
    breaker = CircuitBreaker(
        failure_threshold=1, timeout=timedelta(seconds=10), now=lambda: moment(moments[-1])
    )
    breaker.record_failure("opportunity_calculators.weight_based")

    moments.append(10.0)
    made = asyncio.run(HolisticPlanner(circuit_breaker=breaker).plan(small))

    assert made.problems == ()
    assert breaker.out_of_service({"opportunity_calculators.weight_based": "1.0.0"}) == {}


def test_a_name_alone_stands_for_every_module_of_that_name(small: PlannerContext):
    breaker = CircuitBreaker(failure_threshold=1)
    calculator = next(
        one for one in HolisticPlanner().opportunity_calculators if one.name == "profit_taking"
    )
    breaker.record_failure(calculator.name)

    made = asyncio.run(HolisticPlanner(circuit_breaker=breaker).plan(small))

    assert breaker.is_open("profit_taking")
    assert breaker.is_open("opportunity_calculators.profit_taking")
    assert not breaker.is_open("averaging_down")
    assert len([said for said in made.problems if "profit_taking is out of service" in said]) == 2
    breaker.record_success("profit_taking")
    assert not breaker.is_open("pattern_generators.profit_taking")


def test_a_name_alone_is_tried_and_closed_like_a_whole_one(small: PlannerContext):
    moments = [0.0]
    breaker = CircuitBreaker(
        failure_threshold=1, timeout=timedelta(seconds=10), now=lambda: moment(moments[-1])
    )
    breaker.record_failure("weight_based")
    moments.append(10.0)

    first, second = (
        breaker.out_of_service({"opportunity_calculators.weight_based": "1.0.0"}) for _ in range(2)
    )
    breaker.record([("opportunity_calculators.weight_based", "1.0.0", "ValueError: no")])
    third = breaker.out_of_service({"opportunity_calculators.weight_based": "1.0.0"})
    breaker.record([("opportunity_calculators.weight_based", "1.0.0", None)])

    assert [bool(out) for out in (first, second, third)] == [False, True, True]
    assert not breaker.is_open("weight_based")


def test_while_one_run_tries_no_other_does():
    breaker = CircuitBreaker(
        failure_threshold=1, timeout=timedelta(seconds=10), now=lambda: moment(moments[-1])
    )
    moments = [0.0]
    breaker.record_failure("filters.eligibility")
    moments.append(10.0)

    first, second = (breaker.out_of_service({"filters.eligibility": "1.0.0"}) for _ in range(2))
    breaker.record([])

    assert first == {}
    assert "1 failure" in second["filters.eligibility"]
    assert not breaker.is_open("filters.eligibility")


def moment(seconds: float) -> Any:
    from datetime import UTC, datetime

    from steelyard.telemetry.breaker import Moment

    return Moment(seconds=seconds, boot="b", utc=datetime(2026, 1, 9, tzinfo=UTC))
