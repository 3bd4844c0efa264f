"""Runs over HTTP: what the journal has, to be read, and nothing that trades."""

from __future__ import annotations

import json

import pytest
from fastapi import FastAPI

from builders.commands import run
from builders.management import Asking
from steelyard.services.house import House


def test_a_run_is_what_the_command_shows_of_it(
    api: Asking, house: House, monkeypatch: pytest.MonkeyPatch
):
    for name, value in house.variables.items():
        monkeypatch.setenv(name, value)
    nothing = api.get("/api/runs").json()
    plan_id = api.post("/api/plans", bucket="core").json()["plan_id"]
    assert run("execute", plan_id, "--broker", "paper", "--yes").exit_code == 0

    every = api.get("/api/runs").json()["runs"]
    (row,) = every

    assert nothing == {"runs": [], "next": None}
    assert json.loads(run("runs", "--json").stdout) == every
    assert api.get(f"/api/runs/{row['run_id']}").json() == row == api.get("/api/runs/last").json()
    assert (row["plan_id"], row["mode"]) == (plan_id, "paper")
    assert row["orders"][0]["sent"] is True
    assert api.get("/api/runs", account="nobody").json()["runs"] == []
    assert api.get("/api/runs/r-nothing").status_code == 404


def test_nothing_is_traded_over_http(app: FastAPI):
    routes = {
        (method.upper(), path)
        for path, methods in app.openapi()["paths"].items()
        for method in methods
    }

    assert {method for method, path in routes if path.startswith("/api/runs")} == {"GET"}
    words = ("execute", "arm", "halt", "flatten", "cancel", "resume", "order", "broker")
    assert [path for _, path in routes if any(word in path for word in words)] == []
