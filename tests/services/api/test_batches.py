"""Batches over HTTP: how far runs are, as the command lists them."""

from __future__ import annotations

import json

import pytest

from builders.commands import run
from builders.management import Asking
from steelyard.services.house import House


def test_a_run_is_what_the_command_lists(
    api: Asking, house: House, monkeypatch: pytest.MonkeyPatch
):
    for name, value in house.variables.items():
        monkeypatch.setenv(name, value)
    nothing = api.get("/api/batches").json()
    (outcome,) = json.loads(run("batch", "--bucket", "core", "--json").stdout)

    every = api.get("/api/batches").json()
    (row,) = every["batches"]
    first = api.get(f"/api/batches/{outcome['run_key']}")

    assert nothing == {"batches": [], "next": None}
    assert json.loads(run("batch", "--list", "--json").stdout) == every["batches"]
    assert first.json() == row
    assert (row["run_key"], row["plan_id"], row["final"]) == (
        outcome["run_key"], outcome["plan_id"], True,
    )  # fmt: skip
    assert row["progress_percentage"] == 100.0
    assert api.get("/api/batches", bucket="nobody").json()["batches"] == []
    assert api.get(f"/api/batches/{'0' * 64}").status_code == 404
    assert api.get("/api/batches/last").status_code == 422


def test_a_run_that_did_not_change_is_not_sent_again(
    api: Asking, house: House, monkeypatch: pytest.MonkeyPatch
):
    for name, value in house.variables.items():
        monkeypatch.setenv(name, value)
    (outcome,) = json.loads(run("batch", "--all", "--json").stdout)
    address = f"/api/batches/{outcome['run_key']}"
    tag = api.get(address).headers["etag"]

    again = api.ask("GET", address, headers={"If-None-Match": tag})

    assert (again.status_code, again.headers["etag"]) == (304, tag)
