"""Reading a strategy: what a file may say, and every way in which it may not."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.errors import SettingsError
from steelyard.modules.registry import Kind
from steelyard.strategies import (
    PRESETS,
    Strategy,
    default,
    from_mapping,
    load,
    overlay,
    parse,
    validate,
)
from steelyard.strategies.files.spellings import ENABLED_LISTS, GLOBAL, NAMES, PARAM_TABLES
from steelyard.strategies.presets import text_of
from steelyard.strategies.strategy import SECTIONS


def choice(strategy: Strategy, kind: Kind, name: str):
    return next(one for one in strategy.choices[kind] if one.module.name == name)


def refusal(text: str) -> str:
    with pytest.raises(SettingsError) as refused:
        parse(text, "mine")
    return str(refused.value)


def outcome(text: str) -> str:
    """The refusal of a text, or that it was read and nothing was planned."""
    try:
        return f"{parse(text, 'x').name} is read; nothing was planned"
    except SettingsError as refused:
        return str(refused)


def test_a_file_says_what_it_changes_and_the_rest_keeps_its_default():
    strategy = parse(
        """
        name = "careful"
        description = "small steps"
        [limits]
        max_position_weight = 0.1
        [score]
        profile = "conservative"
        [score.neutral]
        yield = 0.01
        [groups.country]
        "United States" = 0.6
        [opportunity_calculators]
        profit_taking = false
        [filters.eligibility]
        min_hold_days = 30
        """,
        "mine",
    )

    assert (strategy.name, strategy.description) == ("careful", "small steps")
    assert strategy.limits.max_position_weight == 0.1
    assert strategy.limits.cash_reserve_weight == default().limits.cash_reserve_weight
    assert strategy.score.profile == "conservative"
    assert strategy.score.neutral.yield_ == 0.01
    assert strategy.groups.country == {"United States": 0.6}
    assert not choice(strategy, Kind.OPPORTUNITY, "profit_taking").enabled
    assert choice(strategy, Kind.OPPORTUNITY, "profit_taking").why == "strategy file"
    assert choice(strategy, Kind.OPPORTUNITY, "weight_based").why == "default"
    eligibility = choice(strategy, Kind.FILTER, "eligibility")
    assert (
        eligibility.enabled, eligibility.why, eligibility.params.model_dump()["min_hold_days"],
    ) == (True, "strategy file", 30)  # fmt: skip


def test_tables_may_stand_in_any_order():
    text = (
        "[score]\nprofile = 'aggressive'\n[limits]\nmin_trade_base = 5\n[score.neutral]\nmu = "
        "0.05\n"
    )

    assert parse(text, "x").score.neutral.mu == 0.05


REFUSED = [
    ("foo = 1", "foo is not a known key. Known are"),
    ("limit = {}", "limit is not a known key. Did you mean limits?"),
    (
        "[limits]\nmax_posision_weight = 0.1",
        "limits.max_posision_weight is not a known key. Did you mean max_position_weight?",
    ),
    (
        "[limits]\nmax_position_weight = 1.5",
        "limits.max_position_weight is 1.5; it must be a number above 0 and at most 1.",
    ),
    (
        "[limits]\nmax_position_weight = 0",
        "limits.max_position_weight is 0; it must be a number above 0 and at most 1.",
    ),
    (
        "[limits]\nmax_turnover_weight = 3",
        "limits.max_turnover_weight is 3; it must be a number above 0 and at most 2.",
    ),
    (
        "[limits]\nmin_trade_base = -1",
        "limits.min_trade_base is -1; it must be a number from 0 to 1,000,000,000,000.",
    ),
    (
        "[limits]\nsettlement_days = 1.5",
        "limits.settlement_days is 1.5; it must be a whole number from 0 to 10.",
    ),
    ("[limits]\nallow_buy = 1", "limits.allow_buy is 1; it must be true or false."),
    ("[limits]\nallow_buy = 'yes'", "limits.allow_buy is 'yes'; it must be true or false."),
    (
        "[limits]\nfunding = 'loan'",
        "limits.funding is 'loan'; it must be one of 'proceeds', 'settled'.",
    ),
    ("[costs]\nfixed = '2.0'", "costs.fixed is '2.0'; it must be a number from 0 to 1,000,000."),
    ("[costs]\nfixed = true", "costs.fixed is true; it must be a number from 0 to 1,000,000."),
    (
        "[costs]\nfixed = 2022-12-28",
        "costs.fixed is 2022-12-28; it must be a number from 0 to 1,000,000.",
    ),
    ("[costs]\npercent = nan", "costs.percent is nan; it must be a finite number."),
    ("[costs]\nfixed = -inf", "costs.fixed is -inf; it must be a finite number."),
    ("[costs]\nfixed = 1e999", "costs.fixed is inf; it must be a finite number."),
    ("[score.anchors]\nfit = [nan, 0]", "score.anchors.fit[0] is nan; it must be a finite number."),
    ("[score.anchors]\nfit = [1, 0]", "score.anchors.fit: an anchor is"),
    (
        "[score.anchors]\nfit = [1]",
        "score.anchors.fit[1] is missing; it must be a number from -1,000 to 1,000.",
    ),
    (
        "[score.anchors]\nfit = ['0', 1]",
        "score.anchors.fit[0] is '0'; it must be a number from -1,000 to 1,000.",
    ),
    (
        "[score.anchors]\nfit = [0, 1, 2]",
        (
            "score.anchors.fit is [0, 1, 2]; it must be a list of 2: a number from -1,000 to "
            "1,000 and a number from -1,000 to 1,000."
        ),
    ),
    ("[score]\nanchors = 3", "score.anchors is 3; it must be a table."),
    (
        "[score.stability_parts]\nvol = 0\ndd = 0",
        "score.stability_parts: at least one share must be above 0.",
    ),
    ("[score.neutral]\nyield = 2", "score.neutral.yield is 2; it must be a number from 0 to 1."),
    (
        "[groups.sector]\nEnergy = 1.2",
        "groups.sector.Energy is 1.2; it must be a number from 0 to 1.",
    ),
    (
        "[groups.sector]\nA = 0.7\nB = 0.6",
        "groups: the sector targets sum to 1.3; they may not exceed 1.",
    ),
    (
        "[groups.industry]\nA = 0.7",
        "groups.industry is not a known key. Known in [groups] are country, sector.",
    ),
    ("limits = 3", "limits is 3; it must be a table, written [limits]."),
    (
        "[[limits]]\nallow_buy = true",
        "line 1: limits is [a table]; it must be a table, written [limits].",
    ),
    ("filters = true", "filters is true; it must be a table of modules, written [filters.NAME]."),
    (
        "[opportunity_calculators]\nprofit_takin = true",
        (
            "opportunity_calculators.profit_takin: there is no such module. Did you mean "
            "profit_taking?"
        ),
    ),
    (
        "[filters]\nzzz = true",
        (
            "filters.zzz: there is no such module. Known are correlation_aware, diversity, "
            "eligibility, recently_traded"
        ),
    ),
    (
        "[filters]\neligibility = 'on'",
        "filters.eligibility is 'on'; it must be true, false, or a table",
    ),
    (
        "[filters.eligibility]\nenabled = 'on'",
        "filters.eligibility.enabled is 'on'; it must be true or false.",
    ),
    (
        "[filters.eligibility]\nmin_hold_day = 1",
        "filters.eligibility.min_hold_day is not a known key. Did you mean min_hold_days?",
    ),
    (
        "[filters.eligibility]\nmin_hold_days = 'long'",
        "filters.eligibility.min_hold_days is 'long'; it must be a",
    ),
    (
        "[search]\nscope = 'all'",
        "search.scope is 'all'; it must be one of 'proposals', 'candidates', 'quantities'.",
    ),
    ("name = 3", "name is 3; it must be text of at most 200 characters."),
    (f"name = '{'n' * 201}'", "it must be text of at most 200 characters."),
    ("description = []", "description is []; it must be text of at most 2,000 characters."),
    ("[limits", "mine is not valid TOML"),
    ("a = 1\na = 2", "mine is not valid TOML"),
]


def test_what_is_not_usable_is_named_with_its_value_and_range():
    def is_told(text: str, expected: str) -> bool:
        message = refusal(text)
        own_words = "pydantic" not in message and "Input should" not in message
        return expected in message and "othing was planned" in message and own_words

    assert [case for case in REFUSED if not is_told(*case)] == []


def test_all_problems_are_told_at_once():
    message = refusal(
        "foo = 1\n[limits]\nallow_buy = 1\n[costs]\nfixed = -1\n[filters]\nnone = true"
    )

    assert message.startswith("The strategy mine has 4 problems; nothing was planned.\n")
    assert all(key in message for key in ("foo", "limits.allow_buy", "costs.fixed", "filters.none"))


def test_brackets_and_points_in_texts_and_comments_are_no_nesting():
    text = f"description = \"{'[' * 50}{'.' * 50}\"\n# {'[{.' * 50}\nname = '{'.' * 50}'\n"

    assert parse(text, "x").name == "." * 50


@given(st.text(max_size=300))
def test_any_text_is_a_strategy_or_a_refusal(text: str):
    assert "othing was planned" in outcome(text)


@given(
    st.sampled_from([*SECTIONS, "filters"]),
    st.sampled_from(["max_depth", "fixed", "profile", "eligibility", "sector", "x"]),
    st.data(),
)
def test_any_value_of_any_key_is_a_strategy_or_a_refusal(
    section: str, key: str, data: st.DataObject
):
    value = data.draw(
        st.sampled_from(
            [
                "true", "-1", "0.5", "'x'", "[]", "{}", "[1, 2]", "{a = 1}", "07:32:00",
                "1979-05-27", "10000000000000000000000",
            ]
        )
    )  # fmt: skip
    assert "othing was planned" in outcome(f"[{section}]\n{key} = {value}\n")


@given(
    st.sampled_from(PRESETS),
    st.integers(0, 3000),
    st.integers(0, 30),
    st.text(max_size=12) | st.sampled_from(["[", '"', "= ", "\n["]),
)
def test_a_preset_with_a_slip_of_the_pen_is_a_strategy_or_a_refusal(
    name: str, at: int, cut: int, typed: str
):
    text = text_of(name)
    at %= len(text)

    assert "othing was planned" in outcome(text[:at] + typed + text[at + cut :])


KNOWN = [
    *SECTIONS, *(str(kind) for kind in Kind), *GLOBAL, *ENABLED_LISTS, *PARAM_TABLES, *NAMES,
    "core", "evaluation", "x",
]  # fmt: skip
INNER = [
    *GLOBAL, "enabled", "params", "profit_taking", "adaptive", "eligibility", "combinatorial",
    "anchors", "sector", "files", "x",
]  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates()
TABLES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(INNER), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(KNOWN), TABLES, max_size=4))
def test_any_mapping_is_a_strategy_or_a_refusal_and_validating_it_says_which(
    document: dict[str, object],
):
    if validate(document).is_valid:
        strategy = from_mapping(document, "x")
        assert overlay(strategy, {}, "nobody").sha256 == strategy.sha256
    else:
        with pytest.raises(SettingsError, match="nothing was planned"):
            from_mapping(document, "x")


def test_a_file_is_named_after_itself(tmp_path: Path):
    (tmp_path / "careful.toml").write_bytes(b"\xef\xbb\xbf[limits]\nallow_buy = false\n")

    strategy = load(tmp_path / "careful.toml")

    assert strategy.name == "careful"
    assert not strategy.limits.allow_buy


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path):
    os.mkfifo(tmp_path / "fifo.toml")
    (tmp_path / "latin.toml").write_bytes(b"name = 'caf\xe9'")
    (tmp_path / "large.toml").write_bytes(b"#" * 65_537)
    cases = {
        "missing.toml": "could not be read: No such file or directory",
        ".": "is not a regular file", "fifo.toml": "is not a regular file",
        "latin.toml": "is not UTF-8 text", "large.toml": "at most 65,536 are read",
        "nul\0.toml": "could not be read",
    }  # fmt: skip
    for name, expected in cases.items():
        with pytest.raises(SettingsError, match=expected):
            load(tmp_path / name)
