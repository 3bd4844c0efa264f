"""Which application a name gives, and what its process does not have."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

import pytest
from jsonschema import validate

from builders.asked import Desk
from steelyard.services.applications import APPLICATIONS, application
from steelyard.services.house import open_house

LOADED = """
import os, sys
from steelyard.services.applications import application
from steelyard.services.house import open_house
with open_house(os.environ) as house:
    application(sys.argv[1], house)
print(*sorted(name for name in sys.modules if name.startswith("steelyard.")))
"""
RUNNER = ("steelyard.execution.runner.server", "steelyard.execution.runner.jobs")
"""Of the process that holds keys; pages ask it by its client."""
NOBODYS = ("steelyard.brokers.alpaca", *RUNNER, "steelyard.cli")
MANAGEMENT = ("steelyard.services.api", "steelyard.services.coordinator")


def loaded(name: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, name], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


@pytest.mark.parametrize(
    ("name", "others"),
    [("evaluator", (*NOBODYS, *MANAGEMENT, "steelyard.services.generator")),
     ("coordinator", NOBODYS), ("api", (*NOBODYS, "steelyard.services.evaluator"))],
)  # fmt: skip
def test_a_process_has_no_way_to_a_broker_and_nothing_of_other_services(name, others):
    modules = loaded(name)

    assert f"steelyard.services.{name}" in modules
    assert [module for module in modules if module.startswith(others)] == []


@pytest.mark.parametrize("name", APPLICATIONS)
def test_each_answers_how_it_is_under_its_own_name_alone(name, tmp_path):
    with open_house({"STEELYARD_HOME": str(tmp_path)}) as house:
        paths = application(name, house).openapi()["paths"]

    assert [path for path in paths if path.endswith("/health")] == [f"/{name}/health"]


def test_every_refusal_is_what_the_openapi_document_says_and_405_names_all_methods(tmp_path):
    desk = Desk(tmp_path, partial(application, "api"))
    with desk.as_role("admin") as client, desk.client() as nobody:
        (tmp_path / "steelyard.db").write_bytes(b"no database" * 1000)
        answers = {
            ("/api/plans", "put"): client.put("/api/plans", json={}),
            ("/api/plans/{plan_id}", "get"): client.get("/api/plans/abcdef"),
            ("/api/plans", "get"): nobody.get("/api/plans"),
            ("/api/plans", "post"): client.post("/api/plans", json={"bucket": 5}),
            ("/api/health", "get"): client.get("/api/health"),
        }
        nowhere = client.get("/nowhere")
    document = desk.app.openapi()

    put, _, _, post, _ = answers.values()
    assert post.json()["errors"][0]["place"] == "body.bucket"
    assert [answer.status_code for answer in answers.values()] == [405, 503, 401, 422, 503]
    assert put.headers["Allow"] == "GET, POST"
    assert "What this path takes: GET, POST." in put.json()["detail"]
    assert "GET /openapi.json lists the routes." in nowhere.json()["detail"]
    for (path, method), answer in answers.items():
        operation = document["paths"][path].get(method, document["paths"][path]["get"])
        said = operation["responses"][str(answer.status_code)]["content"]
        schema = said[answer.headers["Content-Type"]]["schema"]
        validate(answer.json(), {**schema, "components": document["components"]})
