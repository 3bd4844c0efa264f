"""Presets: what they are, what inherits from them, and what a file may be begun with."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.paths import ROOT
from steelyard.buckets import PRESETS as SATELLITE_PRESETS
from steelyard.buckets import SatelliteSettings, strategy_of
from steelyard.errors import SettingsError
from steelyard.modules.registry import Kind
from steelyard.strategies import (
    PRESETS,
    Strategy,
    default,
    find,
    from_mapping,
    parse,
    preset,
    schema,
    validate,
)
from steelyard.strategies.planned import as_planned
from steelyard.strategies.presets import text_of
from steelyard.strategies.strategy import SECTIONS
from steelyard.strategies.writing import LONG, begun, effective, settings, toml

SCHEMA = jsonschema.Draft202012Validator(schema())


def settled(strategy: Strategy) -> dict[str, object]:
    """Everything that a strategy says, of modules that are off too, but for who said it."""
    modules = {
        (kind, one.module.name): (one.enabled, one.params)
        for kind in Kind
        for one in strategy.choices[kind]
    }
    return {**{name: getattr(strategy, name) for name in SECTIONS}, **modules}


def acts(strategy: Strategy) -> dict[str, object]:
    """What acts without targets: a file that says everything names the scope of that."""
    return dict(as_planned(strategy, targets=False, names=5).content)


def on(strategy: Strategy, kind: Kind) -> set[str]:
    return {choice.module.name for choice in strategy.enabled(kind)}


def test_the_file_of_the_default_preset_says_what_the_default_is():
    read = parse(text_of("default"), "x")

    assert settled(read) == settled(default()) == settled(preset("default"))
    assert (read.name, read.description) == (default().name, default().description)
    assert read.sha256 == default().sha256


ON = {
    Kind.OPPORTUNITY: "averaging_down opportunity_buys profit_taking rebalance_buys rebalance_sells"
    " weight_based",
    Kind.PATTERN: "averaging_down cash_generation cost_optimized deep_rebalance direct_buy"
    " mixed_strategy multi_sell opportunity_first profit_taking rebalance single_best",
    Kind.SEQUENCE: "enhanced_combinatorial",
    Kind.FILTER: "eligibility recently_traded wash_sale",
    Kind.TERM: "cash diversification income quality stability target_fit total_return",
}


def test_what_is_on_by_itself_is_decided_here_and_so_a_new_module_starts_off():
    # one that is on changes everybody's plans: write on=False, or add it above
    assert {kind: on(default(), kind) for kind in Kind} == {k: set(ON[k].split()) for k in Kind}


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_valid_named_described_commented_and_names_nothing_twice(name: str):
    text, strategy = text_of(name), preset(name)

    assert validate(strategy).is_valid
    assert strategy.warnings == ()
    assert strategy.name == name
    assert strategy.description
    assert text.startswith("#:schema ./strategy.schema.json\n# ")
    assert text.count("#") > 5
    assert set(strategy.sources.values()) <= {f"preset {name}"}
    SCHEMA.validate(tomllib.loads(text))


def test_presets_differ():
    assert len({preset(name).sha256 for name in PRESETS}) == len(PRESETS)


def test_the_three_documented_presets_have_their_documented_numbers():
    conservative, aggressive = preset("conservative"), preset("aggressive")

    assert [one.search.max_depth for one in (default(), conservative, aggressive)] == [5, 2, 7]
    assert [
        one.planner.max_opportunities_per_category for one in (default(), conservative, aggressive)
    ] == [5, 3, 10]
    assert [one.planner.priority_threshold for one in (default(), conservative, aggressive)] == [
        0.3, 0.5, 0.2,
    ]  # fmt: skip
    assert [one.search.beam_width for one in (conservative, aggressive)] == [5, 20]
    assert [one.score.cost_aversion for one in (default(), conservative, aggressive)] == [
        5.0, 7.5, 2.5,
    ]  # fmt: skip
    assert on(conservative, Kind.PATTERN) == {
        "direct_buy", "profit_taking", "rebalance", "single_best", "opportunity_first",
        "cash_generation", "cost_optimized",
    }  # fmt: skip
    assert on(default(), Kind.PATTERN) < on(aggressive, Kind.PATTERN)
    assert on(aggressive, Kind.PATTERN) - on(default(), Kind.PATTERN) == {
        "adaptive",
        "market_regime",
    }
    assert on(default(), Kind.OPPORTUNITY) - on(conservative, Kind.OPPORTUNITY) == {
        "averaging_down",
        "weight_based",
    }
    for strategy, expected in (
        (conservative, (120, 0.15, 240, 60, 0.6, 0.4)),
        (aggressive, (60, 0.25, 120, 15, 0.8, 0.2)),
    ):
        eligibility, traded, correlated = (
            strategy.choice(Kind.FILTER, name).params.model_dump()
            for name in ("eligibility", "recently_traded", "correlation_aware")
        )
        taking = strategy.choice(Kind.OPPORTUNITY, "profit_taking").params.model_dump()
        assert expected == (
            eligibility["min_hold_days"], eligibility["no_panic_sell_pct"],
            traded["sell_cooldown_days"], traded["buy_cooldown_days"],
            correlated["correlation_threshold"], taking["windfall_threshold"],
        )  # fmt: skip


def test_what_a_file_does_not_name_it_inherits_from_its_preset_and_is_never_switched_on_silently():
    strategy = parse(
        "preset = 'conservative'\n[search]\nmax_depth = "
        "3\n[filters.eligibility]\nmin_hold_days = 7",
        "mine",
    )

    assert strategy.name == "mine"
    assert strategy.search.max_depth == 3
    assert strategy.search.beam_width == preset("conservative").search.beam_width
    assert not strategy.choice(Kind.PATTERN, "mixed_strategy").enabled
    assert strategy.choice(Kind.PATTERN, "mixed_strategy").why == "preset conservative"
    eligibility = strategy.choice(Kind.FILTER, "eligibility")
    assert (eligibility.why, eligibility.params.model_dump()["min_hold_days"]) == (
        "strategy file",
        7,
    )
    assert eligibility.params.model_dump()["no_panic_sell_pct"] == 0.15
    assert [
        strategy.source(key)
        for key in ("search.max_depth", "search.beam_width", "search.max_nodes")
    ] == ["strategy file", "preset conservative", "default"]


def test_parameters_alone_keep_what_the_preset_says_of_the_others():
    strategy = parse(
        "preset = 'aggressive'\n[opportunity_calculators.profit_taking]\npriority_weight = 1.0", "x"
    )

    params = strategy.choice(Kind.OPPORTUNITY, "profit_taking").params.model_dump()
    assert (params["windfall_threshold"], params["priority_weight"]) == (0.2, 1.0)


def test_a_table_inside_a_section_is_laid_over_that_of_the_preset():
    strategy = parse("preset = 'dividend_catcher'\n[score.anchors]\ntr = [0.0, 0.2]", "x")

    assert (strategy.score.anchors.tr, strategy.score.anchors.inc) == ((0.0, 0.2), (0.0, 0.01))
    assert strategy.source("score.anchors.inc") == "preset dividend_catcher"
    assert strategy.source("score.anchors.tr") == "strategy file"


def test_a_file_without_a_preset_inherits_the_default():
    assert (
        parse("[limits]", "x").sha256 == parse("preset = 'default'", "x").sha256 == default().sha256
    )


def test_a_strategy_is_found_by_the_name_of_a_preset_or_by_its_file(tmp_path: Path):
    (tmp_path / "mine.toml").write_text("max_depth = 3")

    assert find("aggressive") is preset("aggressive")
    assert find(str(tmp_path / "mine.toml")).search.max_depth == 3
    with pytest.raises(
        SettingsError,
        match=r"There is no preset 'agressive', and no such file. Did you mean aggressive\?",
    ):
        find("agressive")
    with pytest.raises(SettingsError, match="could not be read: No such file"):
        find(str(tmp_path / "none.toml"))


def test_a_preset_has_no_path_in_its_name():
    paths = "../default presets/default /etc/passwd default.toml .. a/../b C:\\x"
    for name in ("", *paths.split()):
        with pytest.raises(SettingsError, match="preset"):
            preset(name)


@pytest.mark.parametrize("name", PRESETS)
def test_what_a_strategy_is_can_be_written_out_and_read_back(name: str):
    text = effective(preset(name))

    assert acts(parse(text, "x")) == acts(preset(name))
    assert f"# {'default' if name == 'default' else f'preset {name}'}" in text
    SCHEMA.validate(tomllib.loads(text))


@pytest.mark.parametrize("name", [None, *SATELLITE_PRESETS])
def test_what_a_satellite_plans_with_can_be_written_out_and_read_back(name: str | None):
    sliders = {
        "risk_appetite": 0.37, "hold_duration": 0.9, "entry_style": 0.2, "trailing_stops": True,
        "follow_regime": True,
    }  # fmt: skip
    strategy = strategy_of(SatelliteSettings(satellite_id="trends", preset=name, **sliders))

    assert acts(parse(effective(strategy), "x")) == acts(strategy)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_a_file_that_is_shown_has_nothing_that_a_terminal_obeys(name: str):
    text = effective(
        from_mapping({"name": name, "description": name, "groups": {"sector": {name: 0.5}}}, "x")
    )

    assert all(line.isprintable() for line in text.split("\n"))
    assert parse(text, "x").groups.sector == {name: 0.5}


@pytest.mark.parametrize("name", PRESETS)
def test_a_new_file_begins_as_its_preset_under_its_own_name(name: str):
    strategy = parse(begun(name, "mine"), "x")

    assert strategy.content == preset(name).content
    # where a preset shapes proposals, who says so is part of what it is
    assert (strategy.sha256 == preset(name).sha256) is (name in {"default", "us_taxable"})
    assert strategy.name == "mine"
    assert validate(preset(name)).warnings == []
    assert begun(name, "mine").startswith("#:schema ")
    SCHEMA.validate(tomllib.loads(begun(name, "mine")))


def test_settings_say_who_set_each():
    found = {
        f"{one.table}.{one.key}": (one.value, one.source)
        for one in settings(parse("preset = 'aggressive'\nmax_depth = 3", "x"))
    }

    assert found["search.max_depth"] == (3, "strategy file")
    assert found["search.beam_width"] == (20, "preset aggressive")
    assert found["limits.max_turnover_weight"] == (None, "default")
    assert found["sequence_generators.combinatorial.enabled"] == (False, "preset aggressive")
    assert "sequence_generators.combinatorial.max_sells" not in found


VALUES = st.recursive(
    st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=LONG),
    max_leaves=40,
)


@given(VALUES)
def test_a_value_is_written_as_toml_reads_it(value: object):
    assert tomllib.loads(f"x = {toml(value)}") == {"x": value}


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_a_group_of_any_name_is_written_and_read_back(name: str):
    strategy = from_mapping({"groups": {"sector": {name: 0.5}}}, "x")

    assert parse(effective(strategy), "x").groups == strategy.groups


def test_presets_travel_in_the_wheel(tmp_path: Path):
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr

    names = zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist()

    assert {f"steelyard/strategies/presets/{name}.toml" for name in PRESETS} <= set(names)
