"""A plan that was made before, by its id or from a file."""

from __future__ import annotations

import json
import os
import sqlite3
import zlib
from pathlib import Path

from builders.commands import run


def home() -> Path:
    return Path(os.environ["STEELYARD_HOME"])


def test_a_plan_without_a_database_is_unknown_and_none_is_made(files):
    for arguments in (
        ("plans", "diff", "abcdef12", "b.json"),
        ("plans", "show", "abcdef12"),
        ("why", "AAA", "--plan", "abcdef12"),
        ("verify", "abcdef12"),
        ("report", "abcdef12"),
    ):
        result = run(*arguments)

        assert result.exit_code == 1
        assert "No plan abcdef12 is stored: there is no database" in result.stderr, arguments
    assert run("plans", "list").exit_code == 0
    assert json.loads(run("plans", "list", "--json").stdout) == []
    assert not home().exists() or not (home() / "steelyard.db").exists()


def test_ids_that_are_unknown_too_short_or_of_several_are_refused(stored):
    unknown = run("plans", "show", "0000000000")
    short = run("plans", "show", stored[0][:5])

    assert (unknown.exit_code, "No plan 0000000000 is stored" in unknown.stderr) == (1, True)
    assert (short.exit_code, "is too short for a plan" in short.stderr) == (1, True)


def test_a_file_that_is_named_like_an_id_is_a_file(files, folder, stored):
    (folder / "abcdef12").write_text((folder / "b.json").read_text())

    assert json.loads(run("plans", "show", "abcdef12", "--json").stdout)["plan_id"] == stored[1]


def test_a_plan_that_was_changed_in_the_database_is_damaged_and_not_shown(stored):
    with sqlite3.connect(home() / "steelyard.db") as database:
        (document,) = database.execute(
            "SELECT document FROM plan WHERE plan_id = ?", stored[:1]
        ).fetchone()
        text = zlib.decompress(document).decode().replace('"turnover": ', '"turnover": 1', 1)
        database.execute(
            "UPDATE plan SET document = ? WHERE plan_id = ?",
            (zlib.compress(text.encode()), stored[0]),
        )
    database.close()

    result = run("plans", "show", stored[0][:8])

    assert result.exit_code == 70
    assert "damaged in the database: its content does not give its id" in result.stderr


def test_an_error_of_json_in_place_of_a_plan_says_why_none_was_made(files, tmp_path):
    path = tmp_path / "plan.json"
    path.write_text(run("plan", "--bucket", "nowhere", "--json").stdout)

    result = run("execute", str(path), "--yes")

    assert result.exit_code == 1
    assert "it says why none was made: There is no bucket nowhere." in result.stderr
