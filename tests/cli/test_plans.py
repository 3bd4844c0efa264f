"""`steelyard plans`, and every command that takes a plan by its id or from a file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from builders.commands import own_files, run
from builders.paths import ROOT


def home() -> Path:
    return Path(os.environ["STEELYARD_HOME"])


def test_two_files_are_compared_without_a_database(files):
    result = run("plans", "diff", *files)

    assert result.exit_code == 0
    assert "limits.max_turnover_weight" in result.stdout
    assert not (home() / "steelyard.db").exists()


def test_the_difference_as_json_is_one_document_of_the_promised_keys(files):
    document = json.loads(run("plans", "diff", *files, "--json").stdout)

    assert document["schema"] == "steelyard.plan-diff/1"
    assert {
        *("a", "b", "trades_added", "trades_removed", "trades_changed"),
        *("money", "score", "reasons", "moved"),
    } <= document.keys()
    assert document["trades_changed"] or document["trades_removed"]
    assert document["moved"]["rules"] == [
        {"key": "limits.max_turnover_weight", "old": None, "new": 0.1}
    ]


def test_stored_plans_are_listed_newest_first_and_compared_by_the_first_digits_of_their_ids(
    stored, files
):
    rows = json.loads(run("plans", "list", "--json").stdout)
    listed = run("plans", "list").stdout
    by_id = run("plans", "diff", stored[0][:8], stored[1], "--json").stdout

    assert {row["plan_id"] for row in rows} == set(stored)
    assert [row["saved_at"] for row in rows] == sorted(
        (row["saved_at"] for row in rows), reverse=True
    )
    assert all(plan[:12] in listed for plan in stored)
    assert by_id == run("plans", "diff", *files, "--json").stdout


def test_a_stored_plan_is_shown_told_verified_and_reported_by_its_id(stored, files, folder):
    short = stored[0][:10]

    assert run("plans", "show", short).stdout == run("plans", "show", "a.json").stdout
    assert json.loads(run("plans", "show", short, "--json").stdout)["plan_id"] == stored[0]
    assert run("why", "AAA", "--plan", short).stdout == run("why", "AAA", "--plan", "a.json").stdout
    assert "all agree" in run("verify", short).stdout
    assert run("report", short).stdout == run("plans", "show", short).stdout
    assert run("report", short, "--html", "r.html").exit_code == 0
    assert (folder / "r.html").read_text().lower().startswith("<!doctype html>")


def test_the_bucket_of_a_list_that_no_plan_is_of_names_the_nearest(stored):
    result = run("plans", "list", "--bucket", "cores")

    assert result.exit_code == 1
    assert "Did you mean " in result.stderr


def test_the_page_of_a_difference_is_written_and_replaces_nothing_else(files, folder):
    (folder / "own.csv").write_text("symbol\n")

    written = run("plans", "diff", *files, "--report", "d.html")
    refused = run("plans", "diff", *files, "--report", "own.csv")

    assert "Report written: d.html" in written.stdout
    assert "<h2>A</h2>" in (folder / "d.html").read_text()
    assert refused.exit_code == 1
    assert "Nothing was compared." in refused.stderr
    assert (folder / "own.csv").read_text() == "symbol\n"


def test_a_document_of_an_earlier_version_is_compared_with_one_of_today(files):
    old = ROOT / "tests" / "plans" / "plan-1.3.json"

    result = run("plans", "diff", old, "a.json", "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout)["same"] is False


def test_comparing_and_reading_files_loads_no_library_of_databases(files):
    code = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from steelyard.cli import app\n"
        "for words in (['plans', 'diff', 'a.json', 'b.json'], ['plans', 'list'],\n"
        "              ['report', 'a.json'], ['verify', 'a.json']):\n"
        "    assert CliRunner().invoke(app, words).exit_code == 0, words\n"
        "print(sorted(m for m in sys.modules if m in ('sqlalchemy', 'alembic', 'sqlite3')))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert result.stdout.strip() == "[]"


def test_plans_with_a_withdrawal_tell_the_flow_and_the_money(folder):
    options = own_files(folder)
    (folder / "a.json").write_text(run("plan", *options, "--json").stdout)
    out = run("plan", *options, "--withdraw", "USD=500", "--json")
    (folder / "b.json").write_text(out.stdout)

    document = json.loads(run("plans", "diff", "a.json", "b.json", "--json").stdout)

    (flow,) = document["moved"]["flows"]
    assert (flow["plan"], flow["amount"]) == ("B", "-500")
    assert any("Only B takes out 500.00 USD" in reason["text"] for reason in document["reasons"])


def test_a_plan_by_a_stored_version_is_listed_with_the_title_and_number_of_its_strategy(folder):
    own_files(folder)
    (folder / "m.toml").write_text("[limits]\nmax_turnover_weight = 0.1\n")
    for words in (
        ("strategy", "save", "careful", "m.toml", "--title", "Slow and careful", "--yes"),
        ("bucket", "load", "core", "--holdings", "h.csv", "--targets", "t.csv"),
        ("strategy", "assign", "careful", "--bucket", "core"),
        ("plan", "--bucket", "core"),
    ):
        assert run(*words).exit_code == 0, words

    (row,) = json.loads(run("plans", "list", "--bucket", "core", "--json").stdout)

    assert (row["strategy"]["name"], row["strategy"]["title"]) == ("careful", "Slow and careful")
    assert "Slow and careful (v1)" in run("plans", "list").stdout
    assert "Slow and careful (v1)" in run("plans", "diff", row["plan_id"], row["plan_id"]).stdout
