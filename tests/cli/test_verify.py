"""`steelyard verify`: what it says of a good plan, of an edited one, and of what is none."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from steelyard.cli import app


@pytest.fixture(scope="module")
def plan() -> str:
    made = CliRunner().invoke(app, ["plan", "--json"])
    assert made.exit_code == 0
    return made.stdout


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: object):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(
        result.exception
    )
    return result


def edited(plan: str) -> str:
    document = json.loads(plan)
    document["cash"]["USD"] = f"{Decimal(document['cash']['USD']) + 100:f}"
    return json.dumps(document)


def test_a_plan_that_agrees_is_said_to_and_what_was_not_checked_is_told(folder: Path, plan: str):
    (folder / "p.json").write_text(plan)

    result = run("verify", "p.json")

    assert result.exit_code == 0
    assert result.stdout.startswith("p.json: checked: ")
    assert "figures re-derived, all agree" in result.stdout
    assert "Not checked:" in result.stdout
    assert result.stderr == ""
    assert [path.name for path in folder.iterdir()] == ["p.json"]


def test_an_edited_plan_exits_with_1_and_says_what_disagrees_where_and_by_how_much(
    folder: Path, plan: str
):
    (folder / "p.json").write_text(edited(plan))

    result = run("verify", "p.json")

    assert result.exit_code == 1
    assert "The plan was changed after it was made" in result.stdout
    before, after = json.loads(plan)["cash_after"]["USD"], json.loads(plan)["value"]
    assert "cash_after.USD: cash after = all cash + sales - buys - costs" in result.stdout
    assert f"expected {Decimal(before) + 100:f}, found {before}" in result.stdout
    assert f"expected {Decimal(after) + 100:f}, found {after}" in result.stdout
    assert "figures disagree. Do not trade on this plan: plan again." in result.stderr


def test_json_is_one_document_of_the_findings(folder: Path, plan: str):
    (folder / "good.json").write_text(plan)
    (folder / "bad.json").write_text(edited(plan))

    good, bad = run("verify", "good.json", "--json"), run("verify", "bad.json", "--json")

    found = json.loads(good.stdout)
    assert (found["ok"], found["edited"], found["disagree"]) == (True, False, [])
    assert found["plan_id"] == json.loads(plan)["plan_id"]
    assert found["checked"] > 500
    assert {"what", "why"} == set(found["not_checked"][0])
    found = json.loads(bad.stdout)
    assert (bad.exit_code, found["ok"], found["edited"]) == (1, False, True)
    assert {"name", "where", "expected", "found"} == set(found["disagree"][0])
    assert len(found["disagree"]) >= 3


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"\xff\xfe\x00", "not text in UTF-8"),
        (b"symbol,weight\n", "is not JSON"),
        (b'{"schema": "steelyard.plan/1", "plan', "ends too early"),
        (b'{"schema": "steelyard.plan/2"}', "made by a newer version of Steelyard"),
        (b"[]", "not a plan of Steelyard"),
    ],
)
def test_what_is_no_plan_exits_with_1_and_one_message(folder: Path, content: bytes, says: str):
    (folder / "p.json").write_bytes(content)

    result = run("verify", "p.json")

    assert (result.exit_code, result.stdout) == (1, "")
    assert says in result.stderr
    assert "Nothing was checked" in result.stderr


def test_a_plan_with_a_byte_order_mark_is_a_plan(folder: Path, plan: str):
    (folder / "p.json").write_text(plan, encoding="utf-8-sig")

    assert run("verify", "p.json").exit_code == 0


def test_what_is_no_file_is_refused(folder: Path):
    for path in (folder, folder / "absent.json"):
        result = run("verify", path)

        assert (result.exit_code, result.stdout) == (1, "")
        assert "Nothing was checked" in result.stderr


def test_a_file_that_is_too_large_is_refused_before_it_is_read(folder: Path):
    with (folder / "p.json").open("wb") as file:
        file.truncate(64 * 1024 * 1024 + 1)

    result = run("verify", "p.json")

    assert result.exit_code == 1
    assert "67,108,865 bytes; at most 67,108,864" in result.stderr


def test_only_the_first_disagreements_are_told_one_by_one(folder: Path, plan: str):
    document = json.loads(plan)
    for holding in document["holdings"]:
        holding["price"] = "1"
    (folder / "p.json").write_text(json.dumps(document))

    result = run("verify", "p.json")

    assert result.exit_code == 1
    assert "more; --json tells all" in result.stdout
    assert result.stdout.count("expected") == 20


def test_signs_that_a_terminal_would_obey_are_shown(folder: Path, plan: str):
    document = json.loads(plan)
    document["base_currency"] = "\x1b[31mUSD"
    (folder / "p.json").write_text(json.dumps(document))

    assert "\x1b" not in run("verify", "p.json").stdout
