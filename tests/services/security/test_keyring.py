"""Whose a token is, to a service that runs while tokens are created, revoked and end."""

from __future__ import annotations

from pathlib import Path

import pytest

from builders.asked import Clock
from steelyard.errors import SettingsError
from steelyard.services.house import House
from steelyard.services.security.book import create, revoke
from steelyard.services.security.callers import ROLES, Caller
from steelyard.services.security.keyring import Keyring
from steelyard.services.security.tokens import own_token, token_file

DAY = 86_400.0


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def house(tmp_path: Path, clock: Clock) -> House:
    return House({"STEELYARD_HOME": str(tmp_path)}, utc=clock.utc)


def test_a_token_is_its_role_until_it_ends(house: House, clock: Clock):
    keys = Keyring(house)
    created = [create(house.home, role, days, clock.utc()) for days, role in enumerate(ROLES, 1)]

    for day in range(5):
        clock.passed = day * DAY
        callers = [keys.verdict(secret) for secret, _ in created]
        assert [each.caller for each in callers] == [
            Caller(entry.id, entry.role) if number >= day else None
            for number, (_, entry) in enumerate(created)
        ]
        assert {each.why for each in callers[:day]} <= {"expired"}


def test_a_revoked_token_opens_nothing_at_the_very_next_request(house: House, clock: Clock):
    keys = Keyring(house)
    secret, entry = create(house.home, "viewer", 90, clock.utc())
    other, _ = create(house.home, "viewer", 90, clock.utc())

    assert keys.verdict(secret).caller is not None

    revoke(house.home, entry.id, clock.utc())
    assert (keys.verdict(secret).caller, keys.verdict(secret).why) == (None, "revoked")
    assert keys.verdict(other).caller is not None


def test_the_machines_own_token_is_an_admin_s_and_ends_with_its_file(house: House):
    keys = Keyring(house)
    assert keys.verdict("").caller is None  # where there is no file, nothing is right

    secret = own_token(house)
    assert keys.verdict(secret).caller == Caller("own", "admin")

    token_file(house).unlink()
    assert keys.verdict(secret).caller is None
    assert keys.verdict(own_token(house)).caller is not None


def test_the_token_of_another_machine_or_one_that_is_nearly_right_is_nobody_s(
    house: House, tmp_path: Path
):
    keys, secret = Keyring(house), own_token(house)
    other = own_token(House({"STEELYARD_HOME": str(tmp_path / "other")}))

    flipped = secret[:-1] + chr(ord(secret[-1]) ^ 1)
    wrong = (other, flipped, secret[:-1], secret + "x", secret.upper(), "", "é" * 43, "\udc80")

    assert {keys.verdict(each).why for each in wrong if keys.verdict(each).caller is None} == {
        "unknown"
    }
    assert [each for each in wrong if keys.verdict(each).caller is not None] == []


def test_a_file_that_becomes_readable_by_others_lets_nobody_in(house: House, clock: Clock):
    keys = Keyring(house)
    secret, _ = create(house.home, "viewer", 90, clock.utc())
    assert keys.verdict(secret).caller is not None

    (house.home / "tokens.json").chmod(0o644)

    with pytest.raises(SettingsError, match="others can read it"):
        keys.verdict(secret)
