"""Reads are answered from memory as long as nothing is changed, and to nobody without a token."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import Response

from builders.commands import run
from builders.management import DEEPER, Asking
from steelyard.services.answers import BESIDE, Answers
from steelyard.services.house import House
from steelyard.store import strategies
from steelyard.store.backups import backup, restore
from steelyard.store.opening import path_of


def versions(api: Asking) -> int:
    return len(api.get("/configs/mine/history").json()["history"])


def test_a_change_is_in_the_next_answer_whoever_made_it(
    api: Asking, house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    for name, value in house.variables.items():
        monkeypatch.setenv(name, value)
    counts = []
    api.save("mine")
    counts += [versions(api), versions(api)]
    api.save("mine")
    counts.append(versions(api))
    strategies.rollback(house.store(), "mine", 1)
    counts.append(versions(api))
    (tmp_path / "mine.toml").write_text(DEEPER)
    assert run("strategy", "save", "mine", tmp_path / "mine.toml", "--yes").exit_code == 0
    counts.append(versions(api))

    assert counts == [1, 1, 2, 3, 4]


def test_a_restore_is_in_the_next_answer(api: Asking, house: House, tmp_path: Path):
    place = path_of(house.store())
    assert place is not None
    api.save("mine")
    backup(house.store(), tmp_path / "copy.db")
    api.save("mine")
    both = versions(api)

    restore(place, tmp_path / "copy.db")

    assert (both, versions(api)) == (2, 1)


def test_what_is_remembered_is_answered_without_the_database_and_not_without_a_token(
    api: Asking, house: House, monkeypatch: pytest.MonkeyPatch
):
    api.save("mine")
    first = api.get("/configs/mine/history")
    monkeypatch.setattr(type(house.store()), "reading", None)

    again = api.get("/configs/mine/history")
    without = api.client.get("/configs/mine/history")

    assert (again.content, again.headers["etag"]) == (first.content, first.headers["etag"])
    assert again.headers.items() == first.headers.items()
    assert without.status_code == 401


def test_no_more_is_remembered_than_there_is_room_for():
    answers = Answers(most=10 * BESIDE)
    for number in range(20):
        answers.put(str(number), 1, Response(b"x"))
    answers.put("large", 1, Response(b"x" * 10 * BESIDE))

    remembered = [n for n in range(20) if answers.get(str(n), 1) is not None]
    assert 5 < len(remembered) < 10
    assert remembered[-1] == 19
    assert answers.get("19", 2) is None
    assert answers.get("large", 1) is None
