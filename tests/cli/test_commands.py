"""What every command shares: an option once, and a failure as one document under --json."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import typer.main

from builders.commands import own_files, run
from builders.paths import ROOT
from steelyard.cli import app

SCHEMA = json.loads((ROOT / "docs" / "error-schema.json").read_text(encoding="utf-8"))


def commands() -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command: what is typed, and what typer made of it."""
    yield from _below((), typer.main.get_command(app))


def _below(typed: tuple[str, ...], group: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        whole = (*typed, name)
        if hasattr(command, "commands"):
            yield from _below(whole, command)
        if not hasattr(command, "commands") or command.invoke_without_command:
            yield whole, command


def options(command: Any) -> list[Any]:
    return [param for param in command.params if param.param_type_name == "option"]


def failure(*arguments: object, code: int = 1) -> dict[str, Any]:
    """The one document of a command that fails, valid, its sentence on stderr too."""
    result = run(*arguments)
    assert result.exit_code == code, (arguments, result.output)
    document = json.loads(result.stdout)
    jsonschema.validate(document, SCHEMA)
    written = " ".join(result.stderr.split())
    assert " ".join(document["error"]["message"].split()) in written, arguments
    return document


def test_an_option_with_one_value_is_given_once_in_every_command():
    wrong = []
    for typed, command in commands():
        for option in options(command):
            name = option.opts[-1]
            if option.is_flag:
                continue
            result = run(*typed, name, "first", f"{name}=second")
            both = "first and second" in result.stderr and name in result.stderr
            if (result.exit_code == 2 and both) is option.multiple:
                wrong.append((*typed, name, result.stderr))

    assert wrong == []


def test_the_same_value_twice_is_a_mistake_too_and_an_option_of_several_is_none(folder: Path):
    result = run("plan", *own_files(folder), "--seed", "1", "--seed", "1")
    several = run("plan", *own_files(folder), "--exclude", "AAA", "--exclude", "BBB")

    assert result.exit_code == 2
    assert "--seed: it is given 2 times, 1 and 1, and takes one value: keep one." in result.stderr
    assert "AAA" in several.stdout


def test_the_document_of_a_failure_has_code_place_value_limit_and_hint():
    document = failure("plan", "--strategy", "cautios", "--json")

    assert document["schema"] == "steelyard.error/1"
    assert document["error"] == {
        **document["error"],
        "code": "no_such_strategy",
        "place": "--strategy",
        "value": "cautios",
    }
    assert document["error"]["hint"]
    assert document["errors"] == [document["error"]]


def test_every_thing_that_is_wrong_is_a_fault_of_its_own(folder: Path):
    (folder / "h.csv").write_text("symbol,quantity,price\nAAA,x,10\nBBB,10,y\nCCC,1,1\n")
    (folder / "s.toml").write_text("[search]\nmax_depth = 99\nbeam = 3\n")

    rows = failure("plan", "--holdings", "h.csv", "--json")
    settings = failure("plan", "--strategy", "s.toml", "--json")

    assert [fault["place"].split(",")[0] for fault in rows["errors"]] == [
        "h.csv line 2",
        "h.csv line 3",
    ]
    assert [fault["message"][:7] for fault in settings["errors"]] == ["line 2:", "line 3:"]
    assert settings["error"]["code"] == "strategy_problems"


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        (("plan", "--nope"), "--nope"),
        (("plan", "--seed", "x"), "--seed"),
        (("plan", "--prices", "p.csv"), "--holdings"),
        (("plan", "--seed", "1", "--seed", "2"), "--seed"),
        (("why", "AAA", "--plan", "p.json", "--seed", "2"), "--plan"),
        (("why",), "symbol"),
        (("strategy", "validate", "a.toml", "b.toml"), ""),
        (("strategy", "lst"), ""),
        (("pln",), ""),
    ],
)
def test_a_usage_error_is_a_document_too_and_its_place_is_the_option(arguments, place):
    document = failure(*arguments, "--json", code=2)

    assert (document["error"]["code"], document["error"]["place"]) == ("usage", place)
    assert document["error"]["hint"].endswith("--help")


def test_every_command_with_json_fails_in_json(folder: Path):
    (folder / "not.json").write_text("{}")
    failing = {
        ("demo",): ("--report", "nowhere/x.html"),
        ("plan",): ("--holdings", "nowhere.csv"),
        ("rebalance",): ("--holdings", "nowhere.csv"),
        ("import",): ("nowhere.csv",),
        ("why",): ("AAA", "--holdings", "nowhere.csv"),
        ("worksheet",): ("nowhere",),
        ("fleet",): ("nowhere",),
        ("verify",): ("not.json",),
        ("modules",): ("--tag", "nowhere"),
        ("health",): ("nowhere",),
        ("strategy", "show"): ("nowhere",),
        ("strategy", "validate"): ("default",),
        ("strategy", "save"): ("mine", "nowhere.toml"),
        ("strategy", "edit"): ("nowhere",),
        ("strategy", "history"): ("nowhere",),
        ("strategy", "diff"): ("nowhere", "1", "2"),
        ("strategy", "plan-diff"): ("nowhere", "1", "2"),
        ("strategy", "rollback"): ("nowhere", "1"),
        ("strategy", "assign"): ("nowhere", "--bucket", "core"),
        ("strategy", "import"): ("nowhere.toml",),
        ("strategy", "import-folder"): ("nowhere",),
        ("strategy", "clone"): ("nowhere", "new"),
        ("strategy", "ab"): ("nowhere", "default"),
        ("strategy", "dry-run"): ("nowhere",),
        ("strategy", "presets"): ("--tag", "nowhere"),
        ("strategy", "presets", "add"): ("nowhere.toml",),
        ("bucket", "create"): ("Not A Name",),
        ("bucket", "load"): ("core", "--holdings", "nowhere.csv"),
        ("bucket", "settings"): ("nowhere",),
        ("bucket", "show"): ("nowhere",),
        ("bucket", "transfer"): ("nowhere", "core", "USD=1"),
        ("batch",): ("--bucket", "nowhere"),
        ("plans", "show"): ("nowhere",),
        ("plans", "diff"): ("nowhere", "nowhere"),
        ("execute",): ("not.json",),
        ("arm",): ("not.json",),
        ("runs",): ("r-nowhere",),
        ("halt",): ("--lift",),
        ("token", "revoke"): ("nowhere",),
        ("watch", "set"): ("nowhere", "--every", "daily"),
        ("watch", "list"): ("--bucket", "nowhere"),
        ("watch", "remove"): ("nowhere",),
        ("watch", "test"): (),
        ("db", "backup"): ("not.json",),
        ("db", "restore"): ("nowhere.db",),
    }
    cannot = {("strategy", "list"), ("bucket", "list"), ("plans", "list"), ("events",), ("perf",)}
    cannot |= {
        ("token", "list"),
        ("token", "link"),
        ("watch",),
        ("watch", "ticks"),
        ("db", "upgrade"),
        ("resume",),
        ("reconcile",),
        ("cancel-all",),
        ("flatten",),
    }
    with_json = {
        typed
        for typed, entry in commands()
        if any("--json" in option.opts for option in options(entry))
    }

    assert with_json == failing.keys() | cannot
    for typed, more in failing.items():
        document = failure(*typed, *more, "--json")
        assert document["error"]["code"] not in {"error", "input", "settings"}, typed


def test_without_json_nothing_of_a_failure_is_on_stdout():
    for arguments in (("plan", "--strategy", "cautios"), ("plan", "--nope"), ("pln",)):
        assert run(*arguments).stdout == "", arguments


def test_a_plan_whose_report_cannot_be_written_stays_the_one_document(folder: Path):
    # a folder that takes no file from anybody
    files = own_files(folder)
    result = run("plan", *files, "--json", "--report", "/proc/self/report.html")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["schema"].startswith("steelyard.plan/")
