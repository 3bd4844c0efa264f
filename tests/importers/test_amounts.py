"""Numbers as brokers write them, and what is no number of theirs."""

from __future__ import annotations

from decimal import Decimal

import pytest

from steelyard.importers.amounts import Notation, amount, either, notation_of
from steelyard.importers.values import BadCell

READ = {
    "$1,234.50": "1234.50", "-$1": "-1", "$-1": "-1", "(1,234.50)": "-1234.50", "($5)": "-5",
    "+$10.50": "10.50", "1 234.5": "1234.5", "1\u202f234\u202f567": "1234567", "1'234.5": "1234.5",
    "5-": "-5", "\u22125": "-5", "12.3 %": "12.3", "€ 5": "5", "5 €": "5", ".5": "0.5",
}  # fmt: skip
REFUSED = [
    "1$5", "00$240.10", "12 34", "1 2345", "1234 567", "1,23", "1,2345", "1.2.3", "1e5", "nan",
    "1.5.", "--5", "\u0661", "$", "()", "5 5 5", "1-2", "9" * 50,
]  # fmt: skip


def test_signs_of_money_blanks_and_brackets_stand_around_a_number():
    wrong = {
        cell: str(amount(cell, "x")) for cell in READ if amount(cell, "x") != Decimal(READ[cell])
    }

    assert wrong == {}


def test_what_is_no_number_is_refused_and_never_mended():
    read = []
    for cell in REFUSED:
        try:
            read.append((cell, amount(cell, "x")))
        except BadCell:
            continue

    assert read == []


def test_a_decimal_comma_turns_the_separators_round():
    cells = {"1.234,50": "1234.50", "1 234,5": "1234.5", "12,5": "12.5", "-1.000": "-1000"}

    assert {c: amount(c, "x", Notation.COMMA) for c in cells} == {
        c: Decimal(text) for c, text in cells.items()
    }


def test_one_file_has_one_notation():
    assert notation_of(["1 234", "12"]) is None
    assert notation_of(["1 234,5"]) is Notation.COMMA
    assert either("1,234") == "'1,234' is 1234 or 1.234"
    with pytest.raises(BadCell, match=r"decimal point and .* decimal comma"):
        notation_of(["1.5", "1,5"])
