"""The scope of a plan by what a strategy sets, what is idle in it, and what follows the names."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.buckets import SatelliteSettings, strategy_of
from steelyard.modules.registry import Kind
from steelyard.settings import Limits, Planner, Score, Search
from steelyard.strategies import PRESETS, Strategy, default, overlay, parse, preset, validate
from steelyard.strategies.planned import as_planned
from steelyard.strategies.scope import binding_orders, idle, refine_of, scope_of
from steelyard.strategies.thresholds import FOLLOWING, GAP_KEY, followed, threshold

P, C, Q = "proposals", "candidates", "quantities"
SHAPING = [name for name in PRESETS if name not in {"default", "us_taxable"}]
"""Presets that say what is proposed."""


def scopes(strategy: Strategy) -> tuple[str, str]:
    """Without targets, and with them."""
    without, with_targets = (scope_of(strategy, targets=t)[0] for t in (False, True))
    return without, with_targets


WRITTEN = [
    ("", (Q, Q)),
    ("costs.fixed = 1\nlimits.max_position_weight = 0.1", (Q, Q)),
    ("max_depth = 4", (Q, Q)),
    ("[core]\nmax_plan_depth = 4", (Q, Q)),
    ("beam_width = 3", (Q, Q)),
    ("[opportunity_calculators]\nprofit_taking = false", (Q, Q)),
    ("[filters]\neligibility = false", (Q, Q)),
    ("[sequence_generators]\nconstraint_relaxation = true", (Q, Q)),
    ("[pattern_generators]\nrebalance = true", (P, P)),
    ("[pattern_generators]\nmarket_regime = true", (P, P)),
    ("[sequence_generators]\ncombinatorial = true", (P, P)),
    ("[sequence_generators.enhanced_combinatorial]\nmax_combinations = 10", (P, P)),
    ("enabled_sequence_generators = ['combinatorial']", (P, P)),
    ("[filters]\ndiversity = false", (P, P)),
    ("priority_threshold = 0.3", (P, P)),
    ("[planner]\npriority_threshold = 0.4", (P, P)),
    ("enable_diverse_selection = false", (P, P)),
    ("max_opportunities_per_category = 5", (P, P)),
    *((f"search.scope = '{scope}'", (scope, scope)) for scope in (P, C, Q)),
    *(
        (f"priority_threshold = 0.4\n[search]\nscope = '{scope}'", (scope, scope))
        for scope in (P, C, Q)
    ),
]


@pytest.mark.parametrize("base", PRESETS)
def test_what_a_file_writes_chooses_the_scope(base: str):
    unset = (P, Q) if base in SHAPING else (Q, Q)
    files = [(f"preset = '{base}'\n{text}", due) for text, due in WRITTEN]
    expected = [(text, unset if due == (Q, Q) and "scope" not in text else due)
                for text, due in files]  # fmt: skip

    assert [
        (text, due, scopes(parse(text, "x")))
        for text, due in expected
        if scopes(parse(text, "x")) != due
    ] == []


def test_presets_and_sliders_plan_from_proposals_only_without_targets():
    satellites = {
        "nothing": ({}, (Q, Q)),
        "slider": ({"risk_appetite": 0.3}, (P, Q)),
        "pattern": ({"follow_regime": True}, (P, Q)),
        "limit": ({"pause_high_volatility": True}, (Q, Q)),
        "preset": ({"preset": "value"}, (P, Q)),
    }
    made = {
        name: scopes(strategy_of(SatelliteSettings(satellite_id="s", **of)))
        for name, (of, _) in satellites.items()
    }

    assert {name: scopes(preset(name)) for name in SHAPING} == dict.fromkeys(SHAPING, (P, Q))
    assert scopes(preset("us_taxable")) == scopes(preset("default")) == scopes(default()) == (Q, Q)
    assert made == {name: due for name, (_, due) in satellites.items()}
    named = parse("search.scope = 'candidates'", "x")
    sliding = strategy_of(SatelliteSettings(satellite_id="s", risk_appetite=0.3), named)
    assert scopes(sliding) == (C, C)


def off(strategy: Strategy, kind: Kind, name: str) -> Strategy:
    choices = tuple(
        replace(choice, enabled=choice.enabled and choice.module.name != name)
        for choice in strategy.choices[kind]
    )
    return replace(strategy, choices={**strategy.choices, kind: choices})


def test_code_says_what_is_set_as_a_file_does():
    cases = [
        (replace(default(), search=Search(scope="quantities")), (Q, Q)),
        (replace(default(), search=Search(scope="candidates")), (C, C)),
        (replace(default(), search=Search(max_depth=3)), (Q, Q)),
        (replace(default(), planner=Planner(priority_threshold=0.3)), (P, P)),
        (replace(default(), planner=Planner()), (Q, Q)),
        (off(default(), Kind.PATTERN, "rebalance"), (P, P)),
        (off(default(), Kind.OPPORTUNITY, "profit_taking"), (Q, Q)),
        (overlay(default(), {"planner": {"priority_threshold": 0.3}}, "an option"), (P, P)),
    ]

    assert [(scopes(made), due) for made, due in cases if scopes(made) != due] == []


def test_each_scope_has_a_sentence_that_says_why():
    cases = {
        "": 'No search.scope is named, and nothing that shapes proposals is set.',
        "search.scope = 'proposals'": "search.scope is named (strategy file).",
        "priority_threshold = 0.4": (
            "planner.priority_threshold is set, for proposals, and no search.scope is named."
        ),
        "priority_threshold = 0.4\n[filters.diversity]\nmax_sequences = 3\nenabled = true": (
            "planner.priority_threshold and 1 more are set, for proposals, and no search.scope is "
            "named."
        ),
        "preset = 'conservative'": (
            "The settings of preset conservative shape proposals, and targets are given, which say "
            "more."
        ),
    }  # fmt: skip

    assert {text: scope_of(parse(text, "x"), targets=True)[1] for text in cases} == cases


def test_settings_that_the_scope_leaves_idle_are_each_named_once():
    text = """
        search.scope = "{}"
        beam_width = 5
        max_depth = 3
        planner.priority_threshold = 0.4
        pattern_generators.rebalance.enabled = true
        filters.diversity.max_sequences = 3
    """
    shaping = ["planner.priority_threshold", "pattern_generators.rebalance", "filters.diversity"]
    due = {P: ["search.beam_width"], C: shaping, Q: [*shaping, "search.beam_width"]}

    assert {scope: idle(parse(text.format(scope), "x"), scope) for scope in due} == due
    told = [text for text in validate(parse(text.format(C), "x")).warnings if "idle" in text]
    assert told == [
        (
            '3 settings are idle, for they change no plan where search.scope is "candidates": '
            "planner.priority_threshold, pattern_generators.rebalance, filters.diversity."
        )
    ]
    shipped = [(name, scope) for name in PRESETS for scope in (P, C, Q)]
    assert [case for case in shipped if idle(preset(case[0]), case[1])] == []


def test_a_depth_binds_every_scope_where_the_strategy_itself_says_it():
    cases = [
        ("max_depth = 4", 4),
        ("[planner]\nmax_plan_depth = 4", 4),
        ("[core]\nmax_plan_depth = 4", 4),
        ("search.max_depth = 5", 5),
        ("search.max_depth = 5\nlimits.max_orders = 3", 3),
        ("limits.max_orders = 30", 30),
        ("", None),
        ("preset = 'conservative'", None),
    ]

    assert [(t, binding_orders(parse(t, "x"), Q)) for t, _ in cases] == cases
    assert binding_orders(parse("max_depth = 4", "x"), C) is None


def test_quantities_of_chosen_orders_are_fitted_where_no_scope_is_named():
    cases = {
        "": True,
        "priority_threshold = 0.4": True,
        "search.scope = 'candidates'": False,
        "search.scope = 'candidates'\nsearch.refine = true": True,
        "search.refine = false": False,
    }

    assert {text: refine_of(parse(text, "x")) for text in cases} == cases


def test_what_trades_towards_targets_is_on_with_targets_unless_the_user_switches_it_off():
    written = "[opportunity_calculators.weight_based]\nenabled = false\n"
    strategies = [
        *((preset(name), True) for name in PRESETS),
        (parse("preset = 'conservative'\ncosts.fixed = 1", "x"), True),
        *((parse(f"preset = '{name}'\n{written}", "x"), False) for name in PRESETS),
        (off(default(), Kind.OPPORTUNITY, "weight_based"), False),
    ]

    def trades_towards(strategy: Strategy) -> bool:
        planned = as_planned(strategy, targets=True, names=5)
        return planned.choice(Kind.OPPORTUNITY, "weight_based").enabled

    assert [s.name for s, due in strategies if trades_towards(s) is not due] == []


def test_what_a_plan_decides_is_decided_once():
    for name in PRESETS:
        for targets in (False, True):
            planned = as_planned(preset(name), targets=targets, names=40)

            assert as_planned(planned, targets=not targets, names=500).content == planned.content


# thresholds


AT_TWENTY = {
    "limits.min_trade_weight": 0.005,
    "score.order_hurdle": 0.001,
    "score.min_improvement": 0.005,
    GAP_KEY: 0.005,
}
SHARES = {1: 1, 5: 1, 20: 1, 21: 0.952381, 40: 0.5, 999: 0.02002, 1000: 0, 5000: 0}


def thresholds(strategy: Strategy, names: int) -> dict[str, float]:
    made = followed(strategy, names)
    return {key: threshold(made, key) for key in FOLLOWING}


def test_thresholds_are_as_ever_up_to_twenty_names_and_fall_to_nothing_at_a_thousand():
    for names, share in SHARES.items():
        # the score of a gap falls with its square, and so does what an order must be worth
        power = {"score.order_hurdle": 2}
        due = {
            key: pytest.approx(share ** power.get(key, 1) * at, rel=1e-4)
            for key, at in AT_TWENTY.items()
        }

        assert thresholds(default(), names) == due


def test_a_number_that_the_user_says_stays_whatever_the_names():
    texts = {
        "limits.min_trade_weight": "limits.min_trade_weight = 0.005",
        "score.order_hurdle": "score.order_hurdle = 0.001",
        "score.min_improvement": "score.min_improvement = 0.005",
        GAP_KEY: "min_weight_gap = 0.005",
    }
    code = {
        "limits.min_trade_weight": replace(default(), limits=Limits(min_trade_weight=0.005)),
        "score.order_hurdle": replace(default(), score=Score(order_hurdle=0.001)),
        "score.min_improvement": replace(default(), score=Score(min_improvement=0.005)),
    }
    for key, strategy in [*((key, parse(text, "x")) for key, text in texts.items()), *code.items()]:
        due = dict.fromkeys(FOLLOWING, 0.0) | {key: AT_TWENTY[key]}

        assert thresholds(strategy, 5000) == due
    other = parse("limits.max_orders = 9\nscore.cost_aversion = 4", "x")
    assert thresholds(other, 5000) == dict.fromkeys(FOLLOWING, 0.0)


def test_the_threshold_of_a_preset_follows_too():
    assert thresholds(preset("conservative"), 40)[GAP_KEY] == 0.015
    assert thresholds(parse("preset = 'conservative'", "x"), 1000)[GAP_KEY] == 0


@given(st.integers(0, 2000), st.integers(0, 2000), st.sampled_from(PRESETS))
def test_more_names_never_raise_a_threshold(names: int, more: int, name: str):
    few, many = (thresholds(preset(name), n) for n in (names, names + more))

    assert [key for key in FOLLOWING if many[key] > few[key]] == []


# what targets turn

WAITS = ("buy_cooldown_days", "sell_cooldown_days")


def turned(strategy: Strategy, *, targets: bool) -> tuple[bool, bool, int, int]:
    """weight_based on, correlation_aware on, and the two waits of recently_traded."""
    made = as_planned(strategy, targets=targets, names=10)
    waits = made.choice(Kind.FILTER, "recently_traded").params.model_dump()
    return (
        made.choice(Kind.OPPORTUNITY, "weight_based").enabled,
        made.choice(Kind.FILTER, "correlation_aware").enabled,
        *(waits[name] for name in WAITS),
    )


def test_with_targets_every_preset_follows_them_and_without_it_is_as_it_says():
    without = {name: turned(preset(name), targets=False) for name in PRESETS}

    with_targets = {name: turned(preset(name), targets=True) for name in PRESETS}

    assert with_targets == dict.fromkeys(PRESETS, (True, False, 0, 0))
    assert without["conservative"] == (False, True, 60, 240)
    assert without["default"] == (True, False, 30, 180)


def test_what_the_user_says_of_these_stays_with_targets_too():
    files = {
        "[opportunity_calculators]\nweight_based = false": (False, False, 0, 0),
        "[filters.correlation_aware]\ncorrelation_threshold = 0.5": (True, True, 0, 0),
        "[filters.recently_traded]\nbuy_cooldown_days = 60": (True, False, 60, 0),
        "[filters.recently_traded]\nsell_cooldown_days = 180": (True, False, 0, 180),
        "[filters]\nrecently_traded = false": (True, False, 30, 180),
    }
    made = {
        text: turned(parse(f"preset = 'default'\n{text}", "mine"), targets=True) for text in files
    }

    assert made == files
