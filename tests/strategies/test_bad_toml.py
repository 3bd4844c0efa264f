"""Bad TOML: refused with its place, fast, and never with a traceback."""

import time
from pathlib import Path

import pytest

from steelyard.errors import SettingsError
from steelyard.strategies import load, parse

CI_SECONDS = 1.0
"""A tenth of it is the rule, measured on a quiet machine; a shared one is slower."""

KIB_64 = 64 * 1024

BAD = {
    "over 64 KiB": ("#" * (KIB_64 + 1), "has 65,537 bytes; at most 65,536 are read"),
    "lists": ("a = " + "[" * 30_000, "line 1, column 37: nested more than 32 deep"),
    "inline tables": ("a = " + "{b = " * 10_000, "line 1, column 165: nested more than 32 deep"),
    "lists over lines": ("a = [\n" + "[\n" * 40, "line 33, column 1: nested more than 32 deep"),
    "nesting after a text": ('x = """ [[ """\ny = ' + "[" * 5_000, "line 2, column 37: nested more than 32 deep"),
    "long header": ("[" + "a." * 30_000 + "a]", "line 1, column 33: a key of more than 16 parts"),
    "long dotted key": ("a." * 30_000 + "a = 1", "a key of more than 16 parts"),
    "17 parts": ("\n" + ".".join("abcdefghijklmnopq") + " = 1", "line 2, column 32: a key of more than 16 parts"),
    "quoted dotted key": ('"a" . ' * 9_000 + "a = 1", "a key of more than 16 parts"),
    "long key in a table": ("a = {" + ".".join("a" * 17) + " = 1}", "a key of more than 16 parts"),
    "texts that nothing closes": ('"""\\' * 16_000, "line 1, column 3: Expected '='"),
    "quotes": ('"' * 65_000, "line 1, column 3: Expected '='"),
    "escaped quotes": ('"\\' * 30_000, "is not valid TOML"),
    "headers": ("".join(f"[a{i}]\n" for i in range(900)), "at least 20 problems"),
    "keys": ("".join(f"a{i}=1\n" for i in range(900)), "line 20: a19 is not a known key"),
    "near keys": ("".join(f"max_deptx{i}=1\n" for i in range(900)), "line 2: max_deptx1 is not a known key. Did you mean max_depth?"),
    "near keys of a table": (
        "[limits]\n" + "".join(f"allow_bux{i}=1\n" for i in range(900)),
        "line 2: limits.allow_bux0 is not a known key.",
    ),
    "a key of 60,000 letters": ("[limits]\n" + "x" * 60_000 + " = 1", 'x…" is not a known key.'),
    "arrays of tables": ("[[limits]]\nx = 1\n" * 400, "limits is [a table, a table"),
    "many numbers": ("[search]\nmax_depth = [" + "1," * 30_000 + "]", "line 2: search.max_depth is [1, 1, 1,"),
    "many modules": ("enabled_filters = [" + '"x",' * 16_000 + "]", "enabled_filters.x: there is no such module"),
    "not a number": ("[costs]\nfixed = nan", "line 2: costs.fixed is nan; it must be a finite number."),
    "many nan": ("a = [" + "nan," * 16_000 + "]", "line 1: a[0] is nan"),
    "infinity": ("[limits]\n\nmin_trade_base = inf", "line 3: limits.min_trade_base is inf"),
    "infinity by its size": ("[costs]\nfixed = 1e5000", "line 2: costs.fixed is inf"),
    "true for a number": ("[search]\nmax_depth = true", "line 2: search.max_depth is true; it must be a whole number from 1 to 10."),
    "a number for true": ("[limits]\nallow_buy = 1", "line 2: limits.allow_buy is 1; it must be true or false."),
    "negative depth": ("[search]\nmax_depth = -1", "line 2: search.max_depth is -1; it must be a whole number from 1 to 10."),
    "text for a number": ("[costs]\nfixed = '2'", "line 2: costs.fixed is '2'; it must be a number from 0 to 1,000,000."),
    "unknown table": ("\n[limit]\nx = 1", "line 2: limit is not a known key. Did you mean limits?"),
    "table twice": ("[limits]\n[limits]", "line 2, column 8: Cannot declare"),
    "key twice": ("[limits]\nallow_buy = true\nallow_sell = true\nallow_buy = true", "line 4: Cannot overwrite a value"),
    "NUL": ('name = "a\0b"', "line 1, column 10: Illegal character '\\x00'"),
    "NUL in a key": ("a\0 = 1", "line 1, column 2: Expected '='"),
    "a line that CR alone ends": ("a = 1\rb = 2", "line 1, column 6: Expected newline"),
    "5,000 digits": ("\n[search]\nmax_depth = 1" + "0" * 5_000, "line 3, column 13, has a number with too many digits"),
    "5,000 hexadecimal digits": ("[search]\nmax_depth = 0x" + "f" * 5_000, "line 2: search.max_depth is a number of 20,000 bits"),
    "65,000 binary digits": ("[costs]\nfixed = 0b" + "1" * 65_000, "line 2: costs.fixed is a number of 65,000 bits"),
    "preset with a path": ("preset = '../../etc/passwd'", "line 1: '../../etc/passwd' is no preset: a name has no path in it."),
    "unknown preset": ("preset = 'agressive'", "There is no preset 'agressive'. Did you mean aggressive?"),
    "plugin with a path": ("[plugins]\nfolder = 'p'\nfiles = {'../x.py' = 'sha256:" + "0" * 64 + "'}", "'../x.py'"),
    "a rule that is broken inside a table": (
        "\n[groups.sector]\n" + "".join(f"s{i} = 0.9\n" for i in range(900)),
        "line 2: groups: the sector targets",
    ),
}


@pytest.mark.parametrize(("text", "expected"), BAD.values(), ids=BAD)
def test_bad_toml_is_refused_at_once_with_its_place(text: str, expected: str):
    start = time.process_time()

    with pytest.raises(SettingsError) as refused:
        parse(text, "mine")

    assert time.process_time() - start < CI_SECONDS
    assert expected in str(refused.value)
    assert "othing was planned" in str(refused.value)
    assert len(str(refused.value)) < 20_000


def test_a_file_of_more_than_64_kib_is_refused_unread(tmp_path: Path):
    path = tmp_path / "large.toml"
    path.write_bytes(b"\xff" * (KIB_64 + 1))  # were it read, it would be refused for not being text

    with pytest.raises(SettingsError, match="has 65,537 bytes; at most 65,536 are read"):
        load(path)


def test_a_byte_order_mark_and_windows_line_ends_are_fine():
    assert not parse("\ufeff[limits]\r\nallow_buy = false\r\n\r\n[search]\r\nmax_depth = 3\r\n", "x").limits.allow_buy


def test_sixteen_parts_and_nesting_of_thirty_two_reach_the_parser():
    deep = "a = " + "[" * 32 + "]" * 32

    for text in (".".join("abcdefghijklmnop") + " = 1", deep):
        with pytest.raises(SettingsError, match="line 1: a is not a known key"):
            parse(text, "x")


def test_problems_come_in_the_order_of_their_lines():
    with pytest.raises(SettingsError) as refused:
        parse("[filters.none]\n[costs]\nfixed = -1\n[limits]\nallow_buy = 1\nfoo = 2\n", "x")

    assert [line.partition(":")[0] for line in str(refused.value).splitlines()[1:]] == ["line 1", "line 3", "line 5", "line 6"]


def test_lines_are_found_after_texts_over_several_lines_and_lists():
    text = (
        '# [limits]\ndescription = """\n[limits]\nallow_buy = 1\n"""\n[groups]\nsector = {}\n'
        '[score.anchors]\nfit = [\n  1,\n  0,\n]\n[limits]\n"allow_buy" = 3\n'
    )

    with pytest.raises(SettingsError) as refused:
        parse(text, "x")

    assert [line.partition(":")[0] for line in str(refused.value).splitlines()[1:]] == ["line 9", "line 14"]
