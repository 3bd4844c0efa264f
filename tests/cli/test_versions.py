"""`steelyard strategy save|edit|history|diff|plan-diff|rollback|assign|export|import|clone`."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from builders.commands import of_sample, own_files, run
from steelyard import strategies
from steelyard.environment import database
from steelyard.strategies.files.exchange import apart

MINE = 'preset = "conservative"\n\n[search]\nmax_depth = 3\n'


def saved(folder: Path, name: str = "mine", text: str = MINE) -> None:
    (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    assert run("strategy", "save", name, f"{name}.toml", "--yes").exit_code == 0


def listed(*arguments: object) -> list[dict]:
    result = run("strategy", *arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_every_save_is_a_version_and_the_newest_one_is_active(folder: Path):
    saved(folder)
    saved(folder, text=MINE.replace("3", "4"))

    rows = listed("history", "mine")

    assert [(row["version"], row["active"], row["parent"]) for row in rows] == [
        (2, True, 1),
        (1, False, None),
    ]
    assert rows[0]["title"] == "Mine"
    text = MINE.replace("3", "4")
    assert rows[0]["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert rows[0]["rules_sha256"] == strategies.parse(text, "mine").sha256
    assert "Mine (v2), active" in run("strategy", "history", "mine").stdout
    assert "mine: Mine (v2)" in run("strategy", "list").stdout


def test_an_invalid_strategy_is_refused_with_its_line_and_nothing_is_stored(folder: Path):
    saved(folder)
    (folder / "bad.toml").write_text("[search]\nmax_deph = 3\n")
    commands = (
        ("save", "mine", "bad.toml", "--yes"),
        ("import", "bad.toml"),
        ("presets", "add", "bad.toml"),
    )

    for command in commands:
        refused = run("strategy", *command)
        assert refused.exit_code == 1, command
        assert "line 2" in refused.stderr, command
        assert "max_depth" in refused.stderr, command
    assert len(listed("history", "mine")) == 1


def test_a_version_that_leans_on_a_file_is_refused_and_can_be_written_out(folder: Path):
    (folder / "house.toml").write_text(MINE)
    (folder / "child.toml").write_text('preset = "house.toml"\n')

    refused = run("strategy", "save", "child", "child.toml", "--yes")

    assert refused.exit_code == 1
    assert "strategy show child.toml > whole.toml" in refused.stderr
    (folder / "whole.toml").write_text(run("strategy", "show", "child.toml").stdout)
    assert run("strategy", "save", "child", "whole.toml", "--yes").exit_code == 0


def test_without_a_terminal_nothing_is_saved_unless_one_says_yes(folder: Path):
    saved(folder)

    refused = run("strategy", "save", "mine", "mine.toml")

    assert refused.exit_code == 1
    assert "--yes" in refused.stderr
    assert len(listed("history", "mine")) == 1


def test_two_edits_of_one_parent_are_both_kept_and_the_second_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    saved(folder)
    editor = folder / "editor"
    editor.write_text(
        f"#!/bin/sh\n{sys.executable} -m steelyard strategy save mine mine.toml --yes >/dev/null\n"
        "sed -i 's/max_depth = 3/max_depth = 5/' \"$1\"\n"
    )
    editor.chmod(editor.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("EDITOR", str(editor))
    monkeypatch.delenv("VISUAL", raising=False)

    edited = run("strategy", "edit", "mine", "--yes")

    assert edited.exit_code == 0
    assert "version 2 was saved meanwhile" in edited.stdout
    rows = listed("history", "mine")
    assert [(row["version"], row["parent"], row["active"]) for row in rows] == [
        (3, 1, True),
        (2, 1, False),
        (1, None, False),
    ]
    assert "max_depth = 5" in run("strategy", "export", "mine").stdout


@pytest.mark.parametrize(
    "script",
    [
        'rm "$1"',
        'rm "$1"; mkdir "$1"',
        'rm "$1"; mkfifo "$1"',
        "printf '\\377\\376' > \"$1\"",
        'printf "{{{" > "$1"',
        'head -c 70000 /dev/zero > "$1"',
    ],
)
def test_what_an_editor_leaves_that_is_no_strategy_is_refused_as_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch, script: str
):
    saved(folder)
    editor = folder / "editor"
    editor.write_text(f"#!/bin/sh\n{script}\n")
    editor.chmod(editor.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("EDITOR", str(editor))
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(folder))

    refused = run("strategy", "edit", "mine", "--yes", "--json")

    assert refused.exit_code == 1
    assert json.loads(refused.stdout)["error"]["code"].startswith(("strategy_", "settings"))
    assert "othing was saved" in refused.stderr
    assert len(listed("history", "mine")) == 1


def test_an_edit_that_changes_nothing_is_no_version_and_a_failed_one_keeps_the_text(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    saved(folder)
    monkeypatch.delenv("VISUAL", raising=False)

    monkeypatch.setenv("EDITOR", "true")
    assert "version 1 stays" in run("strategy", "edit", "mine").stderr
    monkeypatch.setenv("EDITOR", "false")
    failed = run("strategy", "edit", "mine")

    assert failed.exit_code == 1
    path = Path(failed.stderr.split("The text is in ")[1].split(". Set")[0])
    assert path.read_text() == MINE
    path.unlink()
    assert len(listed("history", "mine")) == 1


def test_a_rollback_appends_and_moves_those_that_follow_but_not_those_that_are_pinned(
    folder: Path,
):
    saved(folder)
    saved(folder, text=MINE.replace("3", "4"))
    run("bucket", "create", "sat")
    assert run("strategy", "assign", "mine", "--bucket", "core").exit_code == 0
    assert run("strategy", "assign", "mine", "--bucket", "sat", "--version", "2").exit_code == 0

    rolled = run("strategy", "rollback", "mine", "1")

    assert rolled.exit_code == 0
    assert "Mine (v3) of mine is version 1 again. The bucket core plans by it" in rolled.stdout
    rows = listed("history", "mine")
    assert (rows[0]["parent"], rows[0]["reason"]) == (1, "rollback to version 1")
    assert rows[0]["sha256"] == rows[2]["sha256"]
    by = {name: json.loads(run("bucket", "show", name, "--json").stdout)["strategy"]
          for name in ("core", "sat")}  # fmt: skip
    assert (by["core"]["version"], by["core"]["pinned"]) == (3, False)
    assert (by["sat"]["version"], by["sat"]["pinned"]) == (2, True)


def test_a_diff_tells_text_modules_parameters_and_the_rest(folder: Path):
    saved(folder)
    more = "\n[pattern_generators]\nadaptive = true\n\n[limits]\ncash_reserve_weight = 0.05\n"
    saved(folder, text=MINE + more)

    result = run("strategy", "diff", "mine", "1", "2", "--json")
    document = json.loads(result.stdout)

    assert document["modules_added"] == ["pattern_generators.adaptive"]
    assert document["modules_removed"] == []
    assert document["globals_changed"]["limits.cash_reserve_weight"] == {"old": 0.02, "new": 0.05}
    assert "+cash_reserve_weight = 0.05" in document["unified"]
    assert "cash_reserve_weight" in run("strategy", "diff", "mine", "1", "2").stdout


def test_a_plan_diff_plans_one_frozen_snapshot_by_both_versions(folder: Path):
    saved(folder)
    saved(folder, text="[costs]\nfixed = 40.0\n")
    own_files(folder)
    run("bucket", "load", "core", *own_files(folder))

    result = run("strategy", "plan-diff", "mine", "1", "2", "--bucket", "core", "--json")
    document = json.loads(result.stdout)

    assert result.exit_code == 0
    assert {"a", "b", "trades_added", "trades_removed", "trades_changed", "money", "score",
            "reasons"} <= document.keys()  # fmt: skip
    assert document["a"]["strategy"]["version"] == 1
    assert document["b"]["strategy"]["version"] == 2
    assert json.loads(run("plans", "list", "--json").stdout) == []


def test_an_export_is_a_strategy_file_that_imports_as_what_it_was(folder: Path):
    saved(folder)
    title = 'A "title"\nmax_depth = 99 # not a setting \u202e'
    run("strategy", "save", "mine", "mine.toml", "--title", title, "--yes")

    exported = run("strategy", "export", "mine").stdout
    (folder / "out.toml").write_text(exported, encoding="utf-8")

    assert run("strategy", "validate", "out.toml").exit_code == 0
    assert strategies.load(folder / "out.toml").sha256 == strategies.parse(MINE, "m").sha256
    assert apart(exported)[0] == MINE
    assert run("strategy", "import", "out.toml", "--name", "copy").exit_code == 0
    row = listed("history", "copy")[0]
    assert (row["title"], row["sha256"]) == (
        title,
        listed("history", "mine")[0]["sha256"],
    )


def test_a_file_of_the_documents_gives_name_title_and_description_by_its_header(folder: Path):
    (folder / "x.toml").write_text(
        "# Planner Configuration Export\n# Name: old_hunter\n# Title: Old Hunter: deep\n"
        "# Version: 7\n# Created: 2024-01-01\n#\n# Description:\n# Two lines\n# of words\n\n" + MINE
    )

    assert run("strategy", "import", "x.toml").exit_code == 0

    row = listed("history", "old_hunter")[0]
    assert (row["title"], row["description"]) == ("Old Hunter: deep", "Two lines\nof words")
    assert run("strategy", "export", "old_hunter").stdout.startswith(MINE)


def test_a_clone_begins_a_history_of_its_own(folder: Path):
    saved(folder)
    saved(folder)

    assert run("strategy", "clone", "mine@1", "yours").exit_code == 0

    row = listed("history", "yours")
    assert [(r["version"], r["parent"], r["reason"]) for r in row] == [
        (1, None, "clone of mine v1")
    ]
    assert run("strategy", "clone", "mine", "yours").exit_code == 1


def test_unknown_names_and_versions_say_the_nearest(folder: Path):
    saved(folder)
    cases = {
        ("strategy", "history", "mien"): "Did you mean mine?",
        ("strategy", "rollback", "mine", "7"): "version 1 alone",
        ("strategy", "diff", "mine", "1", "x"): "is no version",
        ("strategy", "assign", "mine", "--bucket", "croe"): "no bucket croe",
        ("strategy", "assign", "mien", "--bucket", "core"): "Did you mean mine?",
        ("strategy", "export", "mine@9"): "no version 9",
        ("strategy", "save", "a b", "mine.toml", "--yes"): "cannot be the name",
        ("plan", "--strategy", "mine@9"): "no version 9",
        ("plan", "--strategy", "mien"): "Did you mean mine?",
        ("plan", "--bucket", "core"): "no bucket core",
        ("plans", "show", "abcdef"): "No plan abcdef",
    }

    for arguments, words in cases.items():
        result = run(*arguments)
        assert result.exit_code == 1, arguments
        assert words in result.stderr, (arguments, result.stderr)


def test_nothing_is_written_outside_the_file_that_was_named(folder: Path):
    saved(folder)

    assert run("strategy", "export", "mine", "--out", "mine.toml").exit_code == 1
    assert (folder / "mine.toml").read_text() == MINE
    assert run("strategy", "export", "mine", "--out", "new.toml").exit_code == 0
    assert sorted(path.name for path in folder.iterdir()) == ["mine.toml", "new.toml"]


def test_a_version_that_can_no_longer_be_had_is_neither_assigned_nor_rolled_back_to(folder: Path):
    saved(folder)
    saved(folder)
    with sqlite3.connect(database(os.environ)) as connection:
        connection.execute("UPDATE strategy_version SET toml = 'max_deph = 3' WHERE version = 1")

    for command in (
        ("assign", "mine", "--bucket", "core", "--version", "1"),
        ("rollback", "mine", "1"),
    ):
        refused = run("strategy", *command)
        assert refused.exit_code == 1, command
        assert "line 1" in refused.stderr, command
    assert len(listed("history", "mine")) == 2


def test_the_history_has_the_plans_of_each_version(folder: Path):
    saved(folder)
    run("bucket", "load", "core", *own_files(folder))
    run("strategy", "assign", "mine", "--bucket", "core")
    plan = json.loads(run("plan", "--bucket", "core", "--json").stdout)

    rows = listed("history", "mine", "--plans")

    assert rows[0]["plans"][0]["plan_id"] == plan["plan_id"]
    assert rows[0]["plans"][0]["score"] == plan["score"]["plan"]
    assert plan["strategy"]["version"] == 1
    assert plan["strategy"]["text_sha256"] == rows[0]["sha256"]
    assert rows[0]["sha256"] == hashlib.sha256(MINE.encode()).hexdigest()
    assert plan["strategy"]["title"] == "Mine"


@pytest.mark.parametrize("command", ["plan", "why", "verify", "import"])
def test_planning_from_files_loads_no_library_of_databases(command: str, folder: Path):
    own_files(folder)
    (folder / "plan.json").write_text(run("plan", *own_files(folder), "--json").stdout)
    arguments = {
        "plan": [str(part) for part in of_sample("growth")],
        "why": ["AAA", "--plan", "plan.json"],
        "verify": ["plan.json"],
        "import": ["h.csv"],
    }[command]
    program = (
        "import sys; sys.argv = ['steelyard', *sys.argv[1:]]\n"
        "from steelyard.cli import app\n"
        "try: app()\nexcept SystemExit: pass\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('sqlalchemy', 'alembic')],"
        " file=sys.stderr)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, command, *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
    )

    assert done.stderr.strip().endswith("[]")


def test_a_database_that_is_no_use_ends_with_70_and_keeps_the_plan(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("STEELYARD_DATABASE", str(folder / "broken.db"))
    (folder / "broken.db").write_bytes(b"x" * 5000)

    result = run("plan", *own_files(folder), "--save", "--json")

    assert result.exit_code == 70
    assert json.loads(result.stdout)["verdict"]["action"] in {"act", "hold"}
    assert "Restore a backup" in result.stderr
    assert run("strategy", "list").exit_code == 70
    assert (folder / "broken.db").read_bytes() == b"x" * 5000


def test_the_version_table_has_the_columns_that_others_read(folder: Path):
    saved(folder)
    saved(folder)
    rows = sqlite3.connect(database(os.environ)).execute(
        "SELECT name, version, active FROM strategy_version ORDER BY version"
    )

    assert rows.fetchall() == [("mine", 1, 0), ("mine", 2, 1)]


def test_a_file_takes_over_no_bucket_because_of_its_name(folder: Path):
    (folder / "mine.toml").write_text("[limits]\nmax_orders = 9\n")
    (folder / "theirs.toml").write_text('name = "mine"\n[limits]\nmax_orders = 2\n')
    first = run("strategy", "save", "mine", "mine.toml", "--yes")
    assert "steelyard strategy assign mine --bucket B" in first.stdout
    run("bucket", "load", "core", *own_files(folder))
    run("strategy", "assign", "mine", "--bucket", "core")

    refused = run("strategy", "import", "theirs.toml")
    assert refused.exit_code == 1
    sentence = " ".join(refused.stderr.split())
    assert "the bucket core follows it and would plan by theirs.toml" in sentence
    assert "Nothing was saved." in sentence
    assert len(listed("history", "mine")) == 1

    assert run("strategy", "import", "theirs.toml", "--name", "copy").exit_code == 0
    assert run("strategy", "import", "theirs.toml", "--name", "mine").exit_code == 0
    assert len(listed("history", "mine")) == 2
