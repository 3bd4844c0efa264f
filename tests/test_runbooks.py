"""The runbooks, where something has to go wrong first: by the commands that they name."""

import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from builders.commands import run
from builders.paths import ROOT
from builders.stored import PROGRAM, environment, planned

PAGE = (ROOT / "docs" / "runbooks.md").read_text(encoding="utf-8")
TESTED = {
    "Halt": "test_docs.py", "Flatten": "test_docs.py",
    "Go back to the other engine": "test_docs.py", "Roll back a strategy": "test_docs.py",
    "A run was interrupted": "test_demo_execute.py",
    "A batch or a fleet was interrupted": "cli/test_batch.py",
    "The runner died": "cli/test_runner.py",
    "An order whose fate is not known": "execution/test_unanswered.py",
    "A frozen account": "test_runbooks.py", "The disk is full": "test_runbooks.py",
    "The journal is no use": "test_runbooks.py",
    "A service dies again and again": "test_runbooks.py",
    "The log of a night": "test_runbooks.py",
    "A plan took too long": "services/test_coordinator.py",
    "A token is in the wrong hands": "test_runbooks.py",
    "The database of the services is not usable": "test_runbooks.py",
}  # fmt: skip
"""Section -> the tests that exercise it."""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("runbooks")
    return folder / "home", planned(folder)


@pytest.fixture
def home(prepared, tmp_path, monkeypatch) -> Path:
    place = tmp_path / "home"
    shutil.copytree(prepared[0], place)
    monkeypatch.setenv("STEELYARD_HOME", str(place))
    monkeypatch.setenv("STEELYARD_PAPER_PACE", "0")
    return place


def test_every_section_is_exercised_somewhere():
    titles = [line.removeprefix("## ") for line in PAGE.splitlines() if line.startswith("## ")]
    assert titles == list(TESTED)
    assert all((ROOT / "tests" / file).is_file() for file in TESTED.values())


def test_a_frozen_account_is_traded_again_after_somebody_looked(home, prepared):
    plan = prepared[1]
    assert run("execute", plan, "--yes").exit_code == 0
    with sqlite3.connect(home / "paper.db") as store:
        store.execute("UPDATE cash SET amount = '999.99'")

    result = run("reconcile", "--json")
    assert (result.exit_code, json.loads(result.stdout)["clean"]) == (1, False)
    assert "core" in json.loads(result.stdout)["frozen"]
    assert "is frozen" in run("health").stderr
    assert "`steelyard reconcile --account A --acknowledge --reason" in PAGE
    assert run("reconcile", "--acknowledge").exit_code == 1
    assert run("reconcile", "--acknowledge", "--reason", "a deposit").exit_code == 0
    assert run("reconcile").exit_code == 0
    assert run("health").exit_code == 0


def test_a_full_disk_ends_with_70_and_the_run_goes_on_after_room_was_made(home, prepared):
    plan, journal = prepared[1], home / "journal.db"
    assert run("halt", "--reason", "x").exit_code == 0  # makes the journal
    assert run("halt", "--lift", "--reason", "x").exit_code == 0
    room = journal.stat().st_size + 24 * 1024

    full = subprocess.run(
        [*PROGRAM, "execute", plan, "--yes"], env=environment(home), text=True,
        capture_output=True, check=False, timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
    )  # fmt: skip

    assert full.returncode == 70, full.stderr
    assert "journal.db failed" in full.stderr
    assert "Nothing further was sent." in full.stderr
    assert run("resume").exit_code == 0
    assert run("reconcile").exit_code == 0
    with sqlite3.connect(home / "paper.db") as store:
        names = [name for (name,) in store.execute("SELECT client_order_id FROM orders")]
    assert len(names) == len(set(names))


def test_without_its_key_a_journal_is_read_and_not_traded_on_and_all_can_be_sold(home, prepared):
    assert run("execute", prepared[1], "--yes").exit_code == 0
    key = (home / "journal.key").read_bytes()
    (home / "journal.key").unlink()

    for command in (["resume"], ["reconcile"], ["execute", prepared[1], "--yes"]):
        result = run(*command)
        assert (result.exit_code, "journal.key is not there" in result.stderr) == (70, True), (
            command
        )
    assert "Done" in run("runs").stdout
    assert run("halt", "--reason", "journal").exit_code == 0
    assert (home / "HALT").exists()
    assert run("halt", "--lift", "--reason", "looked").exit_code == 0
    sold = run("flatten", "--without-journal", "--yes")
    assert "is in no journal of it" in sold.stdout
    with sqlite3.connect(home / "paper.db") as store:
        assert [*store.execute("SELECT * FROM positions WHERE quantity != '0'")] == []

    (home / "journal.key").write_bytes(key)
    (home / "journal.key").chmod(0o600)
    assert run("reconcile").exit_code == 1
    assert run("reconcile", "--acknowledge", "--reason", "sold").exit_code == 0


class Night:
    """`serve all` with two evaluators, and its log."""

    def __init__(self, home: Path, rows: list[str]) -> None:
        self.home, self.rows = home, [row.split() for row in rows]

    def url(self, name: str) -> str:
        return next(url for row, url, *_ in self.rows if row == name)

    def ask(self, path: str, body: Any = None, token: str | None = None) -> httpx2.Response:
        secret = token or (self.home / "token").read_text().strip()
        return httpx2.request(
            "GET" if body is None else "POST", self.url("coordinator") + path, json=body,
            headers={"Authorization": f"Bearer {secret}"}, timeout=60,
        )  # fmt: skip

    def lines(self, text: str) -> list[dict[str, Any]]:
        """What grep finds in the log."""
        log = (self.home / "services.log").read_text().splitlines()
        return [json.loads(line) for line in log if text in line and line.startswith("{")]


@contextmanager
def night(home: Path) -> Iterator[Night]:
    with (home / "services.log").open("w") as log, subprocess.Popen(
        [*PROGRAM, "serve", "all", "--base-port", "0", "--evaluators", "2"],
        env={**os.environ, **environment(home)}, stdout=subprocess.PIPE, stderr=log, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            yield Night(home, [process.stdout.readline() for _ in range(5)])
        finally:
            process.terminate()


def comes(true: Callable[[], object]) -> bool:
    """Does it come true within ten seconds?"""
    end = time.monotonic() + 10
    while not true() and time.monotonic() < end:
        time.sleep(0.1)
    return bool(true())


def test_a_night_of_services_is_told_by_their_log_and_mended_by_what_the_page_says(home):
    request = json.loads((ROOT / "examples" / "create_plan.json").read_text())
    with night(home) as served:
        for pid in (int(row[3]) for row in served.rows if row[0] == "evaluator"):
            os.kill(pid, signal.SIGKILL)
        plan = served.ask("/coordinator/create-plan", {"bucket": "core"}).json()
        again = comes(lambda: len(served.lines("is started again")) == 2)

        (done,) = served.lines(plan["plan_id"])[-1:]
        trace = served.lines(done["trace_id"])
        saved = json.loads(run("events", "--bucket", "core", "--json").stdout)

        leaked = run("token", "create", "--role", "planner").stdout.split()[-1]
        (listed,) = json.loads(run("token", "list", "--json").stdout)
        before = served.ask("/api/plans", {"bucket": "core"}, leaked).status_code
        run("token", "revoke", listed["id"])
        after = served.ask("/api/plans", token=leaked).status_code
        own = (home / "token").read_text().strip()
        (home / "token").unlink()
        without = served.ask("/api/plans", token=own).status_code
        made = run("token", "create", "--role", "admin").stdout.split()[-1]

        (home / "steelyard.db").write_bytes(b"no database" * 1000)
        down = served.ask("/coordinator/health", token=made)
        whole = served.ask("/coordinator/create-plan", request, made)

    assert again
    assert {line["service"] for line in served.lines("was ended by signal 9")} == {"serve"}
    assert all(line["timestamp"] for line in served.lines('"service": "serve"'))
    assert (done["event"], done["bucket_id"]) == ("request", "core")
    services = {line["service"].split(":")[0] for line in trace}
    assert services >= {"opportunity", "generator", "coordinator"}
    assert done["trace_id"] in {event["correlation_id"] for event in saved}
    assert (before, after, without) == (200, 401, 401)
    calls = [line for line in served.lines(listed["id"]) if line["event"] == "called"]
    assert [(line["path"], line["status"]) for line in calls] == [("/api/plans", 200)]
    assert (down.status_code, whole.status_code) == (503, 200)
    assert "steelyard db restore" in down.json()["checks"]["store"]
