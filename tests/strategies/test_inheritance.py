"""A strategy file may inherit from a file; what is laid over a strategy has its own name."""

from __future__ import annotations

from pathlib import Path

import pytest

from steelyard import strategies
from steelyard.errors import SettingsError
from steelyard.modules.registry import Kind
from steelyard.strategies import default, load, overlay

HOUSE = """
preset = "conservative"
description = "of the house"
[costs]
fixed = 7.5
[limits]
max_position_weight = 0.11
[opportunity_calculators]
averaging_down = false
"""


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_what_a_file_does_not_say_is_as_the_file_says_that_it_inherits_from(tmp_path):
    write(tmp_path, "house.toml", HOUSE)
    client = write(tmp_path, "clients/smith.toml", 'preset = "../house.toml"\n[costs]\nfixed = 1\n')
    house, own = load(tmp_path / "house.toml"), load(client)

    assert (own.costs.fixed, own.limits.max_position_weight) == (1, 0.11)
    assert own.search == strategies.preset("conservative").search
    assert (house.name, own.name) == ("house", "smith")
    assert (house.description, own.description) == ("of the house", "")
    assert not own.choice(Kind.OPPORTUNITY, "averaging_down").enabled


def test_the_hash_is_over_all_of_the_files(tmp_path):
    house = write(tmp_path, "house.toml", HOUSE)
    client = write(tmp_path, "smith.toml", 'preset = "house.toml"\n')
    before = load(client).sha256

    assert before == load(house).sha256
    house.write_text(HOUSE.replace("7.5", "8.5"), encoding="utf-8")
    assert load(client).sha256 != before
    assert load(client).costs.fixed == 8.5


def test_files_that_inherit_in_a_circle_are_refused_by_their_names(tmp_path):
    write(tmp_path, "a.toml", 'preset = "b.toml"\n')
    write(tmp_path, "b.toml", 'preset = "c.toml"\n')
    write(tmp_path, "c.toml", 'preset = "./b.toml"\n')
    alone = write(tmp_path, "own.toml", 'preset = "own.toml"\n')

    with pytest.raises(SettingsError, match=r"b\.toml from c\.toml from b\.toml: a file cannot"):
        load(tmp_path / "a.toml")
    with pytest.raises(SettingsError, match=r"own\.toml from own\.toml"):
        load(alone)
    problems, strategy = strategies.check(alone)
    assert strategy is None
    assert problems[0].startswith("line 1: own.toml from own.toml")


def test_what_is_wrong_with_the_other_file_is_told_with_its_name(tmp_path):
    write(tmp_path, "house.toml", "[costs]\nfixd = 1\n")
    wrong = write(tmp_path, "smith.toml", 'preset = "house.toml"\n')
    absent = write(tmp_path, "jones.toml", '\npreset = "hose.toml"\n')

    with pytest.raises(SettingsError, match=r"house\.toml has 1 problem.*Did you mean.*fixed"):
        load(wrong)
    with pytest.raises(SettingsError, match=r"line 2: .*hose\.toml could not be read"):
        load(absent)


def test_a_document_that_is_no_file_cannot_inherit_from_one(tmp_path):
    write(tmp_path, "house.toml", HOUSE)

    with pytest.raises(SettingsError, match="what inherits from it is no file"):
        strategies.from_mapping({"preset": "house.toml"}, "request")
    absolute = write(tmp_path, "own.toml", f'preset = "{(tmp_path / "house.toml").as_posix()}"\n')
    with pytest.raises(SettingsError, match="it is no relative path"):
        load(absolute)


def test_an_overlaid_strategy_bears_no_name_of_the_house():
    changes = {"costs": {"fixed": 1}}

    assert overlay(default(), changes, "my test").name == "default + my test"
    assert overlay(default(), changes, "my test", "free").name == "free"
    assert overlay(default(), {**changes, "name": "cheap"}, "my test").name == "cheap"
    assert overlay(default(), {}, "nobody").name == "default"
