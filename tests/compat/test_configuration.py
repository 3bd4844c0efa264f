"""The documents' configuration: every switch is a module, slips are told by name."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard import compat, strategies
from steelyard.compat import (
    BucketData,
    ConfigurationValidator,
    FiltersConfig,
    ModularPlannerFactory,
    ModuleConfig,
    OpportunityCalculatorsConfig,
    PatternGeneratorsConfig,
    PlannerConfiguration,
    PlannerContext,
    PlannerFactoryService,
    SatelliteSettings,
    SequenceGeneratorsConfig,
    parse_toml_config,
    process_planner_batch_job,
)
from steelyard.errors import InputError, SettingsError
from steelyard.modules.registry import Kind, modules
from steelyard.strategies.scope import scope_of

FLAT = (
    'name = "flat"\nmax_depth = 7\nmax_opportunities_per_category = 8\ntransaction_cost_fixed ='
    " 3.0\n"
)
FAMILIES = [
    (OpportunityCalculatorsConfig, Kind.OPPORTUNITY), (PatternGeneratorsConfig, Kind.PATTERN),
    (SequenceGeneratorsConfig, Kind.SEQUENCE), (FiltersConfig, Kind.FILTER),
]  # fmt: skip


@pytest.fixture
def source() -> Iterator[Any]:
    """Sets where the batch job finds its data, and puts it back."""
    yield compat.configure
    compat.configure(None)


# switches


def test_every_built_in_module_has_its_switch_as_the_default_has_it():
    switches = {kind: vars(family()) for family, kind in FAMILIES}

    assert {
        (kind, name): switch.enabled for kind in switches for name, switch in switches[kind].items()
    } == {
        (kind, choice.module.name): choice.enabled
        for kind in switches
        for choice in strategies.default().choices[kind]
    }


def test_a_configuration_that_changes_nothing_is_the_default():
    same = PlannerConfiguration(scope=None)

    assert PlannerConfiguration().changes() == {"search": {"scope": "proposals"}}
    assert same.changes() == {}
    assert same.strategy().sha256 == strategies.default().sha256


def test_what_differs_from_the_default_counts_as_set_and_so_does_a_scope():
    default = PlannerConfiguration()
    off = FiltersConfig(diversity=ModuleConfig(enabled=False))
    cases = [
        (PlannerConfiguration(), "proposals"),
        (PlannerConfiguration(scope=None), "quantities"),
        (
            PlannerConfiguration(scope=None, priority_threshold=default.priority_threshold),
            "quantities",
        ),
        (PlannerConfiguration(scope=None, filters=off), "quantities"),
        (PlannerConfiguration(scope=None, max_depth=3), "quantities"),
        (PlannerConfiguration(scope=None, priority_threshold=0.45), "proposals"),
        (PlannerConfiguration(scope="quantities", priority_threshold=0.45), "quantities"),
        (PlannerConfiguration(scope="candidates"), "candidates"),
    ]

    def scopes(config: PlannerConfiguration) -> set[str]:
        return {scope_of(config.strategy(), targets=targets)[0] for targets in (False, True)}

    assert [(config, due) for config, due in cases if scopes(config) != {due}] == []


def test_a_strategy_made_into_a_configuration_and_back_is_the_same():
    strategy = strategies.preset("aggressive")

    assert PlannerConfiguration.of(strategy).strategy().sha256 == strategy.sha256
    assert PlannerConfiguration(scope=None, base=strategy).strategy().sha256 == strategy.sha256


def test_what_a_configuration_does_not_name_is_as_its_base_has_it():
    careful = strategies.overlay(
        strategies.default(), {"limits": {"max_turnover_weight": 0.1}}, "test"
    )

    config = PlannerConfiguration(max_depth=3, base=careful)

    assert config.strategy().limits.max_turnover_weight == 0.1
    assert config.strategy().search.max_depth == 3


def test_a_slip_in_a_switch_is_an_error_and_not_a_new_attribute():
    config = PlannerConfiguration()

    with pytest.raises(AttributeError, match="profit_takin"):
        config.opportunity_calculators.profit_takin = ModuleConfig()
    with pytest.raises(AttributeError, match="max_deph"):
        config.max_deph = 3
    with pytest.raises(TypeError, match="max_deph"):
        PlannerConfiguration(max_deph=3)


def test_lists_and_parameters_of_what_runs_follow_the_switches():
    config = PlannerConfiguration()
    config.filters.diversity.enabled = True
    config.opportunity_calculators.profit_taking.params["windfall_threshold"] = 0.2
    config.opportunity_calculators.rebalance_buys.enabled = False

    assert "diversity" in config.enabled_filters == config.get_enabled_filters()
    assert (
        "rebalance_buys"
        not in config.enabled_opportunity_calculators
        == config.get_enabled_calculators()
    )
    assert config.enabled_pattern_generators == config.get_enabled_patterns()
    assert config.enabled_sequence_generators == config.get_enabled_generators()
    assert config.opportunity_params["profit_taking"]["windfall_threshold"] == 0.2
    assert (
        config.get_calculator_params("profit_taking") == config.opportunity_params["profit_taking"]
    )
    assert config.get_pattern_params("multi_sell") == config.pattern_params["multi_sell"]
    assert config.get_generator_params("combinatorial") == config.generator_params["combinatorial"]
    assert config.get_filter_params("eligibility") == config.filter_params["eligibility"]
    with pytest.raises(SettingsError, match=r"'elegibility'.*Did you mean eligibility"):
        config.get_filter_params("elegibility")


@given(
    st.sets(st.sampled_from(sorted(modules(Kind.OPPORTUNITY)))),
    st.sets(st.sampled_from(sorted(modules(Kind.FILTER)))),
)
def test_exactly_the_switches_that_are_on_run(calculators: set[str], filters: set[str]):
    config = PlannerConfiguration(scope="candidates")
    for name in modules(Kind.OPPORTUNITY):
        getattr(config.opportunity_calculators, name).enabled = name in calculators
    for name in modules(Kind.FILTER):
        getattr(config.filters, name).enabled = name in filters

    assert config.enabled_opportunity_calculators == sorted(calculators)
    assert config.enabled_filters == sorted(filters)
    assert PlannerConfiguration.of(config.strategy()).strategy().sha256 == config.strategy().sha256


# spellings


def test_every_spelling_of_the_depth_loads():
    texts = ("max_depth", "max_plan_depth", "[core]\nmax_plan_depth", "[planner]\nmax_depth")
    configs = [parse_toml_config(f"{text} = 3") for text in (*texts, "[search]\nmax_depth")]

    assert {(c.max_plan_depth, c.max_depth, c.strategy().search.max_depth) for c in configs} == {
        (3, 3, 3)
    }


def test_a_file_and_its_text_are_one_configuration(tmp_path: Path):
    path = tmp_path / "flat.toml"
    path.write_text(FLAT, encoding="utf-8")

    loaded = compat.load_planner_config(path)

    assert loaded == compat.load_planner_config_from_string(FLAT) == parse_toml_config(FLAT)
    assert (
        loaded.name, loaded.max_depth, loaded.max_opportunities_per_category,
        loaded.transaction_cost_fixed,
    ) == ("flat", 7, 8, 3.0)  # fmt: skip


# validation


def test_a_valid_configuration_has_no_errors():
    found = ConfigurationValidator.validate(PlannerConfiguration())

    assert found == []
    assert found.is_valid


def switched(switch: ModuleConfig) -> PlannerConfiguration:
    return PlannerConfiguration(
        opportunity_calculators=OpportunityCalculatorsConfig(profit_taking=switch)
    )


WRONG: list[tuple[Any, str]] = [
    (PlannerConfiguration(max_depth=0), "max_depth is 0"),
    (PlannerConfiguration(priority_threshold=1.5), "priority_threshold is 1.5"),
    (PlannerConfiguration(allow_buy=False, allow_sell=False), "nothing could ever be traded"),
    (switched(ModuleConfig(enabled=1)), "true or false"),
    (switched(ModuleConfig(params={"windfal": 1})), "windfal is not a known key"),
    ({"search": {"max_depth": 0}}, "max_depth is 0"),
    ({"max_deph": 3}, "max_deph is not a known key. Did you mean max_depth"),
]


def test_what_is_wrong_is_told_in_a_sentence_with_its_key():
    for config, key in WRONG:
        problems = ConfigurationValidator.validate(config)

        assert not problems.is_valid
        assert problems.errors == list(problems)
        assert any(key in sentence for sentence in problems), (key, problems)
        assert not any("problem" in sentence for sentence in problems)


WRONG_KINDS = [
    ({"name": None}, "name is None"),
    ({"base": None}, "base is None"),
    ({"opportunity_calculators": None}, "opportunity_calculators is None"),
    ({"filters": PatternGeneratorsConfig()}, "filters is .*must be a FiltersConfig"),
    (
        {"filters": FiltersConfig(eligibility=True)},
        "filters.eligibility is True .*must be a ModuleConfig",
    ),
    (
        {"filters": FiltersConfig(eligibility=ModuleConfig(params=5))},
        "filters.eligibility is .*whose params are a dict",
    ),
]


def test_a_setting_of_another_kind_is_told_by_name(small: PlannerContext):
    for fields, told_of in WRONG_KINDS:
        config = PlannerConfiguration(**fields)

        (sentence,) = ConfigurationValidator.validate(config)
        assert re.search(told_of, sentence)
        with pytest.raises(SettingsError, match=told_of):
            asyncio.run(compat.HolisticPlanner(config).plan(small))


def test_what_is_no_configuration_makes_no_planner():
    nothing: list[Any] = ["core", 3, [], False, {"max_depth": 3}, PlannerConfiguration]
    for config in nothing:
        for make in (compat.HolisticPlanner, ModularPlannerFactory):
            with pytest.raises(SettingsError, match=r"must be a PlannerConfiguration|not valid"):
                make(config)
        assert ConfigurationValidator.validate(config).is_valid is isinstance(config, dict)


def test_a_file_may_be_named_by_text_and_only_text_is_parsed(tmp_path: Path):
    (tmp_path / "flat.toml").write_text(FLAT, encoding="utf-8")

    assert ModularPlannerFactory.from_config_file(str(tmp_path / "flat.toml")).config.max_depth == 7
    with pytest.raises(SettingsError, match="not from b'x'"):
        parse_toml_config(b"x")


def test_dependencies_that_are_not_met_are_told():
    config = PlannerConfiguration(scope="candidates")
    for name in config.enabled_pattern_generators:
        getattr(config.pattern_generators, name).enabled = False

    warned = ConfigurationValidator.check_dependencies(config)

    assert any("No pattern is on" in sentence for sentence in warned)
    assert ConfigurationValidator.validate(config).warnings == warned
    assert (
        ConfigurationValidator.validate_dependencies(config)
        == ConfigurationValidator.validate(config).errors
    )


# factories


def test_a_factory_has_the_modules_that_run():
    factory = ModularPlannerFactory.from_config(parse_toml_config("[filters]\ndiversity = true\n"))

    assert [module.name for module in factory.get_filters()] == factory.config.enabled_filters
    assert [
        module.name for module in factory.get_calculators()
    ] == factory.config.enabled_opportunity_calculators
    assert [
        module.name for module in factory.get_patterns()
    ] == factory.config.enabled_pattern_generators
    assert [
        module.name for module in factory.get_generators()
    ] == factory.config.enabled_sequence_generators
    assert factory.create("mine").bucket_id == "mine"


def test_a_factory_refuses_a_configuration_that_is_not_valid():
    with pytest.raises(SettingsError, match="max_depth is 11"):
        ModularPlannerFactory(PlannerConfiguration(max_depth=11))


def test_a_satellite_is_planned_by_its_sliders():
    settings = SatelliteSettings(satellite_id="bold", risk_appetite=1.0, hold_duration=0.5)

    made = PlannerFactoryService().create_for_bucket("bold", settings)

    strategy = made.config.strategy()
    assert made.bucket_id == "bold"
    assert strategy.planner.priority_threshold == pytest.approx(0.2)
    assert strategy.choice(Kind.FILTER, "eligibility").params.model_dump()["min_hold_days"] == 90
    assert strategy.source("planner.priority_threshold") == "slider risk_appetite"


def test_the_core_may_have_a_file(tmp_path: Path):
    path = tmp_path / "flat.toml"
    path.write_text(FLAT, encoding="utf-8")

    assert PlannerFactoryService().create_for_core_bucket(path).config.max_depth == 7
    assert PlannerFactoryService().create_for_bucket("core").config.max_depth == 5


def test_a_bucket_and_settings_that_do_not_fit_are_refused():
    for bucket, satellite, why in (
        ("bold", None, "needs its settings"),
        ("core", "core", "takes no satellite settings"),
        ("bold", "calm", "settings of calm"),
    ):
        settings = satellite and SatelliteSettings(satellite_id=satellite)
        with pytest.raises(SettingsError, match=why) as refused:
            PlannerFactoryService().create_for_bucket(bucket, settings)
        assert isinstance(refused.value, ValueError)  # which the documents' code expects


# the batch job


def test_the_batch_job_asks_its_source_for_the_bucket(source: Any, small: PlannerContext):
    asked: list[str] = []

    async def find(bucket_id: str) -> BucketData:
        asked.append(bucket_id)
        return BucketData(
            context=small,
            settings=SatelliteSettings(satellite_id=bucket_id, risk_appetite=0.9),
            settings_repo={"transaction_cost_fixed": 7},
        )

    source(find)
    made = asyncio.run(process_planner_batch_job(bucket_id="bold"))

    assert asked == ["bold"]
    assert made.document.strategy.name == made.document.bucket == "bold"
    assert made.document.rules.costs.fixed == 7
    assert not any("not yours" in said for said in made.warnings)


def test_arguments_of_the_batch_job_that_change_nothing_are_named(
    source: Any, small: PlannerContext
):
    source(lambda bucket_id: BucketData(context=small))

    made = asyncio.run(process_planner_batch_job(max_depth=3, portfolio_hash="1a2b3c4d"))

    assert made.warnings[0].startswith("This plan is midway: 5 of")
    assert "portfolio_hash 1a2b3c4d" in made.warnings[1]


def test_a_source_that_is_none_is_refused(source: Any):
    source(lambda bucket_id: None)
    with pytest.raises(InputError, match=r"gave None .* for core; it must be a BucketData"):
        asyncio.run(process_planner_batch_job())
    with pytest.raises(InputError, match=r"5 .*cannot be called"):
        source(5)
    compat.configure(None)
    with pytest.raises(InputError, match="'Bold One' cannot be the id of a satellite"):
        asyncio.run(process_planner_batch_job(bucket_id="Bold One"))


def test_the_batch_job_plans_the_same_twice_and_several_buckets_at_once():
    async def several() -> list[Any]:
        return await asyncio.gather(
            *(process_planner_batch_job(bucket_id=name) for name in ("core", "one", "one"))
        )

    core, one, again = asyncio.run(several())

    assert (core.document.bucket, one.document.bucket) == ("core", "one")
    assert (
        one.document.plan_id
        == again.document.plan_id
        == asyncio.run(process_planner_batch_job(bucket_id="one")).document.plan_id
    )


def test_a_satellite_with_a_configuration_is_refused(source: Any, small: PlannerContext):
    source(lambda bucket_id: BucketData(context=small, config=PlannerConfiguration()))

    with pytest.raises(SettingsError, match="planned by its settings"):
        asyncio.run(process_planner_batch_job(bucket_id="bold"))
    assert asyncio.run(process_planner_batch_job()).document.strategy.name == "default"


def test_a_configuration_of_the_core_is_its_rules(source: Any, small: PlannerContext):
    source(
        lambda bucket_id: BucketData(
            context=replace(small), config=PlannerConfiguration(name="mine", max_depth=1)
        )
    )

    made = asyncio.run(process_planner_batch_job())

    assert (made.document.strategy.name, made.document.rules.max_depth) == ("mine", 1)
