"""The machine's own token: made once, for its owner alone, or of a variable."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from steelyard.errors import SettingsError
from steelyard.services.house import House
from steelyard.services.security.tokens import own_token, token_file


def house_at(home: Path, **variables: str) -> House:
    return House({"STEELYARD_HOME": str(home), **variables})


def _own(home: str) -> str:
    return own_token(house_at(Path(home)))


def test_it_is_made_at_its_first_use_and_is_the_same_ever_after(tmp_path: Path):
    first = own_token(house_at(tmp_path / "home"))

    assert own_token(house_at(tmp_path / "home")) == first
    assert own_token(house_at(tmp_path / "other")) != first
    assert stat.S_IMODE((tmp_path / "home" / "token").stat().st_mode) == 0o600


def test_those_that_start_at_once_have_the_same(tmp_path: Path):
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(_own, [str(tmp_path)] * 16))) == 1


def test_the_variable_goes_before_the_file(tmp_path: Path):
    house = house_at(tmp_path, STEELYARD_TOKEN="v" * 32)

    assert own_token(house) == "v" * 32
    assert not token_file(house).exists()


def test_a_short_one_is_refused_and_not_repeated(tmp_path: Path):
    for house in (house_at(tmp_path, STEELYARD_TOKEN="hunter2"), house_at(tmp_path)):
        token_file(house).write_text("hunter2")
        token_file(house).chmod(0o600)
        with pytest.raises(SettingsError) as caught:
            own_token(house)
        assert caught.value.fault.code == "own_token_too_short"
        assert "hunter2" not in str(caught.value)


def test_a_file_that_others_can_read_is_refused_and_stays(tmp_path: Path):
    house = house_at(tmp_path)
    secret = own_token(house)
    token_file(house).chmod(0o644)

    with pytest.raises(SettingsError, match="others can read it") as caught:
        own_token(house)

    assert caught.value.fault.place == str(token_file(house))
    assert token_file(house).read_text().strip() == secret
