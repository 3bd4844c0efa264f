"""Every spelling of the older documents: what it means here, or why it is refused."""

import functools
import itertools
import json
import tomllib
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from builders.worlds import seeds
from steelyard.errors import SettingsError
from steelyard.modules.registry import Kind
from steelyard.settings import Section
from steelyard.strategies import (
    PRESETS,
    Strategy,
    default,
    from_mapping,
    overlay,
    parse,
    preset,
    schema,
    validate,
)
from steelyard.strategies.files.spellings import (
    EVALUATION,
    GLOBAL,
    MODULES,
    Alias,
    Level,
    Unused,
    plain,
    rows,
)
from steelyard.strategies.strategy import SECTIONS

SCHEMA = jsonschema.Draft202012Validator(schema())


def value(strategy: Strategy, key: str):
    """`search.max_depth`, `filters.eligibility.enabled`."""
    first, second, *rest = key.split(".")
    if first not in tuple(Kind):
        return getattr(getattr(strategy, first), second)
    choice = strategy.choice(Kind(first), second)
    return choice.enabled if rest == ["enabled"] else getattr(choice.params, rest[0])


def refusal(text: str) -> str:
    with pytest.raises(SettingsError) as refused:
        parse(text, "mine")
    return str(refused.value)


SHORT = {"CALC.": Kind.OPPORTUNITY, "PAT.": Kind.PATTERN, "GEN.": Kind.SEQUENCE}


def rows_of(table: str) -> dict[str, tuple[Any, ...]]:
    """The rows of a table by their first cell; every other cell is JSON, or else text."""
    for short, kind in SHORT.items():
        table = table.replace(short, f"{kind}.")
    rows = [line.split(" | ") for line in table.strip().splitlines()]
    return {key: tuple(map(cell, rest)) for key, *rest in rows}


def cell(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


MAPPED = rows_of("""
max_depth | 7 | search.max_depth | 7
max_plan_depth | 3 | search.max_depth | 3
beam_width | 10 | search.beam_width | 10
max_opportunities_per_category | 8 | planner.max_opportunities_per_category | 8
priority_threshold | 0.2 | planner.priority_threshold | 0.2
priority_threshold_for_combinations | 0.4 | planner.priority_threshold | 0.4
enable_diverse_selection | true | planner.diverse_selection | true
diversity_weight | 0.2 | planner.diversity_weight | 0.2
transaction_cost_fixed | 5.0 | costs.fixed | 5.0
transaction_cost_percent | 0.001 | costs.percent | 0.001
trade_cost_multiplier | 2.0 | limits.max_cost_share | 0.5
cost_penalty_factor | 0.15 | score.cost_aversion | 7.5
allow_buy | false | limits.allow_buy | false
allow_sell | false | limits.allow_sell | false
max_position_concentration | 0.15 | limits.max_position_weight | 0.15
max_position_size | 0.1 | limits.max_position_weight | 0.1
min_hold_days | 120 | filters.eligibility.min_hold_days | 120
max_loss_threshold | -0.15 | filters.eligibility.no_panic_sell_pct | 0.15
sell_cooldown_days | 240 | filters.recently_traded.sell_cooldown_days | 240
buy_cooldown_days | 60 | filters.recently_traded.buy_cooldown_days | 60
min_weight_gap | 0.03 | CALC.weight_based.min_gap_threshold | 0.03
enable_market_regime_scenarios | true | PAT.market_regime.enabled | true
enable_combinatorial | false | GEN.enhanced_combinatorial.enabled | false
combinatorial_max_combinations_per_depth | 50 | GEN.enhanced_combinatorial.max_combinations | 50
combinatorial_max_sells | 2 | GEN.enhanced_combinatorial.max_sells | 2
combinatorial_max_buys | 2 | GEN.enhanced_combinatorial.max_buys | 2
combinatorial_max_candidates | 6 | GEN.enhanced_combinatorial.max_candidates | 6
monte_carlo_path_count | 500 | evaluation.paths | 500
monte_carlo_paths | 10 | evaluation.paths | 10
evaluation_mode | multi_objective | evaluation.mode | multi_objective
enable_monte_carlo_paths | true | evaluation.mode | monte_carlo
enable_monte_carlo | true | evaluation.mode | monte_carlo
enable_stochastic_scenarios | true | evaluation.mode | stochastic
enable_multi_objective | true | evaluation.mode | multi_objective
enable_multi_timeframe | true | evaluation.mode | multi_timeframe
stochastic_price_shifts | [-0.2, 0] | evaluation.shifts | [-0.2, 0.0]
stochastic_scenario_shifts | [0.1] | evaluation.shifts | [0.1]
""")
"""Key -> as written, ours, what it is then."""
IDLE = {
    "enable_batch_generation": True, "batch_size": 100,
    "enable_multi_objective": False, "enable_stochastic_scenarios": False,
    "enable_monte_carlo_paths": False, "enable_monte_carlo": False, "enable_multi_timeframe": False,
    "monte_carlo_path_count": 10_000, "evaluation_mode": "single_objective",
}  # fmt: skip
REFUSED = {
    "base_trade_amount_eur": (1000, "write planner.base_trade_weight"),
    **dict.fromkeys(
        ["risk_appetite", "hold_duration", "entry_style", "position_spread", "profit_taking"],
        (0.5, "belongs to its settings (SatelliteSettings)"),
    ),
    **dict.fromkeys(
        ["trailing_stops", "follow_regime", "auto_harvest", "pause_high_volatility"],
        (True, "belongs to its settings"),
    ),
    "dividend_handling": ("reinvest_same", "belongs to its settings"),
}


def placed(table: str, key: str, one: object) -> dict[str, object]:
    return {table: {key: one}} if table else {key: one}


EVERYWHERE = ("", "planner", "core")
"""Tables in which a key that is no house key may stand; the first is the top."""


def fits(document: dict[str, object]) -> bool:
    return SCHEMA.is_valid(document)


def test_these_tables_have_every_key_that_is_known():
    assert set(GLOBAL) == set(MAPPED) | set(IDLE) | set(REFUSED)
    assert EVALUATION.keys() == {k for k, row in MAPPED.items() if row[1].startswith("evaluation.")}


def test_a_documented_key_sets_ours_wherever_it_stands():
    def sets(table: str, key: str) -> bool:
        written, target, expected = MAPPED[key]
        strategy = from_mapping(placed(table, key, written), "x")
        return (
            value(default(), target) != expected
            and plain(value(strategy, target)) == pytest.approx(expected)
            and strategy.sources == {target: "strategy file"}
            and fits(placed(table, key, written))
        )

    assert [(t, key) for t in EVERYWHERE for key in MAPPED if not sets(t, key)] == []
    assert [key for key in EVALUATION if not sets("evaluation", key)] == []


def test_a_key_that_asks_for_nothing_is_accepted_and_changes_nothing():
    def is_idle(table: str, key: str) -> bool:
        strategy = from_mapping(placed(table, key, IDLE[key]), "x")
        return (
            strategy.sha256 == default().sha256
            and bool(strategy.warnings) is isinstance(GLOBAL[key], Unused)
            and fits(placed(table, key, IDLE[key]))
        )

    assert [(t, key) for t in EVERYWHERE for key in IDLE if not is_idle(t, key)] == []


def test_a_key_that_has_no_meaning_here_is_refused_by_name_with_what_to_do():
    def is_refused(table: str, key: str) -> bool:
        written, expected = REFUSED[key]
        (text,) = validate(placed(table, key, written))
        name = f"{table}.{key}" if table else key
        return (
            text.startswith(f"{name} is ")
            and expected in text
            and not fits(placed(table, key, written))
        )

    assert [(t, key) for t in EVERYWHERE for key in REFUSED if not is_refused(t, key)] == []


def test_batches_are_accepted_with_a_warning_that_planning_goes_in_one_go():
    assert validate({"batch_size": 75}).warnings == [
        "batch_size changes nothing: planning goes in one go, whatever the batches."
    ]


OF_MODULES = rows_of("""
CALC.averaging_down.dip_threshold | -0.2 | CALC.averaging_down.dip_threshold | 0.2
CALC.averaging_down.max_drawdown | -0.25 | CALC.averaging_down.max_drawdown | 0.25
CALC.weight_based.transaction_cost_fixed | 5.0 | costs.fixed | 5.0
CALC.weight_based.transaction_cost_percent | 0.001 | costs.percent | 0.001
CALC.weight_based.trade_cost_multiplier | 4.0 | limits.max_cost_share | 0.25
CALC.weight_based.min_weight_gap | 0.02 | CALC.weight_based.min_gap_threshold | 0.02
PAT.adaptive.min_large_gap | 0.04 | PAT.adaptive.geographic_gap | 0.04
PAT.adaptive.min_medium_gap | 0.03 | PAT.adaptive.sector_gap | 0.03
filters.eligibility.max_loss_threshold | -0.25 | filters.eligibility.no_panic_sell_pct | 0.25
filters.eligibility.sell_cooldown_days | 120 | filters.recently_traded.sell_cooldown_days | 120
""")
HARMLESS_IN_MODULES = {
    "pattern_generators.*.max_depth": 5, "pattern_generators.*.available_cash_eur": 0.0,
    "pattern_generators.single_best.max_depth": 1,
    "sequence_generators.combinatorial.priority_threshold": 0.3,
    "sequence_generators.combinatorial.max_steps": 5,
    "sequence_generators.enhanced_combinatorial.priority_threshold": 0.3,
    "sequence_generators.enhanced_combinatorial.max_steps": 5,
    "filters.correlation_aware.lookback_days": 252, "filters.eligibility.enforce_min_hold": True,
    "filters.eligibility.enforce_sell_cooldown": True, "filters.eligibility.enforce_max_loss": True,
    "filters.recently_traded.enforce_buy_cooldown": True,
    "filters.recently_traded.enforce_sell_cooldown": True,
}  # fmt: skip
REFUSED_IN_MODULES = rows_of("""
CALC.averaging_down.base_trade_amount_eur | 1000 | write planner.base_trade_weight
CALC.opportunity_buys.base_trade_amount_eur | 1000 | write planner.base_trade_weight
CALC.rebalance_buys.base_trade_amount_eur | 1000 | write planner.base_trade_weight
PAT.*.max_depth | 4 | search.max_depth is 5: it is one number for the whole strategy
PAT.*.available_cash_eur | 500.0 | cash comes from the account
PAT.single_best.max_depth | 3 | a single order is one order deep
PAT.market_regime.market_regime | "bull" | detected from the index, never set
GEN.combinatorial.priority_threshold | 0.5 | planner.priority_threshold is 0.3: it is one number
GEN.enhanced_combinatorial.max_steps | 2 | search.max_depth is 5: it is one number
filters.correlation_aware.securities | ["A"] | come from the account
filters.correlation_aware.correlation_matrix | {} | estimated from the prices given
filters.eligibility.enforce_min_hold | false | set its number to 0
filters.eligibility.enforce_sell_cooldown | false | set its number to 0
filters.eligibility.enforce_max_loss | false | set its number to 0
filters.eligibility.position_acquired_dates | {} | come from the holdings file
filters.eligibility.last_sell_dates | {} | come from the holdings file
filters.eligibility.position_returns | {} | come from the holdings file
filters.recently_traded.enforce_buy_cooldown | false | set its number to 0
filters.recently_traded.enforce_sell_cooldown | false | set its number to 0
filters.recently_traded.trade_history | {} | come from the holdings file
""")
"""Parameter -> as written, part of what is told."""


def in_module(key: str, one: object, nested: bool) -> dict[str, object]:
    kind, name, param = key.replace("*", "rebalance").split(".")
    params = {param: one}
    return {kind: {name: {"params": params} if nested else params}}


def test_these_tables_have_every_parameter_that_is_known():
    known_keys = {f"{module}.{key}" for module, keys in MODULES.items() for key in keys}
    inherited = {
        f"pattern_generators.{name}.{key}"
        for name in ("single_best", "adaptive", "market_regime")
        for key in MODULES["pattern_generators.*"]
    }
    rows_here = {*OF_MODULES, *HARMLESS_IN_MODULES, *REFUSED_IN_MODULES}

    assert known_keys - inherited - {"pattern_generators.single_best.max_depth"} <= rows_here
    assert rows_here <= known_keys


def test_a_documented_parameter_sets_ours_in_its_table_and_in_params():
    def sets(key: str, nested: bool) -> bool:
        written, target, expected = OF_MODULES[key]
        document = in_module(key, written, nested)
        return value(from_mapping(document, "x"), target) == pytest.approx(expected) and fits(
            document
        )

    assert [(key, n) for key in OF_MODULES for n in (False, True) if not sets(key, n)] == []


def test_a_documented_parameter_that_says_what_is_so_is_accepted():
    documents = [in_module(key, one, nested=True) for key, one in HARMLESS_IN_MODULES.items()]

    assert [one for one in documents if not (validate(one).is_valid and fits(one))] == []


def test_a_documented_parameter_without_a_meaning_is_refused_by_name():
    def is_refused(key: str) -> bool:
        written, expected = REFUSED_IN_MODULES[key]
        (text,) = validate(in_module(key, written, nested=False)).errors
        return key.replace("*", "rebalance") in text and expected in text

    assert [key for key in REFUSED_IN_MODULES if not is_refused(key)] == []


def test_every_other_name_means_a_key_that_there_is():
    for where, key, spelling in rows():
        if isinstance(spelling, Alias):
            section, *rest = spelling.key
            model: type[Section] = (
                SECTIONS[section]
                if section in SECTIONS
                else default().choice(Kind(section), rest.pop(0)).module.params
            )
            assert rest == ["enabled"] or rest[0] in model.model_fields, f"{where} {key}"


USAGE_GUIDE = """
name = "aggressive"
description = "Aggressive trading strategy"

max_depth = 7
max_opportunities_per_category = 8
priority_threshold = 0.2
enable_diverse_selection = true
diversity_weight = 0.2

transaction_cost_fixed = 2.0
transaction_cost_percent = 0.002

[opportunity_calculators.profit_taking]
enabled = true

[opportunity_calculators.averaging_down]
enabled = true

[pattern_generators.adaptive]
enabled = true
"""


def test_a_flat_file_is_read_in_full():
    strategy = parse(USAGE_GUIDE, "x")

    assert (strategy.name, strategy.description) == ("aggressive", "Aggressive trading strategy")
    assert (strategy.search.max_depth, strategy.costs.fixed, strategy.costs.percent) == (
        7, 2.0, 0.002,
    )  # fmt: skip
    assert strategy.planner.model_dump() == {
        "max_opportunities_per_category": 8, "priority_threshold": 0.2, "base_trade_weight": 0.01,
        "diverse_selection": True, "diversity_weight": 0.2,
    }  # fmt: skip
    assert strategy.choice(Kind.PATTERN, "adaptive").enabled
    assert not strategy.choice(Kind.PATTERN, "market_regime").enabled
    SCHEMA.validate(tomllib.loads(USAGE_GUIDE))


def test_the_top_core_planner_and_house_forms_of_a_strategy_are_one():
    forms = [
        "max_plan_depth = 3\npriority_threshold = 0.4",
        "[core]\nmax_plan_depth = 3\npriority_threshold = 0.4",
        "[planner]\nmax_depth = 3\npriority_threshold = 0.4",
        "[search]\nmax_depth = 3\n[planner]\npriority_threshold = 0.4",
    ]

    assert len({parse(text, "x").sha256 for text in forms}) == 1


def test_names_may_stand_in_the_planner_table_and_a_title_describes():
    named = parse("[planner]\nname = 'mine'\ntitle = 'short'", "x")

    assert (named.name, named.description) == ("mine", "short")
    assert parse("title = 'short'\ndescription = 'long'", "x").description == "long"
    assert "but elsewhere the name is 'a'" in refusal("name = 'a'\n[planner]\nname = 'b'")


DISAGREEING = {
    "max_depth = 7\n[core]\nmax_plan_depth = 5": (
        "core.max_plan_depth is 5 and max_depth is 7, but both set search.max_depth"
    ),
    "max_depth = 7\nmax_plan_depth = 5": "max_plan_depth is 5, but both set search.max_depth",
    "max_depth = 7\n[search]\nmax_depth = 5": "search.max_depth is 5 and max_depth is 7",
    "[core]\nbeam_width = 7\n[planner]\nbeam_width = 5": (
        "planner.beam_width is 5 and core.beam_width is 7"
    ),
    "priority_threshold = 0.2\n[planner]\npriority_threshold = 0.3": (
        "planner.priority_threshold is 0.3 and priority_threshold is 0.2"
    ),
    "[planner]\nmin_hold_days = 10\n[filters.eligibility.params]\nmin_hold_days = 20": (
        "filters.eligibility.params.min_hold_days is 20 and planner.min_hold_days is 10, but both"
    ),
    "[planner]\ntransaction_cost_fixed = 1.0\n"
    "[opportunity_calculators.weight_based.params]\ntransaction_cost_fixed = 2.0": (
        "weight_based.params.transaction_cost_fixed is 2.0 and planner.transaction_cost_fixed is "
        "1.0"
    ),
    "[filters.eligibility]\nmin_hold_days = 3\n[filters.eligibility.params]\nmin_hold_days = 4": (
        "filters.eligibility.min_hold_days is 3 and filters.eligibility.params.min_hold_days is 4"
    ),
    "enabled_filters = []\n[filters]\neligibility = true": (
        "filters.eligibility is true and enabled_filters is []"
    ),
    "allow_buy = 1\n[limits]\nallow_buy = true": "limits.allow_buy is true and allow_buy is 1",
}


def test_two_places_that_disagree_are_an_error_naming_both_with_their_values():
    assert [text for text, both in DISAGREEING.items() if both not in refusal(text)] == []


def test_two_places_that_agree_are_fine_and_the_stronger_one_is_named():
    agreeing = (
        "max_depth = 11\n[core]\nmax_plan_depth = 11\n[planner]\nmax_depth = "
        "11\n[search]\nmax_depth = 11"
    )

    assert (
        refusal(agreeing).splitlines()[1]
        == "line 7: search.max_depth is 11; it must be a whole number from 1 to 10."
    )
    assert (
        refusal(agreeing.rpartition("[search]")[0])
        .splitlines()[1]
        .startswith("line 5: planner.max_depth is 11")
    )
    assert (
        refusal(agreeing.partition("[planner]")[0])
        .splitlines()[1]
        .startswith("line 3: core.max_plan_depth is 11")
    )
    assert sorted(Level) == [Level.MODULE, Level.PLANNER, Level.CORE, Level.TOP]
    assert parse("transaction_cost_fixed = 2\n[costs]\nfixed = 2.0", "x").costs.fixed == 2.0


def test_a_wrong_value_is_told_as_it_is_written_and_where_it_leads():
    text = refusal("[planner]\nmax_loss_threshold = -2")

    assert (
        "line 2: planner.max_loss_threshold is -2; it must be a number from -1 to 1. "
        "It sets filters.eligibility.no_panic_sell_pct, a minus sign is dropped." in text
    )


def test_a_list_of_enabled_modules_is_the_whole_list_of_its_kind():
    strategy = parse(
        "enabled_filters = ['eligibility']\nenabled_pattern_generators = ['adaptive', 'rebalance']",
        "x",
    )

    assert [choice.module.name for choice in strategy.enabled(Kind.FILTER)] == ["eligibility"]
    assert [choice.module.name for choice in strategy.enabled(Kind.PATTERN)] == [
        "adaptive",
        "rebalance",
    ]
    assert strategy.enabled(Kind.OPPORTUNITY) == default().enabled(Kind.OPPORTUNITY)
    assert (
        "enabled_filters.eligibilty: there is no such module. Did you mean eligibility?"
        in refusal("enabled_filters = ['eligibilty']")
    )
    assert "enabled_filters is 'eligibility'; it must be a list of names of modules." in refusal(
        "enabled_filters = 'eligibility'"
    )


def test_tables_of_parameters_set_and_switch_nothing():
    tables = {
        "opportunity_params": {"averaging_down": {"dip_threshold": -0.2}},
        "pattern_params": {"adaptive": {"top_gaps": 2}},
        "generator_params": {"combinatorial": {"max_sells": 2}},
        "filter_params": {"diversity": {"max_sequences": 20}},
    }

    strategy = from_mapping(tables, "x")

    assert (
        strategy.choice(Kind.OPPORTUNITY, "averaging_down").params.model_dump()["dip_threshold"]
        == 0.2
    )
    assert strategy.choice(Kind.FILTER, "diversity").params.model_dump()["max_sequences"] == 20
    assert {kind: [one.module.name for one in strategy.enabled(kind)] for kind in Kind} == {
        kind: [one.module.name for one in default().enabled(kind)] for kind in Kind
    }
    assert (
        "filters.diversity.max_sequences is set and filters.diversity is off: it changes nothing."
        in validate(strategy).warnings
    )
    SCHEMA.validate(tables)


def test_a_table_switches_its_module_on_and_a_boolean_is_short_for_enabled():
    strategy = parse(
        "[pattern_generators]\nmarket_regime = true\nrebalance = "
        "false\n[pattern_generators.adaptive.params]\n",
        "x",
    )

    assert strategy.choice(Kind.PATTERN, "market_regime").enabled
    assert strategy.choice(Kind.PATTERN, "adaptive").enabled
    assert not strategy.choice(Kind.PATTERN, "rebalance").enabled


def test_an_evaluation_by_the_score_alone_moves_no_hash_whatever_else_it_says():
    idle = "[evaluation]\nmode = 'single_objective'\npaths = 100\nshifts = [0.2]\ntail = 0.1"

    assert parse(idle, "x").sha256 == default().sha256
    assert parse("enable_monte_carlo_paths = true", "x").sha256 != default().sha256


def test_of_several_evaluations_that_are_switched_on_the_first_counts_or_the_one_that_is_named():
    both = "enable_stochastic_scenarios = true\n[core]\nenable_monte_carlo_paths = true\n"
    by_switch, by_name = parse(both, "x"), parse(f"{both}[evaluation]\nmode = 'stochastic'", "x")

    assert by_switch.evaluation.mode == "monte_carlo"
    assert list(by_switch.warnings) == [
        (
            "enable_stochastic_scenarios changes nothing: core.enable_monte_carlo_paths is true, "
            "and one evaluation counts."
        )
    ]
    assert by_name.evaluation.mode == "stochastic"
    assert list(by_name.warnings) == [
        (
            "core.enable_monte_carlo_paths changes nothing: evaluation.mode is 'stochastic', and "
            "one evaluation counts."
        )
    ]


@pytest.mark.parametrize(
    ("text", "both"),
    [
        (
            "enable_monte_carlo = true\n[evaluation]\nmode = 'stochastic'",
            "evaluation.mode is 'stochastic' and enable_monte_carlo is true",
        ),
        (
            "enable_monte_carlo = true\nevaluation_mode = 'single_objective'",
            "evaluation_mode is 'single_objective' and enable_monte_carlo is true",
        ),
        (
            "enable_monte_carlo = false\n[evaluation]\nmode = 'monte_carlo'",
            "evaluation.mode is 'monte_carlo' and enable_monte_carlo is false",
        ),
        (
            "enable_monte_carlo = true\n[planner]\nenable_monte_carlo_paths = false",
            "planner.enable_monte_carlo_paths is false and enable_monte_carlo is true",
        ),
        (
            "monte_carlo_path_count = 100\n[evaluation]\npaths = 200",
            "evaluation.paths is 200 and monte_carlo_path_count is 100",
        ),
    ],
)
def test_two_words_on_the_evaluation_that_disagree_are_refused_by_both_names(text: str, both: str):
    assert f"{both}, but both set evaluation." in refusal(text)


def test_a_switch_that_is_off_switches_off_what_is_inherited_and_nothing_else():
    paths = parse("[evaluation]\nmode = 'monte_carlo'\npaths = 500", "x")

    assert overlay(paths, {"enable_monte_carlo_paths": False}, why="x").sha256 == default().sha256
    assert overlay(paths, {"enable_multi_objective": False}, why="x").evaluation == paths.evaluation
    over = overlay(paths, {"enable_multi_timeframe": True}, why="x")
    assert over.evaluation.mode == "multi_timeframe"


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        *[(f"paths = {n}", "a whole number from 10 to 1,000,000") for n in (0, 1, 10**9, -10)],
        ("horizon_years = 0", "horizon_years[0] is 0; it must be a number from 0.0039 to 50"),
        ("horizon_years = [1, -3]", "horizon_years[1] is -3"),
        ("horizon_years = [5, 1]", "horizon_years must increase, not [5.0, 1.0]"),
        ("horizon_years = [1, 1]", "horizon_years must increase"),
        ("horizon_years = '1y'", "it must be a number from 0.0039 to 50 or a list"),
        ("shifts = []", "it must be a list of 1 to 50, each entry a number"),
        ("shifts = [-0.96]", "shifts[0] is -0.96; it must be a number at least -0.95 and below 1"),
        ("shifts = [-10, 0, 10]", "shifts[0]: -10 is no fraction from -0.95 to below 1; did you "),
        ("shifts = [0, 5]", "did you mean 0.05 (for 5 %)"),
        ("tail = 5", "it must be a number above 0 and at most 0.5"),
        ("mode = 'montecarlo'", "one of 'single_objective', 'multi_objective', 'stochastic', "),
        ("mode = 'multi_timeframe'\nhorizon_shares = [1, 2]", "2 horizon_shares of 3 horizons"),
        ("objectives = {score = 0, diversification = 0, risk = 0, cost = 0}", "above 0"),
    ],
)
def test_an_evaluation_out_of_range_is_refused_with_what_may_stand_there(
    setting: str, expected: str
):
    assert expected in refusal(f"[evaluation]\n{setting}")


def test_a_mapping_is_read_like_the_file_that_it_came_from():
    text = (
        "max_depth = 3\n[filters.eligibility]\nmin_hold_days = 4\n[score.anchors]\nfit = [-0.2, "
        "0.0]"
    )

    assert from_mapping(tomllib.loads(text), "x") == parse(text, "x")
    assert from_mapping(json.loads(json.dumps(tomllib.loads(text))), "x") == parse(text, "x")
    with pytest.raises(SettingsError, match="3 is not a known key"):
        from_mapping({3: 4}, "x")


def test_an_overlay_changes_what_it_names_keeps_switches_and_says_who_did_it():
    changes = {
        "filters": {"diversity": {"max_sequences": 9}},
        "limits": {"max_position_weight": 0.1},
        "max_depth": 3,
    }

    changed = overlay(default(), changes, why="slider risk_appetite")

    assert (changed.limits.max_position_weight, changed.search.max_depth) == (0.1, 3)
    assert changed.choice(Kind.FILTER, "diversity").params.model_dump()["max_sequences"] == 9
    assert not changed.choice(Kind.FILTER, "diversity").enabled
    assert changed.choice(Kind.FILTER, "diversity").why == "slider risk_appetite"
    assert changed.source("limits.max_position_weight") == "slider risk_appetite"
    assert changed.source("limits.cash_reserve_weight") == "default"
    assert changed.limits.cash_reserve_weight == default().limits.cash_reserve_weight


def test_an_overlay_that_is_not_usable_is_refused():
    with pytest.raises(SettingsError, match=r"search\.max_depth is 0"):
        overlay(default(), {"search": {"max_depth": 0}}, why="slider x")
    with pytest.raises(SettingsError, match="plugins are listed in a strategy"):
        overlay(default(), {"plugins": {"folder": "x"}}, why="slider x")


FORMS = {
    "search.max_depth": ({3: 3, 4: 4}, ("max_depth", "max_plan_depth"), ("search.max_depth",)),
    "planner.max_opportunities_per_category": (
        {3: 3, 8: 8}, ("max_opportunities_per_category",), (),
    ),
    "planner.priority_threshold": (
        {0.2: 0.2, 0.4: 0.4}, ("priority_threshold", "priority_threshold_for_combinations"), (),
    ),
    "planner.diversity_weight": ({0.2: 0.2, 0.4: 0.4}, ("diversity_weight",), ()),
    "costs.fixed": (
        {5.0: 5.0, 1: 1.0},
        ("transaction_cost_fixed",),
        (
            "costs.fixed", "opportunity_calculators.weight_based.transaction_cost_fixed",
            "opportunity_calculators.weight_based.params.transaction_cost_fixed",
        ),
    ),
    "limits.allow_sell": ({True: True, False: False}, ("allow_sell",), ("limits.allow_sell",)),
    "filters.eligibility.min_hold_days": (
        {11: 11, 12: 12},
        ("min_hold_days",),
        (
            "filters.eligibility.min_hold_days", "filters.eligibility.params.min_hold_days",
            "filter_params.eligibility.min_hold_days",
        ),
    ),
    "filters.eligibility.no_panic_sell_pct": (
        {-0.15: 0.15, 0.3: 0.3},
        ("max_loss_threshold",),
        (
            "filters.eligibility.max_loss_threshold",
            "filters.eligibility.params.max_loss_threshold",
            "filter_params.eligibility.max_loss_threshold",
        ),
    ),
}  # fmt: skip
"""House key -> (as written -> as meant, names at the top and in two tables, other places)."""


@pytest.mark.parametrize("key", FORMS)
def test_any_two_places_of_one_setting_agree_or_are_both_named(key: str):
    def is_told(first: str, one: object, second: str, other: object) -> bool:
        text = f"{first} = {json.dumps(one)}\n{second} = {json.dumps(other)}\n"
        meaning = FORMS[key][0]
        if meaning[one] == meaning[other]:
            return value(parse(text, "x"), key) == meaning[one]
        both = f"but both set {key}: make them equal, or keep one."
        return all(part in refusal(text) for part in (both, f"{first} is ", f"{second} is "))

    values, anywhere, exact = FORMS[key]
    places = [f"{table}{name}" for table in ("", "core.", "planner.") for name in anywhere]
    pairs = itertools.permutations([*places, *exact], 2)
    cases = [(a, x, b, y) for a, b in pairs for x, y in itertools.product(values, repeat=2)]
    assert [case for case in cases if not is_told(*case)] == []


@pytest.mark.parametrize("name", PRESETS)
def test_a_module_that_a_file_does_not_switch_on_is_as_its_preset_has_it(name: str):
    base = preset(name)
    off = {
        choice.module.qualified
        for kind in Kind
        for choice in base.choices[kind]
        if not choice.enabled
    }

    bare = parse(f"preset = '{name}'\n[limits]\nmax_position_weight = 0.1", "x")
    told_off = parse(
        f"preset = '{name}'\n"
        + "".join(f"[{module}]\nenabled = false\n" for module in sorted(off)),
        "x",
    )

    for strategy in (bare, told_off):
        assert {
            choice.module.qualified
            for kind in Kind
            for choice in strategy.choices[kind]
            if not choice.enabled
        } == off


TRENDS = """
name = "trends"
[core]
max_plan_depth = 3
max_opportunities_per_category = 3
priority_threshold = 0.4
batch_size = 50

[planner]
min_hold_days = 30
sell_cooldown_days = 90
max_loss_threshold = -0.15

[opportunity_calculators.profit_taking]
enabled = true
windfall_threshold = 0.15
priority_weight = 1.5

[opportunity_calculators.averaging_down]
enabled = false
max_drawdown = -0.25

[sequence_generators]
combinatorial = true

[sequence_generators.enhanced_combinatorial.params]
max_combinations = 25
"""


def test_a_template_of_mixed_levels_means_what_it_says():
    strategy = parse(TRENDS, "x")

    expected = {
        "search.max_depth": 3, "planner.max_opportunities_per_category": 3,
        "planner.priority_threshold": 0.4, "filters.eligibility.min_hold_days": 30,
        "filters.recently_traded.sell_cooldown_days": 90,
        "filters.eligibility.no_panic_sell_pct": 0.15,
        "opportunity_calculators.profit_taking.windfall_threshold": 0.15,
        "opportunity_calculators.profit_taking.priority_weight": 1.5,
        "opportunity_calculators.averaging_down.enabled": False,
        "opportunity_calculators.averaging_down.max_drawdown": 0.25,
        "sequence_generators.combinatorial.enabled": True,
        "sequence_generators.enhanced_combinatorial.max_combinations": 25,
    }  # fmt: skip
    assert {key: value(strategy, key) for key in expected} == expected
    assert strategy.source("search.max_depth") == "strategy file"
    SCHEMA.validate(tomllib.loads(TRENDS))


def test_a_switch_and_a_table_of_one_module_are_refused_with_their_line():
    text = refusal(
        "[opportunity_calculators]\nprofit_taking = true\n"
        "[opportunity_calculators.profit_taking]\nwindfall_threshold = 0.2"
    )

    assert "line 3" in text
    assert "is not valid TOML" in text


WRONG = (True, "x", -1e9, 1e9, [], {}, ["x"])
TURNS = seeds(2, len(WRONG))


def leaves(node: dict[str, object], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every key of the schema."""
    for one in node.get("anyOf", [node]):
        for key, inside in one.get("properties", {}).items():
            yield from leaves(inside, (*path, key))
        if "properties" not in one:
            yield path


def test_schema_and_loader_refuse_the_same_types_ranges_and_keys():
    # they differ where JSON has no word for it: 3.0 is an integer there, and what two keys say
    # together no schema sees
    def differ(path: tuple[str, ...], wrong: object) -> bool:
        document = functools.reduce(lambda inside, key: {key: inside}, reversed(path), wrong)
        valid = validate(document).is_valid
        whole = isinstance(wrong, float) and wrong.is_integer() and not valid
        return not whole and fits(document) is not valid

    paths = {
        path for top, node in SCHEMA.schema["properties"].items() for path in leaves(node, (top,))
    }
    assert len(paths) > 200
    # two values for each key, others for its neighbour; all of them in the nightly profile
    values = [(path, WRONG[(n + 3 * k) % 7]) for n, path in enumerate(sorted(paths)) for k in TURNS]
    assert [(path, wrong) for path, wrong in values if differ(path, wrong)] == []
