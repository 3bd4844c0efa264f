"""What the coordinator answers and logs where no service does its work, or time is short."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from builders.asked import PORT
from builders.logged import lines, logged
from builders.paths import ROOT
from steelyard.errors import ServiceError
from steelyard.services import coordinator
from steelyard.services.applications import application
from steelyard.services.house import House
from steelyard.services.problems import status_of
from steelyard.services.security.tokens import own_token
from steelyard.services.topology import Topology

REQUEST = json.loads((ROOT / "examples" / "create_plan.json").read_text())
NOWHERE: Mapping[str, list[int]] = {"opportunity": [9], "generator": [9], "evaluator": [9]}


def asked(home: Path, topology: Topology, body: object = REQUEST) -> tuple[int, dict, list[dict]]:
    """What a coordinator answers whose services listen nowhere, and the lines of its log."""
    house = House({"STEELYARD_HOME": str(home)}, port=PORT, topology=topology.moved(NOWHERE))
    headers = {"Authorization": f"Bearer {own_token(house)}"}
    app = application("coordinator", house)
    with logged() as stream, TestClient(app, f"http://127.0.0.1:{PORT}") as client:
        answer = client.post("/coordinator/create-plan", json=body, headers=headers)
        return answer.status_code, answer.json(), lines(stream)


def test_what_a_plan_says_of_services_that_failed_is_in_the_log_too(tmp_path: Path):
    status, body, log = asked(tmp_path, Topology())

    said = [line for line in log if line.get("code") == "planned_here"]
    (request,) = [line for line in log if line["event"] == "request"]
    assert status == 200
    assert {line["event"] for line in said} <= {*body["warnings"]}
    assert any("opportunity service itself" in line["event"] for line in said)
    assert {line["trace_id"] for line in said} == {request["trace_id"]}
    assert {line["plan_id"] for line in said} == {request["plan_id"]} == {body["plan_id"]}


def test_a_plan_that_takes_too_long_is_not_waited_for_and_what_to_raise_is_said(tmp_path: Path):
    short = Topology().coordinator.model_copy(update={"timeout_seconds": 0.01})
    topology = Topology().model_copy(update={"coordinator": short})
    house = House({"STEELYARD_HOME": str(tmp_path)}, topology=topology)

    with pytest.raises(ServiceError, match="raise COORDINATOR_TIMEOUT") as error:
        asyncio.run(coordinator._within(house, lambda: time.sleep(0.3)))  # type: ignore[arg-type]

    assert (error.value.fault.code, status_of(error.value)) == ("coordinator_timeout", 503)


@pytest.mark.parametrize(
    ("body", "place"),
    [({"bucket": 5}, "body.bucket"), ({**REQUEST, "seed": -1}, "body.seed"), ([], "body")],
)
def test_what_is_wrong_is_located_in_what_was_sent_whichever_form_it_has(tmp_path, body, place):
    status, problem, _ = asked(tmp_path, Topology(), body)

    assert (status, [each["place"] for each in problem["errors"]]) == (422, [place])
