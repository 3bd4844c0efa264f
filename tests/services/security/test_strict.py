"""JSON that two readers may read differently is refused; all other is read as it stands."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.services.security.strict import NotStrict, depth, strict

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXTS
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)  # fmt: skip
MANY = b"[" + b"1," * 40_000 + b"%b]"
"""More than is looked at number by number."""


def refused(data: bytes) -> str:
    with pytest.raises(NotStrict) as caught:
        strict(data)
    return caught.value.refusal.code


def levels(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return isinstance(value, (dict, list)) + max(map(levels, inner), default=0)


@given(VALUES, st.booleans())
def test_what_json_writes_is_read_as_it_was(value, ascii_only):
    text = json.dumps(value, ensure_ascii=ascii_only)

    assert strict(text.encode()) == json.loads(text)


@given(VALUES, st.integers(0, 40))
def test_depth_is_what_is_open_at_once_whatever_stands_in_texts(value, more):
    nested = value
    for _ in range(more):
        nested = [nested, '[[{"\\']
    data = json.dumps(nested, ensure_ascii=False).encode()

    counted, actual = depth(data), levels(nested)

    assert counted == actual if counted > 32 else counted >= actual
    assert (counted > 32) == (actual > 32)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"[" * 33 + b"]" * 33, "too_deep"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "too_deep"),
        (b'{"a": 1, "a": 1}', "name_twice"),
        (b'[{"b": {"a": 1, "\\u0061": 2}}]', "name_twice"),
        (b"[NaN]", "not_finite"),
        (b"-Infinity", "not_finite"),
        (b"1e999", "not_finite"),
        (b"1" + b"0" * 400 + b".5", "not_finite"),
        (MANY % b"1e999", "not_finite"),
        (MANY % (b"1" * 310 + b".0"), "not_finite"),
        (b"9223372036854775808", "integer_too_large"),
        (b"9" * 5000, "integer_too_large"),
        (MANY % (b"9" * 5000), "integer_too_large"),
        (b'"\xff"', "not_utf8"),
        ('"ä"'.encode("utf-16"), "not_utf8"),
        (b'\xef\xbb\xbf"a"', "not_json"),
        (b'"\\ud800"', "half_a_character"),
        (b'{"\\udc00\\ud800": 1}', "half_a_character"),
        (b'["a\\u0000"]', "nul_in_text"),
        (b"{'a': 1}", "not_json"),
        (b'{"a": 1,}', "not_json"),
        (b'{"a": 1} {}', "not_json"),
        (b"01", "not_json"),
        (b" ", "not_json"),
    ],
)
def test_what_is_refused_has_its_code(data, code):
    assert refused(data) == code


def test_the_place_of_a_slip_is_told():
    with pytest.raises(NotStrict) as caught:
        strict(b'{"a": 1,\n "b": nope}')

    assert caught.value.refusal.place == "body, line 2, column 7"


def test_depth_of_thirty_two_a_pair_of_surrogates_and_the_largest_number_are_read():
    assert levels(strict(b"[" * 32 + b"]" * 32)) == 32
    assert strict(b'"\\ud83d\\ude00 \\\\u0000"') == "😀 \\u0000"
    assert strict(b"-9223372036854775808") == -(2**63)


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 1_000_000,
        b'{"a":' * 170_000,
        b'["' * 400_000,
        b'"' + b'\\"' * 500_000,
        b'\\"' * 500_000,
        b"9" * 1_000_000,
        b'{"' + b"a" * 1_000_000,
        b"[" + b"{}," * 300_000,
    ],
    ids=["arrays", "objects", "texts", "escapes", "quotes", "digits", "name", "siblings"],
)
def test_a_malformed_megabyte_is_refused_in_less_than_ten_reads_of_a_sound_one(data):
    sound = json.dumps([{"a": number, "b": [str(number)]} for number in range(30_000)]).encode()

    usual = min(seconds(sound) for _ in range(3))
    assert min(seconds(data) for _ in range(3)) < max(0.1, 10 * usual)
    assert refused(data)


def seconds(data: bytes) -> float:
    begin = time.perf_counter()
    with suppress(NotStrict):
        strict(data)
    return time.perf_counter() - begin
