"""The scope never depends on the way in: one strategy as a file, an object, a preset, sliders."""

from dataclasses import replace

from builders.changes import exact
from builders.world import world
from steelyard import strategies
from steelyard.buckets.satellite import SatelliteSettings
from steelyard.buckets.sliders import strategy_of
from steelyard.modules.registry import Kind
from steelyard.strategies import parse, preset
from steelyard.strategies.load import load

OF = world(
    "AA 400 @ 100", "BB 150 @ 50", "CC 0 @ 20", cash="9000",
    targets={"AA": 0.3, "BB": 0.3, "CC": 0.3}, sessions=60,
)  # fmt: skip
SETTINGS = {
    "planner": "[planner]\npriority_threshold = 0.2",
    "depth": "[search]\nmax_depth = 4",
    "scope": '[search]\nscope = "candidates"',
    "pattern": "[pattern_generators.rebalance]\nmax_sells = 3",
    "regime": "[pattern_generators.market_regime]\nenabled = true",
    "nothing": "",
}


def in_code(name):
    """The strategy of `SETTINGS` as objects alone."""
    usual = strategies.default()
    sections = {
        "planner": {"planner": usual.planner.model_copy(update={"priority_threshold": 0.2})},
        "depth": {"search": usual.search.model_copy(update={"max_depth": 4})},
        "scope": {"search": usual.search.model_copy(update={"scope": "candidates"})},
        "nothing": {},
    }
    if name in sections:
        return replace(usual, **sections[name])
    module, params, on = {
        "pattern": ("rebalance", {"max_sells": 3}, None),
        "regime": ("market_regime", {}, True),
    }[name]
    choices = tuple(
        replace(
            choice,
            params=choice.params.model_copy(update=params),
            enabled=choice.enabled if on is None else on,
        )
        if choice.module.name == module
        else choice
        for choice in usual.choices[Kind.PATTERN]
    )
    return replace(usual, choices={**usual.choices, Kind.PATTERN: choices})


def scopes(strategy):
    """The scope, with targets and without, and the plan."""
    plans = [replace(OF, strategy=strategy, targets=goals).plan() for goals in (OF.targets, None)]
    return [(plan.certificate.scope, exact(plan)) for plan in plans]


def test_a_file_text_and_code_of_one_strategy_plan_in_one_scope(tmp_path):
    apart = {}
    for name, text in SETTINGS.items():
        path = tmp_path / f"{name}.toml"
        path.write_text(text)
        ways = [scopes(load(path)), scopes(parse(text, "x")), scopes(in_code(name))]
        if ways[0] != ways[1] or ways[0] != ways[2]:
            apart[name] = ways
    assert apart == {}


def test_a_preset_by_name_in_a_file_and_of_a_satellite_plans_in_one_scope():
    apart = {}
    for name in strategies.PRESETS:
        ways = [scopes(preset(name)), scopes(parse(f'preset = "{name}"', "x"))]
        if ways[0] != ways[1]:
            apart[name] = ways
    assert apart == {}


def test_a_slider_and_a_toggle_plan_in_the_scope_of_the_strategy_that_they_make():
    for settings in ({"risk_appetite": 0.7}, {"follow_regime": True}):
        strategy = strategy_of(SatelliteSettings(satellite_id="own", **settings))
        again = strategy_of(SatelliteSettings(satellite_id="own", **settings), strategies.default())
        assert scopes(strategy) == scopes(again), settings
