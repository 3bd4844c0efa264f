"""Tokens that were created: hashed, expiring, revoked, and none lost between two writers."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from builders.asked import NOON
from steelyard.errors import InputError, NotStored, SettingsError
from steelyard.services.security import book
from steelyard.services.security.book import create, digest, entries, revoke


def _create(home: str) -> str:
    return create(Path(home), "viewer", 90, NOON)[0]


def test_the_file_has_the_hash_of_a_token_and_its_last_four_signs_and_never_the_token(
    tmp_path: Path,
):
    secret, entry = create(tmp_path, "planner", 90, NOON)

    text = (tmp_path / "tokens.json").read_text()
    assert secret not in text
    assert secret[:-4] not in text
    assert entries(tmp_path) == (entry,)
    assert entry.sha256 == digest(secret)
    assert (entry.role, entry.last4) == ("planner", secret[-4:])
    assert entry.expires_at - entry.created_at == timedelta(days=90)
    assert len(secret) == len("sy_") + 43  # 256 bits, six a sign


def test_a_token_ends_at_its_moment_and_is_dropped_ninety_days_later(tmp_path: Path):
    _, entry = create(tmp_path, "viewer", 1, NOON)
    end = NOON + timedelta(days=1)

    assert entry.state(end - timedelta(seconds=1)) == "valid"
    assert entry.state(end) == "expired"

    later, _ = create(tmp_path, "viewer", 1, end + timedelta(days=90))
    assert [each.last4 for each in entries(tmp_path)] == [later[-4:]]


def test_a_revoked_token_stays_in_the_file_as_revoked_and_the_others_are_as_they_were(
    tmp_path: Path,
):
    _, first = create(tmp_path, "viewer", 90, NOON)
    _, second = create(tmp_path, "admin", 90, NOON)

    revoked = revoke(tmp_path, first.id, NOON + timedelta(hours=1))
    again = revoke(tmp_path, first.id, NOON + timedelta(hours=2))

    assert revoked.state(NOON) == "revoked"
    assert again == revoked
    assert entries(tmp_path) == (revoked, second)


def test_an_id_that_is_not_there_is_told_with_the_nearest(tmp_path: Path):
    _, entry = create(tmp_path, "viewer", 90, NOON)

    with pytest.raises(NotStored, match=f"Did you mean {entry.id}") as caught:
        revoke(tmp_path, entry.id[:-1], NOON)

    assert caught.value.fault.code == "no_such_token"
    assert entries(tmp_path) == (entry,)


def test_those_that_create_at_once_lose_no_token(tmp_path: Path):
    with ThreadPoolExecutor(8) as pool:
        secrets = list(pool.map(_create, [str(tmp_path)] * 20))

    assert {digest(secret) for secret in secrets} == {each.sha256 for each in entries(tmp_path)}


def test_a_damaged_file_lets_nobody_in_and_is_left_as_it_is(tmp_path: Path):
    create(tmp_path, "viewer", 90, NOON)
    file = tmp_path / "tokens.json"
    for text in ("{", "[]", json.dumps({"version": 2}), json.dumps({"tokens": [{"id": "x"}]})):
        file.write_text(text)

        for ask in (entries, lambda home: create(home, "viewer", 90, NOON)):
            with pytest.raises(SettingsError) as caught:
                ask(tmp_path)
            assert caught.value.fault.code == "tokens_unreadable"
        assert file.read_text() == text


def test_there_are_so_many_tokens_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(book, "MOST_TOKENS", 2)
    create(tmp_path, "viewer", 90, NOON)
    create(tmp_path, "viewer", 90, NOON)

    with pytest.raises(InputError) as caught:
        create(tmp_path, "viewer", 90, NOON)

    assert caught.value.fault.code == "too_many_tokens"
    assert len(entries(tmp_path)) == 2
