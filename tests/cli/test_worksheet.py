"""`steelyard worksheet`: a stored plan changed by hand, on the screen, in JSON, in a file."""

from __future__ import annotations

import csv
import io
import json

from builders.commands import run


def sheet(*words: str) -> dict:
    result = run("worksheet", *words, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_the_document_has_the_three_standings_and_the_plan_stays(stored, folder):
    plan = json.loads(run("plans", "show", stored[0], "--json").stdout)
    document = sheet(stored[0][:8], "--strike", "BBB", "--csv", "o.csv")

    assert document["schema"] == "steelyard.worksheet/1"
    assert document["calculated"]["cash"] == plan["cash_after"]
    assert document["calculated"]["drift"] == plan["drift"]["after"]
    assert document["changed"] == ["BBB"]
    assert document["against"]["score"] < 0
    rows = list(csv.DictReader(io.StringIO((folder / "o.csv").read_text())))
    assert [row["symbol"] for row in rows] == ["AAA"]
    assert json.loads(run("plans", "show", stored[0], "--json").stdout) == plan


def test_what_is_typed_wrong_is_told_at_once_and_nothing_is_written(stored, folder):
    refused = run(
        "worksheet", stored[0], "--set", "AAAA=1", "--set", "BBB=x", "--csv", "o.csv", "--json"
    )

    faults = json.loads(refused.stdout)["errors"]
    assert refused.exit_code == 1
    assert [(fault["place"], fault["code"]) for fault in faults] == [
        ("AAAA", "worksheet_symbol"),
        ("BBB", "worksheet_no_number"),
    ]
    assert not (folder / "o.csv").exists()


def test_usage_is_told_before_anything_is_opened(stored):
    for words in (("--set", "AAA"), ("--set", "AAA=1", "--strike", "AAA"), ("--lock", "AAA")):
        assert run("worksheet", stored[0], *words).exit_code == 2, words


def test_the_rest_is_planned_again_around_what_is_struck(stored):
    document = sheet(stored[0], "--strike", "BBB", "--again")

    assert document["locked"] == ["BBB"]
    assert [row["edited"] for row in document["rows"] if row["symbol"] == "BBB"] == ["0"]
