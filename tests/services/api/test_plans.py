"""Plans over HTTP: the same that the command makes, kept once, explained, compared, drawn."""

from __future__ import annotations

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from fastapi import FastAPI

from builders.commands import run
from builders.listening import listening
from builders.management import DEEPER, TOKEN, Asking, content
from steelyard.plans import verify
from steelyard.plans.plan import Plan
from steelyard.services.house import House
from steelyard.store import buckets, events
from steelyard.telemetry.breaker import Rules
from steelyard.telemetry.health import Health

WEIGHTS = "opportunity_calculators.weight_based"
DATA = '<script type="application/json" id="plan">'
"""The document of a page, which runs nothing."""


def made(api: Asking, **more: int) -> str:
    return str(api.post("/api/plans", bucket="core", **more).json()["plan_id"])


@pytest.mark.parametrize("engine", ["fast", "reference"])
def test_the_plan_is_the_one_that_the_command_makes(
    api: Asking, house: House, monkeypatch: pytest.MonkeyPatch, engine: str
):
    house.variables = {**house.variables, "STEELYARD_ENGINE_ACTIVE": engine}
    for name, value in house.variables.items():
        monkeypatch.setenv(name, value)
    api.post("/buckets/core/assign-config", config_id=api.save("mine", DEEPER))

    first = api.post("/api/plans", bucket="core")
    typed = json.loads(run("plan", "--bucket", "core", "--json").stdout)
    again = api.post("/api/plans", bucket="core")

    assert first.json()["plan_id"] == typed["plan_id"]
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.headers["location"] == f"/api/plans/{typed['plan_id']}"
    assert first.json()["steps"]
    assert verify.check(first.json()).ok
    (row,) = api.get("/api/plans", bucket="core").json()["plans"]
    assert json.loads(run("plans", "list", "--json").stdout) == [row]


def test_its_events_are_kept_with_it(api: Asking, house: House):
    plan_id = made(api)

    rows = [row.event for row in events.since(house.store(), bucket="core")]

    types = [event.event_type for event in rows]
    assert types.index("PlanningStarted") < types.index("PlanningCompleted")
    (saved,) = (event for event in rows if event.event_type == "PlanSaved")
    assert saved.data["plan_id"] == plan_id
    of_plan = ("Plan", "Planning")
    runs = {event.correlation_id for event in rows if event.event_type.startswith(of_plan)}
    assert len(runs) == 1
    assert runs != {""}


def test_a_module_out_of_service_is_left_out_as_by_the_command(
    api: Asking, house: House, monkeypatch: pytest.MonkeyPatch
):
    for name, value in house.variables.items():
        monkeypatch.setenv(name, value)
    with_it = made(api)
    version = api.get("/planner/health/core").json()["modules"][WEIGHTS]["version"]
    for _ in range(3):
        Health(house.home, Rules()).record([(WEIGHTS, version, "it broke")])

    without = api.post("/api/plans", bucket="core").json()

    assert without["plan_id"] != with_it
    typed = json.loads(run("plan", "--bucket", "core", "--json").stdout)
    assert typed["plan_id"] == without["plan_id"]
    (module,) = (m for m in without["modules"] if f"{m['kind']}.{m['name']}" == WEIGHTS)
    assert module["outcome"] == "disabled"


def test_how_a_plan_came_to_be_refused_is_kept(api: Asking, house: House):
    cap = "[limits]\nmax_position_weight = 0.1\n"
    api.post("/buckets/core/assign-config", config_id=api.save("mine", cap))

    answer = api.post("/api/plans", bucket="core")

    assert answer.status_code == 422
    (failed,) = events.since(house.store(), event_type="PlanningFailed")
    assert failed.event.data["code"] == answer.json()["errors"][0]["code"]
    assert api.get("/api/plans").json()["plans"] == []


def test_only_so_many_plan_at_once_and_whoever_reads_does_not_wait_for_them(
    app: FastAPI, api: Asking, house: House
):
    house.planning.total_tokens = 1
    own = {"Authorization": f"Bearer {TOKEN}"}
    with listening(app) as at, ThreadPoolExecutor(4) as pool:
        plans = [
            pool.submit(
                httpx2.post, f"{at.url}/api/plans", headers=own, timeout=60,
                json={"bucket": "core", "seed": seed},
            )
            for seed in range(5)
        ]  # fmt: skip
        waits = []
        while not all(plan.done() for plan in plans):
            start = time.monotonic()
            assert httpx2.get(f"{at.url}/api/buckets", headers=own).status_code == 200
            waits.append(time.monotonic() - start)
            time.sleep(0.05)

    assert [plan.result().status_code for plan in plans] == [201] * 5
    rows = [row.event for row in events.since(house.store(), bucket="core")]
    types = ("PlanningStarted", "PlanningCompleted")
    times = sorted((row.timestamp, row.event_type) for row in rows if row.event_type in types)
    assert [event_type for _, event_type in times] == [*types] * 5
    assert sorted(waits)[len(waits) // 2] < 1


def test_a_plan_is_read_as_it_was_kept_and_never_sent_twice(api: Asking):
    plan_id = made(api)

    whole, short = api.get(f"/api/plans/{plan_id}"), api.get(f"/api/plans/{plan_id[:8]}")
    again = api.ask("GET", f"/api/plans/{plan_id}", headers={"If-None-Match": f'"{plan_id}"'})

    assert whole.content == short.content
    assert Plan.from_document(whole.json()).plan_id == plan_id
    assert "immutable" in whole.headers["cache-control"]
    assert short.headers["cache-control"] == "no-store"
    assert (again.status_code, again.content) == (304, b"")


def test_why_diff_and_page_are_those_of_the_commands(api: Asking):
    a, b = made(api), made(api, seed=1)

    why = api.get(f"/api/plans/{a}/why", symbol="aaa").json()
    unknown = api.get(f"/api/plans/{a}/why", symbol="AAB")
    diff = api.get(f"/api/plans/{a}/diff/{b}").json()
    page = api.get(f"/api/plans/{a}/report")

    assert (why["symbol"], why["holding"]["symbol"], why["class"]) == ("AAA", "AAA", None)
    assert (unknown.status_code, "Did you mean" in unknown.text) == (422, True)
    assert (diff["a"]["plan_id"], diff["b"]["plan_id"]) == (a, b)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert a[:12] in page.text
    assert re.findall("<script[^>]*>", page.text) == [DATA]


def test_a_list_is_read_in_pages_though_plans_are_made_meanwhile(api: Asking):
    ids = [made(api, seed=seed) for seed in range(4)]

    first = api.get("/api/plans", limit=2).json()
    made(api, seed=9)
    second = api.get("/api/plans", limit=2, after=first["next"]).json()

    seen = [row["plan_id"] for page in (first, second) for row in page["plans"]]
    assert seen == ids[::-1]
    assert second["next"] is None
    assert api.get("/api/plans", bucket="croe").status_code == 404
    assert api.get("/api/plans", after="").status_code == 422


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"bucket": "nobody"}, 404),
        ({"bucket": "empty"}, 422),
        ({"bucket": "core", "seed": -1}, 422),
        ({"bucket": "core", "seed": "1"}, 422),
        ({"bucket": "core", "arm": True}, 422),
        ({}, 422),
    ],
)
def test_what_cannot_be_planned_is_refused_and_nothing_is_kept(
    api: Asking, house: House, fields: dict[str, object], status: int
):
    buckets.create(house.store(), "empty")
    before = content(house.store())

    answer = api.post("/api/plans", **fields)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert content(house.store()) == before


@pytest.mark.parametrize("plan_id", ["0" * 64, "abc", "zzzzzzzz", "0" * 65, "..%2f..%2fx"])
def test_a_plan_that_is_not_there_is_told(api: Asking, plan_id: str):
    assert api.get(f"/api/plans/{plan_id}").status_code in {404, 422}
