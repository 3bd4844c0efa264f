"""Cells to values: what a cell may hold, and what is said of any other."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.importers import values
from steelyard.importers.values import BadCell

NUMBERS = {
    "1": 1, "-1.5": -1.5, "+2": 2, ".5": 0.5, "5.": 5, "1e3": 1000, "2.5E-2": 0.025, "007": 7,
}  # fmt: skip
OTHERS = (
    *("", " ", "nan", "-NaN", "inf", "Infinity", "sNaN", "1_000", "\u0661", "\uff11", "²", "1,5"),
    *("1'000", "$5", "5%", "0x1", "1e13", "1e-13", "1e+999", "e5", ".", "1..2", "--1", "1 2"),
    *("9" * 41, "1e1.5"),
)


def test_a_plain_decimal_is_a_number():
    numbers = {text: values.number(text, "x") for text in NUMBERS}

    assert numbers == {text: Decimal(str(number)) for text, number in NUMBERS.items()}


def test_whatever_else_is_none_and_says_why():
    for text in OTHERS:
        with pytest.raises(BadCell, match=r"^x "):
            values.number(text, "x")


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=6
    )
)
def test_a_number_is_read_exactly(value: Decimal):
    assert values.number(f"{value:f}", "x") == value


@given(st.text(max_size=60))
def test_any_text_is_a_value_or_a_reason_that_can_be_printed(text: str):
    for parse in (
        lambda: values.number(text, "x"),
        lambda: values.day(text, "x"),
        lambda: values.symbol(text),
        lambda: values.currency(text),
        lambda: values.flag(text, "x"),
        lambda: values.fraction(text, "x"),
    ):
        reason = ""
        try:
            parse()
        except BadCell as error:
            reason = str(error)
        assert reason.isprintable()


def test_dates_are_iso_days_of_the_calendar():
    assert values.day("2024-02-29", "x") == date(2024, 2, 29)
    for text in (
        "20240229",
        "2024-W09-4",
        "2024-2-9",
        "2023-02-29",
        "29.02.2024",
        "2024-02-29T00:00",
        "\uff12024-02-29",
        "0000-01-01",
        "",
    ):
        with pytest.raises(BadCell):
            values.day(text, "x")


def test_symbols_are_upper_case_and_plain():
    assert [
        values.symbol(text)
        for text in ("aapl", "BRK.B", "GSPC", "7203.T", "EURUSD=X", "BF-B", "A/B", "A" * 32)
    ]
    for text in ("^GSPC", "-A", " A", "A" * 33, "ß", "\u017f", "A;B", "", "A\n"):
        with pytest.raises(BadCell):
            values.symbol(text)


def test_names_are_split_once_each():
    assert values.names(" Energy ; Materials;;Energy") == ("Energy", "Materials")
    assert values.names("") == ()


def test_foreign_text_is_readable_and_hides_nothing():
    cases = {
        "Stück": "'Stück'",
        "日本": "'日本'",
        "cafe\u0301": "'cafe\u0301'",
        "a\u202eb": "'a\\u202eb'",
        "a\u200bb": "'a\\u200bb'",
        "\u0301x": "'\\u0301x'",
        " \u0301": "' \\u0301'",
        "a\u2028b": "'a\\u2028b'",
        "\x1b[31m": "'\\x1b[31m'",
        "\ud800\ue000": "'\\ud800\\ue000'",
        "a\ufe0f\u3164": "'a\\ufe0f\\u3164'",
        "it's": '"it\'s"',
        "a\\b": "'a\\\\b'",
        "e" + "\u0301" * 5: "'e" + "\u0301" * 3 + "\\u0301" * 2 + "'",
    }
    wrong = {text: values.shown(text) for text, expected in cases.items()
             if values.shown(text) != expected}  # fmt: skip

    assert wrong == {}
