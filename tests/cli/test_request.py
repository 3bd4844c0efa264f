"""`plan --request`: what a service would be asked, planned here."""

import hashlib
import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from builders.commands import own_files, run
from builders.paths import ROOT
from steelyard.services.documents.asked import create
from steelyard.services.wire import CreatePlanRequest
from steelyard.store import plans
from steelyard.store.opening import open_store

EXAMPLE = ROOT / "examples" / "create_plan.json"


def asked() -> dict:
    return json.loads(EXAMPLE.read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STEELYARD_HOME", str(tmp_path / "home"))
    return tmp_path


def test_a_request_gives_the_plan_that_a_service_answers_with():
    answer = create(CreatePlanRequest.model_validate(asked()))

    result = run("plan", "--request", EXAMPLE, "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout)["plan_id"] == answer.plan_id


def test_a_seed_in_the_request_is_the_seed_of_the_plan(home: Path):
    (home / "r.json").write_text(json.dumps({**asked(), "seed": 7}))

    result = run("plan", "--request", "r.json", "--json")

    assert json.loads(result.stdout)["seed"] == 7


def test_the_other_engine_plans_no_request(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STEELYARD_ENGINE_ACTIVE", "reference")

    result = run("plan", "--request", EXAMPLE, "--json")

    assert json.loads(result.stdout)["certificate"]["scope"] == "proposals"


def test_a_request_comes_over_a_pipe_too():
    done = subprocess.run(
        [sys.executable, "-m", "steelyard", "plan", "--request", "-", "--json"],
        input=EXAMPLE.read_bytes(),
        capture_output=True,
        check=True,
        env=os.environ.copy(),
    )

    assert len(json.loads(done.stdout)["steps"]) == 5


def test_a_kept_plan_of_a_request_knows_the_file_that_it_is_from(home: Path):
    plan = json.loads(run("plan", "--request", EXAMPLE, "--save", "--json").stdout)

    with closing(open_store(str(home / "home" / "steelyard.db"))) as store:
        (file,) = plans.load(store, plan["plan_id"]).row.files

    assert (file["option"], file["name"]) == ("--request", str(EXAMPLE))
    assert file["sha256"] == hashlib.sha256(EXAMPLE.read_bytes()).hexdigest()


def test_what_is_typed_next_is_a_command_that_works(home: Path):
    shown = run("plan", "--request", EXAMPLE).stdout

    (command,) = [line.strip() for line in shown.splitlines() if " plan --request " in line]
    assert command.endswith(f"plan --request {EXAMPLE} --save")
    assert "why SYMBOL" not in shown.partition("To go on:")[2]


def test_the_name_of_a_bucket_is_a_request_too(home: Path):
    run("bucket", "load", "core", *own_files(home), "--as-of", "2026-11-20")
    (home / "r.json").write_text('{"bucket": "core"}')

    by_name = json.loads(run("plan", "--bucket", "core", "--no-save", "--json").stdout)
    by_request = json.loads(run("plan", "--request", "r.json", "--no-save", "--json").stdout)

    assert by_request["plan_id"] == by_name["plan_id"]
    assert by_request["bucket"] == "core"


WRONG = {
    "{": "request_not_json",
    "": "request_not_json",
    "[" * 100_000: "request_too_deep",
    '{"bucket": "a", "bucket": "b"}': "request_name_twice",
    '{"available_cash": NaN}': "request_no_number",
    '{"available_cash": 1e999}': "request_no_number",
    '{"bucket": "core", "x": 1}': "request_unreadable",
    "[]": "request_unreadable",
}


@pytest.mark.parametrize(("text", "code"), WRONG.items(), ids=WRONG.values())
def test_what_is_no_request_is_refused_with_a_code(text: str, code: str, home: Path):
    (home / "r.json").write_text(text)

    result = run("plan", "--request", "r.json", "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == code
    assert not (home / "home").exists()


def test_every_place_of_a_wrong_request_is_listed(home: Path):
    wrong = asked()
    wrong["positions"][3]["quantity"] = -1
    wrong["parameters"]["beam_width"] = 101
    wrong["more"] = 1
    (home / "r.json").write_text(json.dumps(wrong))

    result = run("plan", "--request", "r.json", "--json")

    places = [error["place"] for error in json.loads(result.stdout)["errors"]]
    assert sorted(places) == ["more", "parameters.beam_width", "positions.3.quantity"]


def test_a_file_that_is_none_is_told(home: Path):
    (home / "folder").mkdir()
    (home / "latin").write_bytes(b'{"a": "\xff"}')

    for name in ("folder", "latin", "missing"):
        result = run("plan", "--request", name, "--json")
        assert json.loads(result.stdout)["error"]["code"] == "request_file_unreadable", name


def test_beside_a_request_no_other_option_says_what_to_plan(home: Path):
    result = run("plan", "--request", EXAMPLE, "--cash", "EUR=1")

    assert result.exit_code == 2
    assert "--cash" in result.stderr
