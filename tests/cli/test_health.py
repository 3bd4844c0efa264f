"""Modules out of service, in the commands: what is left out, shown, tried again and forgotten."""

import hashlib
import json
import os
import re
import sqlite3
import time
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from builders.commands import own_files, run
from steelyard import strategies
from steelyard.cli.trading import journal
from steelyard.execution.journal.changes import alert
from steelyard.execution.reconcile.stored import freeze
from steelyard.modules import registry
from steelyard.modules.registry import Kind
from steelyard.runs.module_health import versions

FAILING = "opportunity_calculators.profit_taking"
VERSION = registry.module(Kind.OPPORTUNITY, "profit_taking").version


@pytest.fixture
def home() -> Path:
    return Path(os.environ["STEELYARD_HOME"])


ORDERLY = "Presets, stored strategies, buckets and their cash are in order.\n"


def planned(*arguments: object):
    result = run("plan", "--json", *own_files(Path()), *arguments)
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture
def faulty(monkeypatch):
    """Breaks a calculator of the default strategy; calling it again mends it."""
    usual = strategies.default()

    def fail(ctx, params):
        raise RuntimeError("out of luck")

    def switch(broken: bool) -> None:
        choices = tuple(
            replace(choice, module=replace(choice.module, call=fail))
            if broken and choice.module.qualified == FAILING
            else choice
            for choice in usual.choices[Kind.OPPORTUNITY]
        )
        every = MappingProxyType({**usual.choices, Kind.OPPORTUNITY: choices})
        strategy = replace(usual, choices=every)
        monkeypatch.setattr("steelyard.cli.options.strategy_of", lambda chosen: strategy)

    switch(True)
    return switch


def codes(document) -> list[tuple[str, str]]:
    return [(notice["code"], notice["module"]) for notice in document["problems"]]


def state(name: str = FAILING) -> dict:
    return next(
        row
        for row in json.loads(run("health", "--json").stdout)
        if f"{row['kind']}.{row['name']}" == name
    )


@pytest.fixture
def thrice(faulty):
    """The module failed in three plans: it is out of service."""
    assert [codes(planned()) for _ in range(3)] == [[("module_failed", FAILING)]] * 3


def wait(monkeypatch) -> None:
    """Let the time pass for which a module is out of service."""
    monkeypatch.setenv("STEELYARD_OPEN_SECONDS", "0.05")
    time.sleep(0.06)


def test_after_three_failures_in_a_row_the_next_plan_and_its_explanation_are_made_without(thrice):
    assert codes(planned("--explain")) == [("module_disabled", FAILING)]

    circuit = state()
    expected = ("open", 3, "RuntimeError: out of luck")
    assert (circuit["state"], circuit["failures"], circuit["error"]) == expected


def test_what_is_out_of_service_is_shown_with_error_and_time(thrice, folder):
    result = run("plan", *own_files(folder), "--report", "r.html")

    last = "3 failures in a row, the last RuntimeError: out of luck; next try after 2"
    for text in (result.stdout, (folder / "r.html").read_text()):
        flat = " ".join(text.split())
        assert "without 1 module that failed or is out of service: profit_taking." in flat
        assert f"The module {FAILING} is out of service: {last}" in flat


def test_after_the_wait_the_module_is_on_trial_and_a_success_closes_its_circuit(
    thrice, faulty, home, monkeypatch
):
    wait(monkeypatch)
    assert state()["state"] == "half-open"
    assert " on trial " in run("health").stdout
    assert run("health", FAILING).stdout.startswith(f"{FAILING} is on trial.")
    faulty(False)

    assert codes(planned()) == []

    assert state()["state"] == "closed"
    assert json.loads((home / "health.json").read_text())["circuits"] == {}


def test_the_threshold_can_be_set(faulty, monkeypatch):
    monkeypatch.setenv("STEELYARD_FAILURE_THRESHOLD", "1")
    planned()

    assert codes(planned()) == [("module_disabled", FAILING)]


def test_a_rule_that_is_out_of_range_is_refused_before_anything_is_planned(monkeypatch):
    monkeypatch.setenv("STEELYARD_FAILURE_THRESHOLD", "none")
    result = run("plan")

    assert (result.exit_code, result.stdout) == (1, "")
    assert "STEELYARD_FAILURE_THRESHOLD is 'none'" in result.stderr


def test_why_counts_too(faulty, folder):
    planned()
    run("why", "AAA", *own_files(folder))
    run("why", "AAA", *own_files(folder))

    assert state()["failures"] == 3


def test_a_refused_plan_gives_the_try_back(thrice, monkeypatch, folder):
    wait(monkeypatch)
    (folder / "debt.csv").write_text("symbol,quantity,price\nCASH:USD,-300,\n")

    assert run("plan", "--holdings", "debt.csv").exit_code == 1

    assert (state()["state"], state()["failures"]) == ("half-open", 3)


def test_the_demo_neither_leaves_out_nor_counts(faulty, home):
    for _ in range(4):
        assert codes(json.loads(run("demo", "--json").stdout)) == [("module_failed", FAILING)]

    assert not home.exists()


def test_while_everything_is_healthy_nothing_is_written(home):
    planned()
    result = run("health")

    modules = sum(len(registry.modules(kind)) for kind in Kind)
    terms = len(registry.modules(Kind.TERM))
    counted = (
        f"{modules} modules ({modules - terms} that propose or filter orders, {terms} score terms)"
    )
    assert (result.exit_code, result.stdout) == (
        0,
        f"Of {counted} none is out of service.\n{ORDERLY}",
    )
    assert {row["state"] for row in json.loads(run("health", "--json").stdout)} == {"closed"}
    assert run("health", "--reset").stderr == "There was nothing to forget: no module has failed.\n"
    assert not home.exists()


def test_health_lists_each_failure_with_state_error_and_next_try(faulty):
    planned()
    once = run("health").stdout
    assert "in service" in once
    assert "it runs" in once
    planned()
    planned()
    result = run("health")

    assert result.exit_code == 1
    expected = f"The module {FAILING} is out of service: RuntimeError: out of luck\n"
    assert result.stderr == expected
    assert result.stdout.startswith("Of ")
    assert "score terms) 1 is out of service." in result.stdout
    line = next(line for line in result.stdout.splitlines() if FAILING in line)
    assert re.split(" {2,}", line)[:4] == [FAILING, VERSION, "out of service", "3"]
    head = next(line for line in result.stdout.splitlines() if "Failures" in line)
    assert head.index("Failures") + len("Failures") == line.index("  3  ") + len("  3")
    assert re.search(r"after 2.* UTC$", line)
    assert "RuntimeError: out of luck" in result.stdout


def test_health_of_one_module_is_asked_by_its_name(thrice):
    document = json.loads(run("health", "profit_taking", "--json").stdout)

    assert run("health", FAILING).stdout.startswith(f"{FAILING} is out of service.")
    assert {row["name"] for row in document} == {"profit_taking"}


@pytest.mark.parametrize(
    "arguments", [["--reset"], ["--reset", "profit_taking"], [FAILING, "--reset"]]
)
def test_a_reset_puts_the_module_back_into_service(thrice, arguments):
    result = run("health", *arguments)

    assert (result.exit_code, result.stderr) == (0, f"Forgotten: {FAILING}@{VERSION}.\n")
    assert state()["failures"] == 0
    assert codes(planned()) == [("module_failed", FAILING)]


def test_the_reset_of_another_module_forgets_nothing(faulty):
    planned()
    run("health", "--reset", "opportunity_buys")

    assert state()["failures"] == 1


def test_a_module_that_nobody_knows_is_an_error_with_the_nearest_name():
    result = run("health", "profit_takin", "--reset")

    assert result.exit_code == 1
    assert (
        "There is no module profit_takin, and none of that name has failed. Did you mean "
        "profit_taking?" in result.stderr
    )


def test_a_module_that_is_gone_can_still_be_seen_and_forgotten(home):
    home.mkdir()
    since = {"seconds": time.monotonic(), "boot": "", "utc": "2026-03-10T11:05:00Z"}
    circuit = {"failures": 1, "error": "E: x", "since": since}
    (home / "health.json").write_text(
        json.dumps({"version": 1, "circuits": {"filters.once@0.1.0": circuit}})
    )

    assert "filters.once" in run("health").stdout
    assert run("health", "once", "--reset").stderr == "Forgotten: filters.once@0.1.0.\n"
    assert "filters.once" not in run("health").stdout


def test_a_file_that_cannot_be_understood_is_told_and_the_plan_is_made(home, folder):
    home.mkdir()
    (home / "health.json").write_text("{")
    result = run("plan", "--json", *own_files(folder))

    assert result.exit_code == 0
    json.loads(result.stdout)
    assert "it is now health.json.unreadable, and every module is tried" in " ".join(
        result.stderr.split()
    )


def test_a_home_that_cannot_be_made_is_told_and_the_plan_is_made(faulty, home, folder):
    home.write_text("a file where the folder should be")
    result = run("plan", "--json", *own_files(folder))

    assert result.exit_code == 0
    assert codes(json.loads(result.stdout)) == [("module_failed", FAILING)]
    assert "could not be" in result.stderr


# a plugin


def listed(folder: Path, body: str) -> Path:
    """A strategy that lists one plugin, a calculator."""
    text = (
        "from steelyard import ModuleParams, opportunity_calculator\n\n"
        '@opportunity_calculator("hopeless", version="1.0.0", params=ModuleParams)\n'
        f"def hopeless(ctx, params):\n    {body}\n"
    )
    (folder / "hopeless.py").write_text(text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    (folder / "mine.toml").write_text(
        f'[plugins]\nfolder = "."\nfiles = {{ "hopeless.py" = "sha256:{digest}" }}\n'
    )
    return folder / "mine.toml"


def test_a_plugin_that_fails_three_plans_in_a_row_is_put_out_of_service_and_tried_again(
    folder, monkeypatch
):
    name = "opportunity_calculators.hopeless"
    mine = listed(folder, 'raise ValueError("no luck")')
    usual = planned()

    plans = [planned("--strategy", mine) for _ in range(4)]

    assert [codes(plan) for plan in plans] == [[("module_failed", name)]] * 3 + [
        [("module_disabled", name)]
    ]
    assert [plan["steps"] for plan in plans] == [usual["steps"]] * 4
    shown = run("health", name).stdout
    assert shown.startswith(f"{name} is out of service.")
    assert "ValueError: no luck (hopeless.py line 5)" in shown

    wait(monkeypatch)
    assert codes(planned("--strategy", listed(folder, "return []"))) == []
    assert "none is out of service" in run("health").stdout


@pytest.fixture
def core() -> None:
    assert run("bucket", "load", "core", *own_files(Path())).exit_code == 0


def of_bucket(name: str = "core"):
    result = run("health", "--bucket", name, "--json")
    return result.exit_code, json.loads(result.stdout)


def write(statement: str) -> None:
    """Change the database behind the back of whoever keeps it."""
    path = Path(os.environ["STEELYARD_HOME"]) / "steelyard.db"
    with sqlite3.connect(path) as connection:
        assert connection.execute(statement).rowcount == 1


def test_a_bucket_in_order_is_healthy_with_every_module_it_runs(core):
    code, report = of_bucket()

    assert (code, report["status"], report["errors"]) == (0, "healthy", [])
    loaded = {name: row["version"] for name, row in report["modules"].items()}
    assert loaded == versions(strategies.default())
    assert {row["state"] for row in report["modules"].values()} == {"closed"}
    assert run("health", "--bucket", "core").stdout.startswith("The bucket core is healthy")


def test_a_module_out_of_service_makes_a_bucket_unhealthy_that_runs_it(core, thrice):
    code, report = of_bucket()

    assert (code, report["status"]) == (1, "unhealthy")
    assert report["modules"][FAILING]["state"] == "open"
    assert f"The module {FAILING} is out of service" in report["errors"][0]


def test_json_lists_every_module_also_where_something_is_out_of_order(thrice):
    result = run("health", "--json")

    assert result.exit_code == 1
    assert len(json.loads(result.stdout)) == sum(len(registry.modules(kind)) for kind in Kind)


def test_another_module_out_of_service_does_not_make_the_one_asked_for_unhealthy(thrice):
    assert run("health", "tax_loss").exit_code == 0
    assert run("health", "profit_taking").exit_code == 1


def test_a_stored_strategy_that_is_no_longer_valid_is_told_with_its_version(core, home):
    (Path() / "s.toml").write_text("[limits]\nmax_orders = 3\n")
    assert run("strategy", "save", "mine", "s.toml", "--yes").exit_code == 0
    assert run("strategy", "assign", "mine", "--bucket", "core").exit_code == 0
    assert run("health").exit_code == 0
    write("UPDATE strategy_version SET toml = '[limits]\nmax_orderz = 3\n' WHERE name = 'mine'")

    result = run("health")
    code, report = of_bucket()

    assert result.exit_code == 1
    assert "The strategy mine v1: " in result.stderr
    assert "limits.max_orderz is not a known key" in result.stderr
    assert (code, report["status"]) == (1, "unhealthy")
    assert "max_orderz" in report["errors"][0]


def test_universes_that_overlap_are_told_with_what_they_share(core):
    for name in ("one", "two"):
        assert run("bucket", "create", name).exit_code == 0
        assert run("bucket", "settings", name, "--set", "universe=AAA,BBB").exit_code == 0

    result = run("health")

    assert result.exit_code == 1
    assert "The universes of the buckets one and two overlap: AAA, BBB." in result.stderr


def test_cash_that_is_not_the_accounts_is_told_by_how_much(core):
    write("UPDATE bucket_cash SET amount = '310' WHERE bucket = 'core'")

    result = run("health")

    assert result.exit_code == 1
    expected = "The buckets have USD 310 of cash, and the account USD 300: 10 apart.\n"
    assert result.stderr == expected


def test_a_bucket_without_holdings_is_tried_on_cash_alone(core):
    assert run("bucket", "create", "one").exit_code == 0
    code, report = of_bucket("one")

    assert code == 0
    assert any("has no holdings yet" in text for text in report["warnings"])


def test_a_bucket_of_nowhere_is_refused_and_no_database_is_made(home):
    result = run("health", "--bucket", "core")

    assert result.exit_code == 1
    assert "There is no database" in result.stderr
    assert run("health").exit_code == 0
    assert not home.exists()


def test_a_bucket_and_a_module_at_once_are_a_usage_error(core):
    assert run("health", "tax_loss", "--bucket", "core").exit_code == 2


def test_where_all_is_in_order_it_says_what_was_looked_at(folder: Path):
    run("bucket", "load", "core", *own_files(folder))

    healthy = run("health")

    assert healthy.exit_code == 0
    assert "buckets and their cash are in order" in healthy.stdout


def test_accounts_that_were_traded_are_shown_and_what_waits_for_a_person_ends_it_with_1(folder):
    assert "Account" not in run("health").stdout
    run("bucket", "load", "core", *own_files(folder), "--as-of", "2026-01-09")
    plan = json.loads(run("plan", "--bucket", "core", "--save", "--json").stdout)["plan_id"]
    assert run("execute", plan, "--broker", "file", "--yes").exit_code == 0

    result = run("health", "--json")
    (account,) = (row for row in json.loads(result.stdout) if row["kind"] == "account")
    assert result.exit_code == 0
    assert (account["name"], account["live"], account["frozen"]) == ("core", True, None)

    run("halt", "--reason", "look first")
    with journal() as entry, entry.writing() as change:
        freeze(change, "core", "1 share too many")
        alert(change, account["run_id"], "core", "frozen", "Look.")
    result = run("health")
    assert result.exit_code == 1
    assert "The kill switch is engaged: look first" in result.stderr
    assert "The account core is frozen: 1 share too many" in result.stderr
    assert "1 alert." in result.stdout
