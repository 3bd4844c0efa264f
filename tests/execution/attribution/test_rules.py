"""Which book a symbol is of: lists, precedence, default, case."""

from __future__ import annotations

from pathlib import Path

import pytest

from builders.paths import ROOT
from steelyard.errors import SettingsError
from steelyard.execution.attribution import UNASSIGNED, Rules, owner_in, read_rules

NUCLEAR = ("SMR", "LEU", "OKLO", "NLR", "BWXT", "PSQ", "SQQQ", "UUP", "UVXY", "BTAL")
TECL = ("TECL", "TQQQ", "UPRO", "BIL", "QQQ")
"""As the documents' classifier has them; whatever is in neither is NUCLEAR there."""


def rules(folder: Path, text: str) -> Rules:
    path = folder / "attribution.toml"
    path.write_text(text, "utf-8")
    return read_rules(path)


def test_the_example_classifies_each_symbol_as_the_documents_do():
    example = read_rules(ROOT / "examples" / "attribution.toml")

    assert {symbol: example.book_of(symbol) for symbol in (*NUCLEAR, *TECL, "AAPL")} == {
        **dict.fromkeys(NUCLEAR, "NUCLEAR"),
        **dict.fromkeys(TECL, "TECL"),
        "AAPL": "NUCLEAR",
    }


def test_A01_of_several_books_that_claim_a_symbol_the_first_has_it(tmp_path):
    listed = rules(tmp_path, '[symbols]\nA = ["S2", "S1"]\n[books]\nS1 = ["A", "B"]')

    assert (listed.book_of("A"), listed.book_of("B")) == ("S2", "S1")
    assert listed.book_of("B", {"B": ["S3", "S1"]}) == "S3"
    assert listed.book_of("B", {"B": []}) == "S1"


def test_A04_a_symbol_that_nobody_names_is_unassigned(tmp_path):
    assert rules(tmp_path, '[books]\nS1 = ["A"]').book_of("Z") == UNASSIGNED
    assert read_rules(tmp_path / "none.toml").book_of("A") == UNASSIGNED


def test_A05_a_symbol_in_two_lists_is_refused_unless_precedence_says_whose_it_is(tmp_path):
    lists = '[books]\nindex = ["QQQ", "SPY"]\nTECL = ["QQQ"]\n'

    with pytest.raises(SettingsError, match="QQQ in the lists of index and TECL") as caught:
        rules(tmp_path, lists)
    assert caught.value.fault.code == "attribution_in_two_lists"
    assert rules(tmp_path, f'precedence = ["TECL"]\n{lists}').book_of("QQQ") == "TECL"


def test_case_and_a_symbol_named_twice_in_one_list_do_not_matter(tmp_path):
    listed = rules(tmp_path, '[books]\nS1 = ["qqq", "QQQ"]\n[symbols]\nspy = ["S2"]')

    assert (listed.book_of("Qqq"), listed.book_of("SPY")) == ("S1", "S2")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("books = 3", "not_a_table"),
        ("[book]\nS1 = []", "unknown_key"),
        ('[books]\nS1 = "A"', "not_a_list"),
        ("[books]\nS1 = [3]", "not_a_name"),
        ('default = ""', "not_a_name"),
        ('precedence = ["S2"]\n[books]\nS1 = ["A"]', "unknown_book"),
        ("default = ", "not_toml"),
        ("x" * 1_000_001, "too_large"),
    ],
)
def test_a_file_that_is_not_understood_is_refused_and_says_where(tmp_path, text, code):
    with pytest.raises(
        SettingsError, match=r"attribution\.toml .*Nothing was attributed"
    ) as caught:
        rules(tmp_path, text)
    assert caught.value.fault.code == f"attribution_{code}"


def test_without_a_file_the_orders_of_a_plan_are_its_buckets(tmp_path):
    assert owner_in(tmp_path, "core") == "core"

    listed = rules(tmp_path, '[books]\nS1 = ["A"]')

    assert owner_in(tmp_path, "core") == listed


def test_a_file_that_cannot_be_read_is_no_file_without_rules(tmp_path):
    folder = tmp_path / "attribution.toml"
    folder.mkdir()

    with pytest.raises(SettingsError, match="cannot be read"):
        read_rules(folder)
