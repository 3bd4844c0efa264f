"""Sentences: a number becomes words in one place, and can be put back."""

import json
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.sentences import (
    FORMATS,
    MINUS,
    SPACE,
    again,
    cased,
    money,
    percent,
    points,
    quantity,
    renamed,
    say,
    signed,
    worded,
)

CASES = [
    ("pct", 0.1234, f"12.3{SPACE}%"), ("pct", -0.02, f"{MINUS}2.0{SPACE}%"),
    ("pp", 0.0183, f"1.8{SPACE}pp"), ("spct", -0.0183, f"−1.8{SPACE}%"),
    ("spp", 0.0183, f"+1.8{SPACE}pp"), ("spp", -0.0183, f"{MINUS}1.8{SPACE}pp"),
    ("spp", 0.0, f"0.0{SPACE}pp"), ("spp", -0.0001, f"0.0{SPACE}pp"),
    ("money", Decimal("1234567.891"), "1,234,567.89"), ("money", Decimal("-0.001"), "0.00"),
    ("whole", Decimal("1234.5"), "1,234"), ("qty", Decimal("1E+3"), "1,000"),
    ("qty", Decimal("0.000001"), "0.000001"), ("qty", 12.5, "12.5"),
    ("qty", Decimal("-0.5"), f"{MINUS}0.5"), ("days", 1, f"1{SPACE}day"),
    ("days", 1200, f"1,200{SPACE}days"), ("count", 12345, "12,345"), ("points", 0.19068, "19.07"),
    ("points", -0.00001, "0.00"), ("spoints", 0.19068, "+19.07"), ("one", 22.04, "22.0"),
    ("ratio", 0.756, "0.76"), ("bps", 0.00125, f"12.5{SPACE}bps"),
    ("date", date(2022, 12, 8), f"8{SPACE}Dec{SPACE}2022"), ("text", "A&B", "A&B"),
    ("text", Decimal("1E+3"), "1000"),
    ("points_up", 0.00034, "0.04"), ("points_up", 0.0003, "0.03"), ("points_up", 0.0, "0.00"),
    ("points_up", 1e-7, "0.01"), ("money_up", Decimal("1.231"), "1.24"),
    ("years", 1.0, f"1{SPACE}year"), ("years", 0.25, f"0.25{SPACE}years"),
    ("whole_up", Decimal("1211.02"), "1,212"), ("pct_up", 0.00041, f"0.1{SPACE}%"),
]  # fmt: skip


def test_every_format_reads_as_the_reports_do():
    assert [(form, value, FORMATS[form](value)) for form, value, _ in CASES] == CASES


def test_every_format_has_a_case():
    assert {form for form, _, _ in CASES} == set(FORMATS)


def test_a_sentence_is_its_template_with_the_facts_put_in():
    sentence = say("{name:text} is {over:pp} over", name="AAPL", over=0.0183)

    assert sentence.text == f"AAPL is 1.8{SPACE}pp over"
    assert dict(sentence.facts) == {"name": "AAPL", "over": 0.0183}


def test_a_field_without_a_fact_or_with_an_unknown_format_is_an_error_at_once():
    with pytest.raises(KeyError):
        say("{over:pp} over")
    with pytest.raises(KeyError):
        say("{over:percent} over", over=0.1)


def test_facts_cannot_be_changed_later():
    with pytest.raises(TypeError):
        say("{n:count}", n=1).facts["n"] = 2  # type: ignore[index]


def test_braces_in_a_text_fact_are_text():
    assert say("{name:text} stays", name="{0}{evil}").text == "{0}{evil} stays"


def test_a_sentence_of_a_document_is_rendered_again_from_its_facts():
    facts = {"a": Decimal("12.50"), "b": date(2022, 12, 8), "c": 0.1 + 0.2, "d": 3, "e": "{x}"}
    sentence = say("{a:money} on {b:date}: {c:pct}, {d:days}, {e:text}, {b:text}", **facts)

    record = json.loads(json.dumps(worded(sentence)))

    assert record["facts"] == {"a": "12.50", "b": "2022-12-08", "c": 0.3, "d": 3, "e": "{x}"}
    assert cased(again(record["template"], record["facts"])) == record["text"]


def test_a_fact_that_its_template_does_not_ask_for_is_not_in_the_document():
    assert worded(say("{n:count} orders", n=2, idle=1.0))["facts"] == {"n": 2}


def test_what_no_sentence_of_ours_has_is_a_value_error():
    broken = [("{n:count", {"n": 1}), ("{n:count}", {}), ("{n:count}", {"n": "x"}), ("{0}", {})]
    broken += [("{n:odd}", {"n": 1}), ("{n:date}", {"n": "2022-13-01"}), ("{n:pct}", {"n": None})]
    for template, facts in broken:
        with pytest.raises(ValueError):  # noqa: PT011 the text says which
            again(template, facts)


def test_facts_of_one_name_and_two_meanings_are_kept_apart():
    why = renamed(say("{n:count} of {{}} {m:count}", n=1, m=2), {"n"})

    assert (why.text, dict(why.facts)) == ("1 of {} 2", {"own_n": 1, "m": 2})
    assert renamed(why, ()) is why


@given(st.decimals(-(10**9), 10**9, places=8))
def test_a_quantity_keeps_every_digit_and_needs_no_exponent(amount):
    text = quantity(amount)

    assert Decimal(text.replace(",", "").replace(MINUS, "-")) == amount
    assert "e" not in text.lower()


@given(st.floats(-1e6, 1e6))
def test_no_number_reads_minus_zero(value):
    for text in (
        money(value),
        points(value),
        signed(value),
        FORMATS["pct"](value),
        FORMATS["one"](value),
        FORMATS["bps"](value),
    ):
        assert "-" not in text
        assert not (MINUS in text and not any(digit in text for digit in "123456789"))


def test_a_weight_is_rounded_alike_in_a_sentence_and_in_a_table():
    # the sums of weights behind one published figure differ in the last bits
    for tenths in range(5, 10_000, 10):
        weight = tenths / 100_000
        for noise in (-2e-17, 0.0, 2e-17, 1e-16):
            near = weight + noise
            words = say("{before:one} {after:pct}", before=100 * near, after=near).text
            first, second = words.replace("\u00a0%", "").split(" ")
            assert first == second == percent(near), near
