"""Bad TOML: refused with its place, fast, and never with a traceback."""

import re
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.worlds import SOME
from steelyard.errors import SettingsError
from steelyard.strategies import PRESETS, from_mapping, load, parse, validate
from steelyard.strategies.presets import text_of

CI_SECONDS = 1.0
"""A tenth of it is the rule, measured on a quiet machine; a shared one is slower."""

KIB_64 = 64 * 1024

BAD = {
    "over 64 KiB": ("#" * (KIB_64 + 1), "has 65,537 bytes; at most 65,536 are read"),
    "lists": ("a = " + "[" * 30_000, "line 1, column 37: nested more than 32 deep"),
    "inline tables": ("a = " + "{b = " * 10_000, "line 1, column 165: nested more than 32 deep"),
    "lists over lines": ("a = [\n" + "[\n" * 40, "line 33, column 1: nested more than 32 deep"),
    "nesting after a text": (
        'x = """ [[ """\ny = ' + "[" * 5_000,
        "line 2, column 37: nested more than 32 deep",
    ),
    "long header": ("[" + "a." * 30_000 + "a]", "line 1, column 33: a key of more than 16 parts"),
    "long dotted key": ("a." * 30_000 + "a = 1", "a key of more than 16 parts"),
    "17 parts": (
        "\n" + ".".join("abcdefghijklmnopq") + " = 1",
        "line 2, column 32: a key of more than 16 parts",
    ),
    "quoted dotted key": ('"a" . ' * 9_000 + "a = 1", "a key of more than 16 parts"),
    "long key in a table": ("a = {" + ".".join("a" * 17) + " = 1}", "a key of more than 16 parts"),
    "texts that nothing closes": ('"""\\' * 16_000, "line 1, column 3: Expected '='"),
    "quotes": ('"' * 65_000, "line 1, column 3: Expected '='"),
    "escaped quotes": ('"\\' * 30_000, "is not valid TOML"),
    "headers": ("".join(f"[a{i}]\n" for i in range(900)), "at least 20 problems"),
    "keys": ("".join(f"a{i}=1\n" for i in range(900)), "line 20: a19 is not a known key"),
    "near keys": (
        "".join(f"max_deptx{i}=1\n" for i in range(900)),
        "line 2: max_deptx1 is not a known key. Did you mean max_depth?",
    ),
    "near keys of a table": (
        "[limits]\n" + "".join(f"allow_bux{i}=1\n" for i in range(900)),
        "line 2: limits.allow_bux0 is not a known key.",
    ),
    "a key of 60,000 letters": ("[limits]\n" + "x" * 60_000 + " = 1", 'x…" is not a known key.'),
    "arrays of tables": ("[[limits]]\nx = 1\n" * 400, "limits is [a table, a table"),
    "many numbers": (
        "[search]\nmax_depth = [" + "1," * 30_000 + "]",
        "line 2: search.max_depth is [1, 1, 1,",
    ),
    "many modules": (
        "enabled_filters = [" + '"x",' * 16_000 + "]",
        "enabled_filters.x: there is no such module",
    ),
    "not a number": (
        "[costs]\nfixed = nan",
        "line 2: costs.fixed is nan; it must be a finite number.",
    ),
    "many nan": ("a = [" + "nan," * 16_000 + "]", "line 1: a[0] is nan"),
    "infinity": ("[limits]\n\nmin_trade_base = inf", "line 3: limits.min_trade_base is inf"),
    "infinity by its size": ("[costs]\nfixed = 1e5000", "line 2: costs.fixed is inf"),
    "true for a number": (
        "[search]\nmax_depth = true",
        "line 2: search.max_depth is true; it must be a whole number from 1 to 10.",
    ),
    "a number for true": (
        "[limits]\nallow_buy = 1",
        "line 2: limits.allow_buy is 1; it must be true or false.",
    ),
    "negative depth": (
        "[search]\nmax_depth = -1",
        "line 2: search.max_depth is -1; it must be a whole number from 1 to 10.",
    ),
    "text for a number": (
        "[costs]\nfixed = '2'",
        "line 2: costs.fixed is '2'; it must be a number from 0 to 1,000,000.",
    ),
    "unknown table": ("\n[limit]\nx = 1", "line 2: limit is not a known key. Did you mean limits?"),
    "table twice": ("[limits]\n[limits]", "line 2, column 8: Cannot declare"),
    "key twice": (
        "[limits]\nallow_buy = true\nallow_sell = true\nallow_buy = true",
        "line 4: Cannot overwrite a value",
    ),
    "NUL": ('name = "a\0b"', "line 1, column 10: Illegal character '\\x00'"),
    "NUL in a key": ("a\0 = 1", "line 1, column 2: Expected '='"),
    "a line that CR alone ends": ("a = 1\rb = 2", "line 1, column 6: Expected newline"),
    "5,000 digits": (
        "\n[search]\nmax_depth = 1" + "0" * 5_000,
        "line 3, column 13, has a number with too many digits",
    ),
    "5,000 hexadecimal digits": (
        "[search]\nmax_depth = 0x" + "f" * 5_000,
        "line 2: search.max_depth is a number of 20,000 bits",
    ),
    "65,000 binary digits": (
        "[costs]\nfixed = 0b" + "1" * 65_000,
        "line 2: costs.fixed is a number of 65,000 bits",
    ),
    "preset with a path": (
        "preset = '../../etc/passwd'",
        "line 1: '../../etc/passwd' is no preset: a name has no path in it.",
    ),
    "unknown preset": (
        "preset = 'agressive'",
        "There is no preset 'agressive'. Did you mean aggressive?",
    ),
    "plugin with a path": (
        "[plugins]\nfolder = 'p'\nfiles = {'../x.py' = 'sha256:" + "0" * 64 + "'}",
        "'../x.py'",
    ),
    "a rule that is broken inside a table": (
        "\n[groups.sector]\n" + "".join(f"s{i} = 0.9\n" for i in range(900)),
        "line 2: groups: the sector targets",
    ),
}


def refusal(text: str) -> str:
    """What is said of a text, which must be refused, and at once."""
    start = time.process_time()
    with pytest.raises(SettingsError) as refused:
        parse(text, "mine")
    assert time.process_time() - start < CI_SECONDS, text[:80]
    return str(refused.value)


def test_bad_toml_is_refused_at_once_with_its_place():
    answers = {name: refusal(text) for name, (text, _) in BAD.items()}

    assert [name for name, (_, place) in BAD.items() if place not in answers[name]] == []
    assert [name for name, said in answers.items() if "othing was planned" not in said] == []
    assert [name for name, said in answers.items() if len(said) >= 20_000] == []


def test_a_file_of_more_than_64_kib_is_refused_unread(tmp_path: Path):
    path = tmp_path / "large.toml"
    path.write_bytes(b"\xff" * (KIB_64 + 1))  # were it read, it would be refused for not being text

    with pytest.raises(SettingsError, match="has 65,537 bytes; at most 65,536 are read"):
        load(path)


def test_a_byte_order_mark_and_windows_line_ends_are_fine():
    assert not parse(
        "\ufeff[limits]\r\nallow_buy = false\r\n\r\n[search]\r\nmax_depth = 3\r\n", "x"
    ).limits.allow_buy


def test_sixteen_parts_and_nesting_of_thirty_two_reach_the_parser():
    deep = "a = " + "[" * 32 + "]" * 32

    for text in (".".join("abcdefghijklmnop") + " = 1", deep):
        with pytest.raises(SettingsError, match="line 1: a is not a known key"):
            parse(text, "x")


def test_problems_come_in_the_order_of_their_lines():
    with pytest.raises(SettingsError) as refused:
        parse("[filters.none]\n[costs]\nfixed = -1\n[limits]\nallow_buy = 1\nfoo = 2\n", "x")

    assert [line.partition(":")[0] for line in str(refused.value).splitlines()[1:]] == [
        "line 1", "line 3", "line 5", "line 6",
    ]  # fmt: skip


def test_lines_are_found_after_texts_over_several_lines_and_lists():
    text = (
        '# [limits]\ndescription = """\n[limits]\nallow_buy = 1\n"""\n[groups]\nsector = {}\n'
        '[score.anchors]\nfit = [\n  1,\n  0,\n]\n[limits]\n"allow_buy" = 3\n'
    )

    with pytest.raises(SettingsError) as refused:
        parse(text, "x")

    assert [line.partition(":")[0] for line in str(refused.value).splitlines()[1:]] == [
        "line 9",
        "line 14",
    ]


KIB_60 = 60 * 1024
HOSTILE = {
    "a key that a terminal would obey": (
        '"\\u001b[31mred" = 1',
        'line 1: "\\u001b[31mred" is not a known key.',
    ),
    "a module that a terminal would obey": (
        '\n[filters."\\u009b2J"]',
        'line 2: filters."\\u009b2J": there is no such module.',
    ),
    "a key that turns text around": (
        '[limits]\n"\\u202ex" = 1',
        'line 2: limits."\\u202ex" is not a known key.',
    ),
    "a key that forges a line": (
        '"a\\nline 9: b" = 1',
        'line 1: "a\\nline 9: b" is not a known key.',
    ),
    "a value that a terminal would obey": (
        '[limits]\nfunding = "\\u001b[2J"',
        r"limits.funding is '\x1b[2J'; it must be one of",
    ),
    "a key with dots": (
        '"limits.allow_buy" = true',
        'line 1: "limits.allow_buy" is not a known key.',
    ),
    "an empty key": ('"" = 1', 'line 1: "" is not a known key.'),
    "an empty module": ("[filters.'']", 'line 1: filters."": there is no such module.'),
    "quotes inside quotes": ("\"'a'\" = 1", "line 1: \"'a'\" is not a known key."),
    "a key that looks like another": (
        '"m\\u0430x_depth" = 3',
        r"It is spelled 'm\u0430x_depth'. Did you mean max_depth?",
    ),
    "a key of Python": (
        "__proto__ = 1\n[limits]\n__class__ = 1\nmodel_config = 1",
        "limits.__class__ is not a known key.",
    ),
    "a long module": (f"[filters.{'x' * KIB_60}]", "there is no such module"),
    "a long module in a list": (f"enabled_filters = ['{'x' * KIB_60}']", "there is no such module"),
    "a long module of line ends": (
        f'[filters."{chr(92)}n{(chr(92) + "n") * 30_000}"]',
        "there is no such module",
    ),
    "a long group": (f"[groups.sector]\n{'x' * KIB_60} = 2", "it must be a number from 0 to 1."),
    "a long score term": (f"[score.further]\n{'x' * KIB_60} = 0.1", "there is no such score term"),
    "a long nan": (f"{'x' * KIB_60} = nan", "is nan"),
    "a long plugin": (
        f"[plugins]\nfolder = 'p'\nfiles = {{'{'x' * KIB_60}' = 'a'}}",
        "line 1: The plugins cannot be loaded",
    ),
    "a long parameter": (f"[filters.eligibility.params]\n{'x' * KIB_60} = 2", "is not a known key"),
    "a long key twice": (f'["{"x" * 30_000}"]\n["{"x" * 30_000}"]', "line 2, column"),
    "a long description": (
        f"description = '{'x' * KIB_60}'",
        "it must be text of at most 2,000 characters.",
    ),
    "many score terms": (
        "[score.further]\n" + "".join(f"x{i} = 0.0001\n" for i in range(900)),
        "at least 20 problems",
    ),
    "many headers": (
        "".join(f"[a{i}]\n" for i in range(1_001)),
        "line 1001, column 1: more than 1,000 keys.",
    ),
    "many keys": (
        "[filters]\n" + "".join(f"m{i}=1\n" for i in range(1_500)),
        "line 1001, column 5: more than 1,000 keys.",
    ),
    "many keys in a list": ("a = [" + "{b=1}," * 1_001 + "]", "more than 1,000 keys."),
    "many dotted keys": (
        "".join(f"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o{i}=1\n" for i in range(999)),
        "line 1: a is not a known key.",
    ),
    "many empty tables": ("a = [" + "{}," * 20_000 + "]", "line 1: a is not a known key."),
    "many dates": (
        "a = [" + "2020-01-01T00:00:00.000000+00:00," * 1_800 + "]",
        "line 1: a is not a known key.",
    ),
    "a table that dotted keys made": (
        "search.max_depth = 3\n[search]\nbeam_width = 3",
        "line 2, column 8: Cannot declare search twice.",
    ),
    "dotted keys into a table": (
        "[filters.eligibility]\nmin_hold_days = 3\n[filters]\neligibility.on_missing = 'deny'\n",
        "Cannot redefine namespace filters.eligibility",
    ),
    "dotted keys into a table at the end": (
        "[filters.eligibility]\nmin_hold_days = 3\n[filters]\neligibility.min_hold_days = 3",
        "line 4: Cannot redefine namespace filters.eligibility.",
    ),
    "an inline table made longer": (
        "limits = {}\nlimits.allow_sell = 1",
        "line 2: Cannot mutate immutable namespace limits.",
    ),
    "a list of tables after a table": (
        "[limits]\n[[limits]]",
        "line 2, column 9: Cannot overwrite a value.",
    ),
    "a table after a list of tables": (
        "[[limits]]\n[limits]",
        "line 2, column 8: Cannot declare limits twice.",
    ),
    "a text that nothing closes": ("max_depth = 3\nname = '''\nx\n\n", "line 2: Expected"),
    "a list that nothing closes": ("max_depth = 3\na = [\n1,\n", "line 2: "),
    "a header that nothing closes": ("max_depth = 3\n[limits", "line 2: Expected ']'"),
    "a key without a value": ("max_depth = 3\nbeam_width\n", "line 2, column 11: Expected '='"),
    "a key without a value at the end": ("max_depth = 3\nbeam_width", "line 2: Expected '='"),
    "a second byte order mark": (
        "\ufeff\ufeffmax_depth = 3",
        "line 1, column 1: Invalid statement",
    ),
    "a carriage return in a comment": (
        "# x\rmax_depth = 3",
        "line 1, column 4: Found invalid character",
    ),
    "a date for true": (
        "[limits]\nallow_buy = 2020-01-01",
        "limits.allow_buy is 2020-01-01; it must be true or false.",
    ),
    "a time for a name": (
        "name = 07:32:00",
        "name is 07:32:00; it must be text of at most 200 characters.",
    ),
    "a hexadecimal number out of range": (
        "max_depth = 0x20",
        "max_depth is 32; it must be a whole number from 1 to 10.",
    ),
    "a list for a number that nothing reads": (
        "batch_size = [1]",
        "batch_size is [1]; it must be a whole number.",
    ),
    "true for a number that nothing reads": (
        "batch_size = true",
        "batch_size is true; it must be a whole number.",
    ),
    "a number for a switch that nothing reads": (
        "enable_batch_generation = 1",
        "enable_batch_generation is 1; it must be true or false.",
    ),
    "a switch among parameters": (
        "[filters.diversity.params]\nenabled = true",
        (
            "line 2: filters.diversity.params.enabled is no parameter: write it in "
            "[filters.diversity]."
        ),
    ),
    "a switch in a table that switches nothing": (
        "[filter_params.diversity]\nenabled = true",
        "diversity.enabled is no parameter",
    ),
    "a multiple of none": (
        "trade_cost_multiplier = 0",
        "trade_cost_multiplier is 0; it must be a number from 1 to 1,000,000.",
    ),
    "a penalty beyond all": (
        "cost_penalty_factor = 1e308",
        "cost_penalty_factor is 1e+308; it must be a number from 0 to 20.",
    ),
    "a penalty of 300 digits": (
        f"cost_penalty_factor = {'9' * 300}",
        "it must be a number from 0 to 20.",
    ),
}


def test_hostile_toml_is_refused_at_once_in_few_words_that_no_terminal_obeys():
    def is_refused(text: str, expected: str) -> bool:
        said = refusal(text)
        lines = said.split("\n")
        return (
            expected in said
            and len(said) < 10_000
            and all(line.isprintable() for line in lines)
            and all(line.startswith("line ") for line in lines[1:])
        )

    assert [name for name, case in HOSTILE.items() if not is_refused(*case)] == []


TOO_MUCH = [
    *(f"score.{key} = {n}" for key in ("holding_years", "tax_years") for n in (0, 1e-308, 1e308)),
    *(f"score.{key} = 1e308" for key in ("cost_aversion", "order_hurdle", "min_improvement")),
    *(f"score.{key} = 1e308" for key in ("min_score_per_return", "fund_names")),
    *(f"score.anchors.fit = {anchor}" for anchor in ([0.0, 5e-324], [-1e308, 1e308])),
    "score.diversification_parts = {conc = 1e308, ind = 1e308}",
    "costs.fixed = 1e308",
    "limits.min_trade_base = 1e308",
]


def test_a_finite_number_that_arithmetic_would_make_infinite_is_refused():
    told_of = re.compile(r"line 1: [a-z_.]+(\[0\])? is|line 1: [a-z_.]+: an anchor")

    assert [line for line in TOO_MUCH if not told_of.search(refusal(line))] == []


FRAGMENTS = [
    *"[]{}\"'=.,\n\r\0#_\\\x1b\ufeffé",
    "[[",
    '"""',
    "'''",
    "\r\n",
    "nan",
    "-inf",
    "1e400",
    "0x",
    "true",
    "2020-01-01",
    "a.b",
    "[limits]\n",
    "max_depth = 3\n",
    "9" * 4_400,
]


@SOME
@given(
    st.sampled_from(PRESETS),
    st.lists(
        st.tuples(st.integers(0, 6_000), st.integers(0, 60), st.sampled_from(FRAGMENTS)), max_size=6
    ),
)
def test_of_a_damaged_preset_nothing_comes_but_a_strategy_or_a_located_refusal(
    name: str, cuts: list[tuple[int, int, str]]
):
    text = text_of(name)
    for start, length, fragment in cuts:
        text = text[:start] + fragment + text[start + length :]

    said = ""
    try:
        parse(text, "mine")
    except SettingsError as refused:
        said = str(refused)

    assert not said or "line " in said or "there is no proposal" in said


TABLE: dict[str, object] = {}
TABLE["limits"] = TABLE
LIST: list[object] = []
LIST.append(LIST)
WEIRD = [
    None, {1, 2}, np.array([1.0, 2.0]), np.array([]), np.float64("nan"), np.bool_(1), [[[]]], TABLE,
    LIST, b"x", object(), 1j, Decimal("NaN"), float("inf"), range(3), Path("x"), "\ud800",
    10**5_000, {None: 1}, {(1, 2): {10**5_000: 3}}, iter([1]), int,
]  # fmt: skip


def everywhere(weird: object) -> list[Any]:
    """Documents that have a value in every kind of place, the first as the whole of it."""
    return [
        weird, {"x": weird}, {"max_depth": weird}, {"limits": weird},
        {"limits": {"allow_buy": weird}}, {"filters": {"eligibility": weird}},
        {"filters": {"eligibility": {"enabled": weird}}}, {"enabled_filters": [weird]},
        {"plugins": {"files": weird}}, {"preset": weird},
        {"planner": {"max_depth": weird}, "max_depth": 3}, {"groups": {"sector": {"x": weird}}},
        {"score": {"anchors": {"fit": weird}}}, {"enable_multi_objective": weird},
        {"pattern_generators": {"rebalance": {"max_depth": weird}}}, {"max_loss_threshold": weird},
    ]  # fmt: skip


def test_what_no_file_can_say_is_told_and_never_raised():
    def is_told(weird: object) -> bool:
        problems = [validate(place) for place in everywhere(weird)]
        return (
            all(len(text) < 2_000 for one in problems for text in one)
            and (not problems[0].is_valid or isinstance(weird, dict))
            and not any(one.is_valid for one in problems[3:5])
        )

    assert [type(weird).__name__ for weird in WEIRD if not is_told(weird)] == []


def test_numbers_of_other_libraries_are_numbers():
    strategy = from_mapping({"max_depth": np.int64(3), "costs": {"fixed": np.float64(1.5)}}, "x")

    assert (
        type(strategy.search.max_depth), strategy.search.max_depth, type(strategy.costs.fixed),
    ) == (int, 3, float)  # fmt: skip
