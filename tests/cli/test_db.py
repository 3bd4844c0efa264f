"""`steelyard db`: what an operator reads."""

from __future__ import annotations

import json
from pathlib import Path

from builders.commands import own_files, run


def test_what_the_database_is_told_ends_in_a_line_end_and_shows_no_code_of_it(folder: Path):
    text = run("db", "upgrade").stdout

    assert "up to date" in text
    assert text.endswith(".\n")
    assert "\\u" not in text


def test_a_restore_says_where_what_was_there_is(folder: Path):
    run("bucket", "load", "core", *own_files(folder))
    run("db", "backup", "copy.db")

    first, second = run("db", "restore", "copy.db"), run("db", "restore", "copy.db", "--json")

    assert "What was there is steelyard.db.replaced beside it." in first.stdout
    assert json.loads(second.stdout)["replaced"] == "steelyard.db.replaced2"
    assert run("bucket", "show", "core").exit_code == 0
