"""`runner` and `execute --runner`: processes, a socket, a kill; the orders are as of one run."""

import json
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from builders.stored import command, planned, running, until
from steelyard.cli.runner import taken_keys
from steelyard.errors import NotExecuted
from steelyard.execution.runner.client import ask

KEY, SECRET = "PKAAAAAAAAAAAAAAAAAA", "s3cr3t" * 6
KEYS = {"APCA_API_KEY_ID": KEY, "APCA_API_SECRET_KEY": SECRET}
SLOW = 0.02
"""Real seconds for each of the paper broker's: a run then takes a few."""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("runner")
    return folder / "home", planned(folder)


@pytest.fixture
def home(prepared, tmp_path) -> Path:
    shutil.copytree(prepared[0], tmp_path / "h")
    return tmp_path / "h"


@pytest.fixture
def plan(prepared) -> str:
    return prepared[1]


def status(home: Path) -> str:
    try:
        return ask(home, {"request": "status"}, seconds=2)["state"]
    except NotExecuted:
        return "silent"


def idle(home: Path) -> None:
    until(lambda: status(home) == "idle")


def executed(home: Path, plan: str, *more: str):
    return command(home, "execute", plan, "--runner", "--yes", *more)


def orders(home: Path) -> list[str]:
    """Of the paper broker: every client order id, once for each order that came to it."""
    with sqlite3.connect(home / "paper.db") as store:
        if not store.execute("SELECT 1 FROM sqlite_schema WHERE name = 'orders'").fetchone():
            return []  # the runner is just making the file
        return [name for (name,) in store.execute("SELECT client_order_id FROM orders")]


def outcomes(home: Path) -> dict[str, str | None]:
    """Run id -> what became of it, as the journal has it."""
    with sqlite3.connect(home / "journal.db") as store:
        return dict(store.execute("SELECT run_id, outcome FROM run"))


def begun(home: Path, plan: str) -> str:
    """The id of the run of a plan that was handed over."""
    return ask(home, {"request": "execute", "plan_id": plan})["run"]["run_id"]


def sending(home: Path) -> None:
    until(lambda: (home / "paper.db").exists() and orders(home))


def test_a_plan_is_handed_over_by_its_id_and_followed_and_the_client_has_no_keys(home, plan):
    with running(home, more=KEYS) as runner:
        idle(home)
        result = executed(home, plan, "--json")
        run = json.loads(result.stdout)
        assert (result.returncode, run["outcome"]) == (0, "done")
        seen = ask(home, {"request": "runs"})["runs"]
        assert [each["run_id"] for each in seen] == [run["run_id"]]
        assert begun(home, plan) == run["run_id"], "the same plan again is the same run"
        idle(home)
        children = Path(f"/proc/{runner.pid}/task/{runner.pid}/children").read_text().split()
        texts = [Path(f"/proc/{child}/environ").read_bytes() for child in children]
        assert not any(KEY.encode() in text for text in texts)
        runner.terminate()
        _, words = runner.communicate()
    assert (runner.returncode, "No run was under way" in words) == (143, True)
    assert SECRET not in words
    assert not (home / "runner.sock").exists()
    for file in home.iterdir():
        if file.is_file():
            assert SECRET.encode() not in file.read_bytes(), file


def test_the_keys_leave_the_environment_of_the_process_itself():
    environment = {"PATH": "/bin", **KEYS}
    assert taken_keys(environment) == {"PATH": "/bin", **KEYS}
    assert environment == {"PATH": "/bin"}


def test_two_clients_with_one_plan_get_one_run_which_outlives_the_kill_of_its_runner(home, plan):
    with running(home, pace=SLOW) as runner:
        idle(home)
        with ThreadPoolExecutor() as pool:
            client = pool.submit(executed, home, plan)
            sending(home)
            run = begun(home, plan)
            runner.kill()
            assert client.result().returncode == 1
    assert "does not answer" in client.result().stderr
    assert (home / "runner.sock").exists()
    assert outcomes(home) == {run: None}
    with running(home):
        idle(home)
    assert outcomes(home) == {run: "done"}
    assert len(orders(home)) == len(set(orders(home)))


def test_sigterm_in_the_middle_of_a_run_names_it_and_leaves_it_to_resume(home, plan):
    with running(home, pace=SLOW) as runner:
        idle(home)
        run = begun(home, plan)
        sending(home)
        runner.terminate()
        _, words = runner.communicate()
    assert (runner.returncode, outcomes(home)) == (143, {run: None})
    assert f"Interrupted. The run {run} is in the journal" in words
    assert not (home / "runner.sock").exists()
    assert command(home, "resume").returncode == 0
    assert outcomes(home) == {run: "done"}
    assert len(orders(home)) == len(set(orders(home)))


def test_a_second_runner_an_unknown_plan_and_a_halt_are_refused_by_one_that_stays(home, plan):
    without = executed(home, plan)
    assert (without.returncode, "steelyard runner" in without.stderr) == (1, True)
    with running(home):
        idle(home)
        second = command(home, "runner")
        assert (second.returncode, "A runner of" in second.stderr) == (1, True)
        with pytest.raises(NotExecuted, match="No plan 0000"):
            begun(home, "0" * 64)
        idle(home)
        assert ask(home, {"request": "halt", "reason": "stop it"})["engaged"]
        with pytest.raises(NotExecuted, match="stop it"):
            begun(home, plan)
        idle(home)
    assert (home / "HALT").exists()
    assert set(outcomes(home).values()) == {"not_started"}
