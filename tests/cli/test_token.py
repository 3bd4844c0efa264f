"""`steelyard token`: created once, listed without itself, revoked by its id."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from builders.commands import run
from steelyard.cli import pages_address
from steelyard.environment import command
from steelyard.services.house import House, open_house
from steelyard.services.security.book import digest
from steelyard.services.security.keyring import Keyring
from steelyard.store.sign_ins import use


def listed() -> list[dict[str, Any]]:
    documents: list[dict[str, Any]] = json.loads(run("token", "list", "--json").stdout)
    return documents


def role_of(secret: str) -> str | None:
    caller = Keyring(House(dict(os.environ))).verdict(secret).caller
    return None if caller is None else caller.role


@pytest.mark.parametrize("role", ["viewer", "planner", "operator", "admin"])
def test_the_last_line_is_the_token_alone_and_opens_what_its_role_may(role: str):
    result = run("token", "create", "--role", role)

    secret = result.stdout.splitlines()[-1]
    assert secret == secret.strip()
    assert role_of(secret) == role
    assert "keep it secret" in result.stderr
    assert secret not in result.stderr


def test_it_lives_ninety_days_or_as_many_as_are_said():
    for options, days in (((), 90), (("--days", "7"), 7)):
        run("token", "create", "--role", "viewer", *options)

        end = datetime.fromisoformat(listed()[-1]["expires_at"])
        assert abs(end - datetime.now(UTC) - timedelta(days=days)) < timedelta(minutes=1)


def test_a_list_has_no_token_and_an_empty_one_says_how_to_begin():
    assert "steelyard token create" in run("token", "list").stderr
    assert listed() == []

    secret = run("token", "create", "--role", "planner").stdout.strip()

    for output in (run("token", "list").stdout, run("token", "list", "--json").stdout):
        assert secret not in output
        assert secret[-4:] in output
    assert [each["state"] for each in listed()] == ["valid"]


def test_a_revoked_token_is_nobody_s_and_stays_in_the_list():
    secret = run("token", "create", "--role", "planner").stdout.strip()
    [entry] = listed()

    assert f"Token {entry['id']}, planner" in run("token", "revoke", entry["id"]).stdout
    assert role_of(secret) is None
    assert [each["state"] for each in listed()] == ["revoked"]
    assert json.loads(run("token", "revoke", entry["id"], "--json").stdout)["state"] == "revoked"


def test_what_is_no_id_or_no_role_is_refused_and_nothing_changes():
    run("token", "create", "--role", "viewer")
    before = listed()

    assert run("token", "revoke", "nope").exit_code == 1
    assert run("token", "create", "--role", "root").exit_code == 2
    assert run("token", "create", "--role", "viewer", "--days", "0").exit_code == 2
    assert run("token", "create").exit_code == 2
    assert listed() == before


def test_a_damaged_file_is_one_message_and_is_not_written_over():
    file = Path(os.environ["STEELYARD_HOME"]) / "tokens.json"
    file.parent.mkdir(parents=True)
    file.write_text("{")
    file.chmod(0o600)

    for arguments in (("list",), ("create", "--role", "viewer"), ("revoke", "00000000")):
        result = run("token", *arguments)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "no file of tokens" in " ".join(result.stderr.split())
    assert file.read_text() == "{"


def test_a_link_signs_in_once_with_its_role():
    document = json.loads(
        run("token", "link", "--role", "viewer", "--port", "8123", "--json").stdout
    )
    assert document["link"].startswith("http://127.0.0.1:8123/sign-in/sy_")
    assert (document["role"], document["minutes"]) == ("viewer", 15)

    link = run("token", "link", "--port", "8123")
    assert "once, as admin, within 15 minutes" in link.stderr
    secret = link.stdout.strip().rpartition("/")[2]
    with open_house(dict(os.environ)) as house, house.store().writing() as transaction:
        opened = [use(transaction, digest(secret), digest(name)) for name in ("one", "two")]
    assert [entry and entry.role for entry in opened] == ["admin", None]


def test_a_link_of_another_database_than_the_pages_is_refused(tmp_path, monkeypatch):
    server = {"STEELYARD_HOME": str(tmp_path), "STEELYARD_DATABASE": "postgresql://me:pw@db/own"}
    pages_address.keep(server, "http://127.0.0.1:8123")
    monkeypatch.setenv("STEELYARD_HOME", str(tmp_path))
    monkeypatch.delenv("STEELYARD_DATABASE", raising=False)

    result = run("token", "link")

    assert result.exit_code == 1
    assert "were shown of another database. No link was made." in " ".join(result.stderr.split())
    assert [path.name for path in tmp_path.iterdir()] == [pages_address.FILE]
    assert command(server, "runner").endswith(
        "STEELYARD_DATABASE=postgresql://me:PASSWORD@db/own steelyard runner"
    )
