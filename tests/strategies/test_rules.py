"""The rules that look across tables: what refuses a strategy, and what is worth knowing of it."""

from pathlib import Path

import pytest

from builders.plugins import pin
from steelyard.errors import SettingsError
from steelyard.modules.registry import Kind, modules
from steelyard.strategies import (
    PRESETS,
    check,
    check_dependencies,
    default,
    load,
    parse,
    preset,
    validate,
    validate_dependencies,
)
from steelyard.strategies.files.problems import MOST_PROBLEMS
from steelyard.strategies.rules import MANY_PATTERNS

PATTERNS = [choice.module.name for choice in default().enabled(Kind.PATTERN)]
ONLY_OPPORTUNITY_FIRST = """
enabled_pattern_generators = ["opportunity_first"]
enabled_sequence_generators = []
search.scope = "proposals"
opportunity_calculators.opportunity_buys = false
"""
ALL_CALCULATORS_OFF = "enabled_opportunity_calculators = []\n"


def refusal(text: str) -> str:
    with pytest.raises(SettingsError) as refused:
        parse(text, "mine")
    return str(refused.value)


def warnings(text: str) -> str:
    return "\n".join(validate(parse(text, "mine")).warnings)


def test_the_default_has_neither_errors_nor_warnings():
    assert validate(default()) == []
    assert validate(default()).warnings == []
    assert validate({}).is_valid


def test_what_a_mapping_has_wrong_is_told_and_not_raised():
    problems = validate({"max_depth": 0, "limit": {}, "batch_size": 10})

    assert not problems.is_valid
    assert sorted(text.partition(" ")[0] for text in problems) == ["limit", "max_depth"]
    assert problems.warnings == [
        "batch_size changes nothing: planning goes in one go, whatever the batches."
    ]


ERRORS = [
    (
        "allow_buy = false\nallow_sell = false",
        "limits.allow_buy and limits.allow_sell are both false: nothing could ever be traded.",
    ),
    (
        "[limits]\nmin_trade_weight = 0.3",
        "limits.min_trade_weight is 0.3 and limits.max_position_weight is 0.2",
    ),
    (
        "[limits]\nmin_trade_weight = 0.1\nmax_turnover_weight = 0.05",
        "limits.min_trade_weight is 0.1 and limits.max_turnover_weight is 0.05",
    ),
    ("[score.further]\nincome_2 = 0.1", "score.further.income_2: there is no such score term."),
    ("max_depth = 0", "max_depth is 0; it must be a whole number from 1 to 10."),
    ("max_depth = 11", "max_depth is 11; it must be a whole number from 1 to 10."),
    ("priority_threshold = 1.1", "priority_threshold is 1.1; it must be a number from 0 to 1."),
    (
        "max_opportunities_per_category = -1",
        "max_opportunities_per_category is -1; it must be a whole number from 1 to 20.",
    ),
    (
        "transaction_cost_fixed = -1",
        "transaction_cost_fixed is -1; it must be a number from 0 to 1,000,000.",
    ),
    (
        "transaction_cost_percent = 1.5",
        "transaction_cost_percent is 1.5; it must be a number from 0 to 0.1.",
    ),
    (
        "enable_diverse_selection = true\ndiversity_weight = 2",
        "diversity_weight is 2; it must be a number from 0 to 1.",
    ),
    (
        "[opportunity_calculators]\nnone = true",
        "opportunity_calculators.none: there is no such module.",
    ),
    ("[pattern_generators]\nnone = true", "pattern_generators.none: there is no such module."),
    ("[sequence_generators]\nnone = true", "sequence_generators.none: there is no such module."),
    ("[filters]\nnone = true", "filters.none: there is no such module."),
    (
        "enabled_pattern_generators = []\n[sequence_generators]\ncombinatorial = true",
        "sequence_generators.combinatorial is on and no pattern is; it needs a pattern beside it.",
    ),
    (
        "[opportunity_calculators.averaging_down]\ndip_threshold = 0.5",
        "opportunity_calculators.averaging_down: dip_threshold 0.5 is above max_drawdown 0.4",
    ),
    ("scope = 1\n[search]\nscope = 'proposals'\n", "scope is not a known key"),
    (
        ALL_CALCULATORS_OFF + "[search]\nscope = 'proposals'",
        (
            "No pattern or generator that is on draws from a calculator that is on: there is no"
            ' proposal, and search.scope = "proposals"'
        ),
    ),
    (ONLY_OPPORTUNITY_FIRST, "there is no proposal"),
    (
        (
            "enabled_pattern_generators = []\nenabled_sequence_generators = "
            "['partial_execution']\n[search]\nscope = 'proposals'"
        ),
        "there is no proposal",
    ),
]


def test_an_error_refuses_the_strategy():
    assert [case for case in ERRORS if case[1] not in refusal(case[0])] == []


WARNINGS = [
    (
        "transaction_cost_percent = 0.02",
        "costs.percent is 0.02, a fraction: 2 % of every order. Most brokers take under 1 %.",
    ),
    (ALL_CALCULATORS_OFF, "No opportunity calculator is on: every plan is to hold."),
    (ALL_CALCULATORS_OFF, "there is no proposal to compare the plan with."),
    (
        "enabled_pattern_generators = []",
        "No pattern is on: proposals come from the generators alone.",
    ),
    (
        ("enabled_pattern_generators = ['rebalance']\n[sequence_generators]\ncombinatorial = true"),
        "combinatorial is on with fewer than 2 patterns",
    ),
    (
        "[filters]\ncorrelation_aware = true",
        "on_missing = 'allow' a buy that has too little of one passes",
    ),
    (
        "[filters.correlation_aware]\non_missing = 'deny'",
        "on_missing = 'deny' a buy that has too little of one is refused",
    ),
    ("[filters]\ndiversity = true", "filters.diversity is on and planner.diverse_selection off"),
    (
        "[search]\nscope = 'candidates'\n[filters]\ndiversity = true",
        (
            "A setting is idle, for it changes no plan where search.scope is "
            '"candidates": filters.diversity.'
        ),
    ),
    ("max_depth = 7", "search.max_depth is 7 with 11 patterns"),
    (
        "[sequence_generators.combinatorial]\nmax_combinations = 101",
        "combinatorial.max_combinations is 101: the best come first",
    ),
    (
        "allow_sell = false",
        (
            "profit_taking, rebalance_sells, weight_based are on: the sales that they find are "
            "dropped."
        ),
    ),
    (
        "allow_buy = false",
        "limits.allow_buy is false and averaging_down, opportunity_buys, rebalance_buys are on",
    ),
    (
        "combinatorial_max_candidates = 5\npreset = 'conservative'",
        "enhanced_combinatorial.max_candidates is set and",
    ),
    (
        "[opportunity_calculators]\nprofit_taking = false",
        (
            "pattern_generators.profit_taking is on and finds nothing without "
            "opportunity_calculators.profit_taking."
        ),
    ),
    (
        "enable_multi_objective = true\nrebalance.trigger = 'band'",
        'evaluation.mode "multi_objective" changes no plan: rebalance.trigger is "band"',
    ),
    (
        "enable_monte_carlo_paths = true\nmonte_carlo_path_count = 100",
        (
            "evaluation.paths is 100: the tail, whose mean is CVaR, is about 5 scenarios. With "
            "1,000 paths it is 50."
        ),
    ),
    ("[evaluation]\nmode = 'stochastic'\npaths = 10", "is about 1 scenario."),
    (
        "monte_carlo_path_count = 100",
        (
            'evaluation.paths is set and evaluation.mode is "single_objective": it changes nothing.'
            " It belongs to stochastic and monte_carlo."
        ),
    ),
    (
        "enable_monte_carlo = true\nstochastic_price_shifts = [-0.2]",
        'evaluation.shifts is set and evaluation.mode is "monte_carlo": it changes nothing.',
    ),
    (
        "[evaluation]\nmode = 'monte_carlo'\nhorizon_years = [1, 3]",
        "evaluation.horizon_years names 1 beside 3: monte_carlo draws its paths over 3 alone.",
    ),
]


def test_a_warning_is_worth_knowing_and_refuses_nothing():
    assert [case for case in WARNINGS if case[1] not in warnings(case[0])] == []


NOTHING_TO_WARN_OF = [
    "[evaluation]\nmode = 'monte_carlo'\npaths = 1_000\nhorizon_years = 3",
    "[evaluation]\npaths = 10_000\ntail = 0.05",
    "[evaluation]\nmode = 'multi_timeframe'\nhorizon_years = [1, 3]\ncompared = 10",
    "transaction_cost_percent = 0.01",
    "min_weight_gap = 0.1\npreset = 'conservative'",
    "max_depth = 6",
    f"max_depth = 7\nenabled_pattern_generators = {PATTERNS[: MANY_PATTERNS - 1]}",
    "[sequence_generators.combinatorial]\nmax_combinations = 100",
    "[sequence_generators.combinatorial]\nenabled = false\nmax_combinations = 101",
    "[filters.diversity]\nenabled = false\nmax_sequences = 3",
    ("enable_diverse_selection = true\n[filters]\ndiversity = true\n[search]\nscope = 'proposals'"),
]


def test_at_the_border_there_is_nothing_to_warn_of():
    assert [text for text in NOTHING_TO_WARN_OF if warnings(text)] == []


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_has_nothing_to_warn_of_until_a_file_says_the_same_itself(name: str):
    own = "[search]\nmax_depth = 7\n[filters.correlation_aware]\nenabled = true\n"

    assert validate(preset(name)).warnings == []
    assert warnings(f"preset = '{name}'") == ""
    assert "filters.correlation_aware compares price histories" in warnings(
        f"preset = '{name}'\n{own}"
    )
    many = len(preset(name).enabled(Kind.PATTERN)) >= MANY_PATTERNS
    assert ("such a plan takes the longest" in warnings(f"preset = '{name}'\n{own}")) is many


def test_without_calculators_one_warning_speaks_for_all_that_draw_from_them():
    assert len(warnings(ALL_CALCULATORS_OFF).splitlines()) == 2


def test_what_looks_across_tables_is_told_no_more_than_anybody_reads():
    problems = validate({"score": {"further": {f"incom{i}": 0.0001 for i in range(500)}}})

    assert 0 < len(problems) <= MOST_PROBLEMS
    assert "score.further.incom: there is no such score term. Did you mean income?" in validate(
        {"score": {"further": {"incom": 0.1}}}
    )


BORDERS = [
    "allow_buy = false",
    "[limits]\nmin_trade_weight = 0.2\nmax_position_weight = 0.2",
    "[limits]\nmin_trade_weight = 0.05\nmax_turnover_weight = 0.05",
    "max_depth = 1",
    "max_depth = 10",
    "priority_threshold = 0",
    "priority_threshold = 1",
    "max_opportunities_per_category = 1",
    "transaction_cost_fixed = 0",
    "transaction_cost_percent = 0.05",
    "diversity_weight = 1.0",
    "[opportunity_calculators.averaging_down]\ndip_threshold = 0.4",
    "max_loss_threshold = -1",
    "trade_cost_multiplier = 1",
    "cost_penalty_factor = 20",
    "[regime]\nenter = 0.03",
    "[score.anchors]\nfit = [0.0, 1e-6]",
    (
        "search.scope = 'proposals'\nenabled_opportunity_calculators = "
        "['opportunity_buys']\nenabled_pattern_generators = ['direct_buy']"
    ),
]


def test_at_the_border_nothing_is_refused():
    assert [text for text in BORDERS if not validate(parse(text, "mine")).is_valid] == []


def test_a_module_that_the_strategy_itself_switched_on_without_what_it_draws_from_is_an_error():
    off = "[opportunity_calculators]\naveraging_down = false\n"
    text = (
        "pattern_generators.averaging_down is on and finds nothing without "
        "opportunity_calculators.averaging_down."
    )

    assert text in refusal(f"{off}[pattern_generators]\naveraging_down = true")
    assert text in refusal(f"{off}[pattern_generators]\naveraging_down = true").splitlines()[
        1
    ].removeprefix("line 4: ")
    inherited = parse(off, "x")
    assert check_dependencies(inherited) == [text]
    assert validate_dependencies(inherited) == []


def test_an_alternative_is_enough():
    only_weights = (
        "enabled_opportunity_calculators = ['weight_based']\nenabled_pattern_generators = "
        "['rebalance', 'cost_optimized']"
    )
    neither = (
        "enabled_opportunity_calculators = ['profit_taking']\nenabled_pattern_generators = "
        "['cost_optimized']"
    )

    assert validate_dependencies(parse(only_weights, "x")) == []
    told = refusal(neither)
    assert (
        "cost_optimized is on and finds nothing without one of "
        "opportunity_calculators.rebalance_sells, opportunity" in told
    )
    assert (
        " and one of opportunity_calculators.rebalance_buys, opportunity_calculators.weight_based."
        in told
    )


def test_what_a_pattern_or_generator_says_that_it_draws_from_is_there():
    known = {module.qualified for kind in Kind for module in modules(kind).values()} | {
        str(kind) for kind in Kind
    }
    for kind in (Kind.PATTERN, Kind.SEQUENCE):
        for module in modules(kind).values():
            assert {name for one in module.dependencies for name in one.split("|")} <= known
            if module.on:
                assert module.dependencies, module.qualified


@pytest.mark.parametrize("name", ["conservative", "aggressive"])
def test_presets_meet_their_own_dependencies(name: str):
    assert check_dependencies(preset(name)) == validate_dependencies(preset(name)) == []


def test_a_file_is_checked_with_lines_and_without_raising(tmp_path: Path):
    bad, worse, good = tmp_path / "bad.toml", tmp_path / "worse.toml", tmp_path / "good.toml"
    bad.write_text("batch_size = 3\n[limits]\nallow_buy = 1\n")
    worse.write_text("[limits")
    good.write_text("batch_size = 3\n")

    problems, strategy = check(bad)
    assert problems.errors == ["line 3: limits.allow_buy is 1; it must be true or false."]
    assert problems.warnings == [
        "line 1: batch_size changes nothing: planning goes in one go, whatever the batches."
    ]
    assert strategy is None
    assert "is not valid TOML: " in check(worse)[0].errors[0]
    assert check(tmp_path / "none.toml")[0].errors
    assert check(good)[1] is not None


PLUGIN = """
import numpy as np
from steelyard import ModuleParams, opportunity_calculator

class Params(ModuleParams):
    share: float = 0.5

@opportunity_calculator("{name}", version="1.0.0", params=Params)
def found(ctx, params):
    \"\"\"Nothing.\"\"\"
    return []
"""


def with_plugin(folder: Path, name: str, more: str = "") -> Path:
    (folder / "p").mkdir()
    (folder / "p" / "mine.py").write_text(PLUGIN.replace("{name}", name))
    path = folder / "s.toml"
    path.write_text(
        "[plugins]\nfolder = 'p'\nmegabytes = 256\nfiles = {'mine.py' = "
        f"'{pin(folder / 'p' / 'mine.py')}'}}\n{more}"
    )
    return path


def test_a_listed_plugin_is_on_unless_its_table_says_otherwise(tmp_path: Path):
    path = with_plugin(tmp_path, "outside")

    plain = load(path)
    path.write_text(
        path.read_text() + "[opportunity_calculators.outside]\nenabled = false\nshare = 0.2\n"
    )
    off = load(path)

    found = plain.choice(Kind.OPPORTUNITY, "outside")
    assert (found.enabled, found.why, plain.problems) == (True, "listed in [plugins]", ())
    assert found.module.digest in str(plain.content)
    assert not off.choice(Kind.OPPORTUNITY, "outside").enabled
    assert off.choice(Kind.OPPORTUNITY, "outside").params.model_dump() == {"share": 0.2}


def test_a_plugin_with_the_name_of_a_built_in_module_never_takes_its_place(tmp_path: Path):
    strategy = load(with_plugin(tmp_path, "profit_taking"))

    assert strategy.choice(Kind.OPPORTUNITY, "profit_taking") == default().choice(
        Kind.OPPORTUNITY, "profit_taking"
    )
    assert "profit_taking is registered already" in strategy.problems[0].message


def test_a_plugin_that_cannot_be_had_leaves_the_strategy_usable_and_is_told(tmp_path: Path):
    path = with_plugin(tmp_path, "outside", "[opportunity_calculators.outside]\nshare = 0.2\n")
    (tmp_path / "p" / "mine.py").write_text("changed")

    strategy = load(path)

    assert strategy.problems
    assert "outside: there is no such module." in "\n".join(validate(strategy).warnings)


LIMITS = {
    "limits.max_orders = 0": (
        "limits.max_orders: 0 orders are no plan; to stop buys or sales set limits.allow_buy or "
        "limits.allow_sell = false, and for no limit leave it out."
    ),
    "limits.max_orders = 1000001": (
        "limits.max_orders is 1000001; it must be a whole number from 1 to 1,000,000."
    ),
    "limits.max_orders = true": (
        "limits.max_orders is true; it must be a whole number from 1 to 1,000,000."
    ),
    "limits.cash_reserve_weight = 1.2": (
        "limits.cash_reserve_weight is 1.2; it must be a number from 0 to 1."
    ),
    "limits.min_trade_base = -1": (
        "limits.min_trade_base is -1; it must be a number from 0 to 1,000,000,000,000."
    ),
    "limits.min_trade_weight = 0.3": (
        "limits.min_trade_weight is 0.3 and limits.max_position_weight is 0.2: the smallest order "
        "would be more than a position may be."
    ),
    "limits.allow_buy = false\nlimits.allow_sell = false": (
        "limits.allow_buy and limits.allow_sell are both false: nothing could ever be traded."
    ),
}


def test_a_limit_that_makes_no_sense_is_refused_with_what_to_do():
    assert {
        text: refusal(text).split("\n")[1].partition(": ")[2] for text in LIMITS
    } == LIMITS  # fmt: skip


def test_a_million_orders_may_be_the_limit_and_all_of_it_the_reserve():
    assert parse("limits.max_orders = 1_000_000", "x").limits.max_orders == 1_000_000
    assert "limits.cash_reserve_weight is 1: all of the value is to stay cash, so nothing is ever" \
        in warnings("limits.cash_reserve_weight = 1")  # fmt: skip
