"""Pages of a run whose runner was killed, and of an account whose books differ."""

from __future__ import annotations

import os
import signal
import sqlite3
from pathlib import Path

from builders.browsing import heading, signed_in, words
from builders.stored import command, planned, running, until
from steelyard.execution.runner.client import ask
from steelyard.services.house import House


def test_a_killed_runner_and_a_frozen_account_are_told_at_once_wherever_one_looks(tmp_path: Path):
    planned_id = planned(tmp_path)
    home = tmp_path / "home"
    house = House({"STEELYARD_HOME": str(home)})
    with signed_in(house, "operator") as visitor:
        with running(home, pace=5) as runner:
            until(lambda: ask(home, {"request": "status"})["state"] == "idle")
            ask(home, {"request": "execute", "plan_id": planned_id}, 20)
            until(lambda: "at the broker now," in words(visitor.get("/runs")))
            assert "is under way" in heading(visitor.get("/runs"))
            assert "Selling" in words(visitor.get("/"))
            assert "A process works on it now." in command(home, "runs").stdout
            os.kill(runner.pid, signal.SIGKILL)
            runner.wait()
        assert heading(visitor.get("/runs")) == "One run is interrupted"
        shown = visitor.get("/runs/last")
        assert heading(shown).startswith("Interrupted: no runner is there since")
        assert "steelyard resume" in words(shown)
        assert "A halted run ends" in words(shown)
        assert "If this page cannot be reached, on this machine:" in words(shown)
        for address in ("/", "/buckets/core"):
            assert "Interrupted: no runner is there" in words(visitor.get(address))

        for told in (command(home, "runs").stdout, command(home, "runs", "last").stdout):
            assert "Interrupted since" in " ".join(told.split())
            assert "steelyard resume" in " ".join(told.split())
        health = command(home, "health")
        assert (health.returncode, "is interrupted since" in health.stderr) == (1, True)
        assert command(home, "resume").returncode == 0
        assert "Interrupted" not in words(visitor.get("/runs"))
        with sqlite3.connect(home / "paper.db") as paper:
            paper.execute("UPDATE positions SET quantity = quantity - 3 WHERE symbol = 'AAA'")
        assert command(home, "reconcile").returncode == 1
        for address in ("/", "/buckets/core"):
            answer = visitor.get(address)
            assert "frozen" in words(answer)
            assert "/breaks" in answer.text
        assert heading(visitor.get("/runs")) == "The account core is frozen"
    house.close()
