"""The user's own names: aliases that every file is read by, and columns of a file of their own."""

from pathlib import Path

import pytest

from builders.files import written
from steelyard.errors import InputError
from steelyard.importers.mapping import read_mapping


def test_aliases_and_columns_are_read(tmp_path: Path):
    text = '[alias]\n"brk/b" = "BRK.B"\n[columns]\nsymbol = "Ticker"\n'

    mapping = read_mapping(written(tmp_path, text, "import.toml"))

    assert (dict(mapping.alias), dict(mapping.columns)) == (
        {"BRK/B": "BRK.B"}, {"symbol": "Ticker"},
    )  # fmt: skip


def test_what_is_not_understood_is_refused_with_what_to_do(tmp_path: Path):
    wrong = []
    for text, code in (
        ("[alias]\nA = 1\n", "bad_value"),
        ("[aliases]\nA = 'B'\n", "unknown_key"),
        ("[alias]\nA = 'B'\nB = 'C'\n", "alias_chain"),
        ("[alias]\n'' = 'B'\n", "bad_alias"),
        ("alias = 3\n", "unknown_key"),
        ("[alias\n", "not_toml"),
        ("\xff", "not_utf_8"),
    ):
        with pytest.raises(InputError) as refusal:
            read_mapping(written(tmp_path, text.encode("latin-1"), "import.toml"))
        if refusal.value.faults[0].code != code:
            wrong.append((text, refusal.value.faults[0]))
    assert not wrong
    with pytest.raises(InputError, match="does not exist"):
        read_mapping(tmp_path / "nothing.toml")
