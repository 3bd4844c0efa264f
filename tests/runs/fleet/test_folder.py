"""A folder of accounts, and what is wrong with one of them is its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from builders.fleets import account, accounts
from steelyard.errors import InputError
from steelyard.runs.fleet.account_file import settings_of
from steelyard.runs.fleet.folder import look_through, task_of

HOLDINGS = "symbol,quantity\nAAA,1\n"


def test_an_account_has_the_name_of_its_file_or_of_its_folder_and_others_are_none(tmp_path: Path):
    account(accounts(tmp_path, 1), "smith", HOLDINGS, 'name = "Ada  Smith"\ncash.USD = "5"\n')
    (tmp_path / "notes").mkdir()
    (tmp_path / ".hidden").mkdir()

    folder = look_through(tmp_path, {})

    assert [(entry.folder, entry.name) for entry in folder.accounts] == [
        ("a000", "a000"), ("smith", "Ada Smith"),
    ]  # fmt: skip
    assert folder.others == ("notes",)
    assert folder.common == {"prices": tmp_path / "prices.csv"}
    assert folder.accounts[1].settings.cash == ("USD=5",)


def test_accounts_of_one_name_are_an_error_of_each_and_the_rest_is_planned(tmp_path: Path):
    names = {"v": "Zo\u00eb", "w": "Zoe\u0308", "x": "Smith", "y": "smith"}
    for name, called in names.items():
        account(tmp_path, name, HOLDINGS, f'name = "{called}"')
    account(tmp_path, "z", HOLDINGS)

    faults = [entry.fault for entry in look_through(tmp_path, {}).accounts]

    assert [fault and fault[0] for fault in faults] == ["fleet_same_name"] * 4 + [None]
    assert "2 accounts are called Smith: x, y." in faults[2][1]


def test_a_folder_whose_name_is_no_text_fails_alone(tmp_path: Path):
    account(tmp_path, "b", HOLDINGS)
    for name in (b"a\xff", b"notes\xff"):
        try:
            (tmp_path / os.fsdecode(name)).mkdir()
        except OSError:
            pytest.skip("this file system has names that are text alone")
    (tmp_path / os.fsdecode(b"a\xff") / "holdings.csv").write_text(HOLDINGS)

    folder = look_through(tmp_path, {})

    assert [(entry.folder, entry.fault and entry.fault[0]) for entry in folder.accounts] == [
        ("a\\xff", "fleet_folder_name"), ("b", None),
    ]  # fmt: skip
    assert folder.others == ("notes\\xff",)


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ("nmae = 'x'", "has 'nmae'; it may have name, cash, strategy (Did you mean name?)"),
        ('name = "a\\u0000b"', "gives name a text with control characters"),
        ("name = 3", "gives name no text of at most 200 characters but 3"),
        ("cash = 5", "gives cash no table but 5"),
        ("cash.USD = true", "gives cash.USD no amount but True"),
        ("name =", "account.toml is not TOML"),
        ("\xff", "account.toml is not TOML"),
    ],
)
def test_a_broken_account_file_says_what_it_may_have(toml: str, says: str):
    with pytest.raises(InputError, match="Nothing was planned") as refused:
        settings_of(toml.encode("latin-1"))

    assert says in str(refused.value)


def test_cash_is_exact_however_it_is_written():
    assert settings_of(b"[cash]\nUSD = 0.10\nEUR = 7\nCHF = '1.5'").cash == (
        "CHF=1.5", "EUR=7", "USD=0.10",
    )  # fmt: skip


def test_a_folder_that_is_none_or_has_no_account_is_refused(tmp_path: Path):
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()

    for name, code in (("file", "fleet_folder"), ("none", "fleet_folder"),
                       ("empty", "fleet_without_accounts")):  # fmt: skip
        with pytest.raises(InputError) as refused:
            look_through(tmp_path / name, {})
        assert refused.value.fault.code == code


def test_an_account_that_changes_meanwhile_is_not_planned_as_what_it_was(tmp_path: Path):
    (entry,) = look_through(accounts(tmp_path, 1), {}).accounts
    (tmp_path / "a000" / "holdings.csv").write_text("symbol,quantity\nAAA,2\n")

    assert task_of(tmp_path, entry, lambda _: "").fault[0] == "fleet_account_changed"


def test_an_account_owns_something_or_says_what_cash_it_has(tmp_path: Path):
    account(tmp_path, "nothing", toml="name = 'N'")
    account(tmp_path, "cash", toml="[cash]\nUSD = 5")

    cash, nothing = look_through(tmp_path, {}).accounts

    assert (cash.fault, nothing.fault[0]) == (None, "fleet_owns_nothing")
