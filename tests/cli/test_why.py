"""`steelyard why`: the story of one symbol, of a plan made now or of a saved one."""

import json
from pathlib import Path

import pytest

from builders.commands import own_files, run


@pytest.fixture(scope="module")
def plan() -> str:
    """The plan of the bundled portfolio, as it is saved."""
    return run("plan", "--json").stdout


def test_why_tells_one_symbol_and_takes_lower_case():
    result = run("why", "aapl")

    assert result.exit_code == 0
    assert "AAPL" in result.stdout
    assert "In the candidate table" in result.stdout


def test_why_as_json_has_only_that_symbol_and_of_a_saved_plan_tells_the_same(
    folder: Path, plan: str
):
    (folder / "plan.json").write_text(plan)
    text = run("why", "AAPL", "--json").stdout
    story = json.loads(text)

    assert run("why", "AAPL", "--plan", "plan.json", "--json").stdout == text
    assert story["symbol"] == story["holding"]["symbol"] == "AAPL"
    for part in ("candidates", "not_traded", "data_coverage"):
        assert {entry["symbol"] for entry in story[part]} <= {"AAPL"}
    assert story["candidates"]


def test_why_refuses_a_plan_that_was_changed(folder: Path, plan: str):
    (folder / "plan.json").write_text(json.dumps(json.loads(plan) | {"turnover": 0.0}))

    result = run("why", "AAPL", "--plan", "plan.json")

    assert result.exit_code == 1
    assert "changed after it was made" in result.stderr


def test_why_refuses_what_is_no_plan_or_cannot_be_read(folder: Path):
    for content in (
        b"",
        b"{}",
        b"[1, 2",
        b"\xff\xfe",
        b'{"schema": "steelyard.plan/9"}',
        b"[" * 100_000,
    ):
        (folder / "plan.json").write_bytes(content)
        result = run("why", "AAPL", "--plan", "plan.json")

        assert result.exit_code == 1
        assert "not a plan document" in result.stderr, content[:20]
    for name, says in (("absent.json", "could not be read"), (".", "is not a regular file")):
        result = run("why", "AAPL", "--plan", name)

        assert (result.exit_code, says in result.stderr) == (1, True), name


def test_why_of_an_unknown_symbol_names_the_nearest_and_of_an_excluded_one_says_so(
    folder: Path, plan: str
):
    (folder / "plan.json").write_text(plan)

    unknown = run("why", "AAPLE", "--plan", "plan.json")
    excluded = run("why", "AAA", *own_files(folder), "--exclude", "AAA")

    assert (unknown.exit_code, "Did you mean AAPL?" in unknown.stderr) == (1, True)
    assert (excluded.exit_code, "left out on your word" in excluded.stderr) == (1, True)


def test_why_takes_a_saved_plan_or_other_inputs_but_not_both(folder: Path):
    (folder / "plan.json").write_text("{}")

    assert run("why", "AAPL", "--plan", "plan.json", "--seed", "3").exit_code == 2


def test_why_takes_an_index_too(folder: Path):
    result = run("why", "AAPL", "--index", folder / "absent.csv")

    assert result.exit_code == 1
    assert "absent.csv" in result.output
