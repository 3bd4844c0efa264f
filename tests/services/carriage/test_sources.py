"""Batches of a stream that lies, or breaks: the plan is made of all of them, once."""

from __future__ import annotations

import json

import httpx2
import pytest

from builders.carrying import carrying
from builders.demo import growth
from steelyard.planning.findings import HERE
from steelyard.planning.planner import plan_case
from steelyard.services.topology import Topology

SMALL = Topology(batch_size=100, open_seconds=0.05)


class Changed(httpx2.AsyncBaseTransport):
    """A generator whose lines are changed on their way."""

    def __init__(self, app, change):
        self.app, self.change = app, change

    async def handle_async_request(self, request):
        response = await self.app.handle_async_request(request)
        if not request.url.path.endswith("/generate") or response.status_code != 200:
            return response
        lines = (await response.aread()).splitlines()
        return httpx2.Response(200, content=b"\n".join(self.change(lines)), request=request)


def edited(line, **fields):
    return json.dumps({**json.loads(line), **fields}).encode()


def of_another_form(lines):
    return [*lines[:-1], edited(lines[-1], also=None)]


CHANGES = {
    "a line is missing": lambda lines: [*lines[:2], *lines[3:]],
    "it ends too soon": lambda lines: [*lines[:2], lines[-1]],
    "its end is missing": lambda lines: lines[:-1],
    "a line comes twice": lambda lines: [lines[0], *lines],
    "a row is none of the table": lambda lines: [edited(lines[0], names=[]), *lines[1:]],
    "its report is none": lambda lines: [*lines[:-1], edited(lines[-1], end={"findings": None})],
    "its last line is of another form": of_another_form,
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_stream_that_is_not_what_was_made_changes_no_plan(tmp_path, change):
    case = growth(scope="proposals").case
    with carrying(tmp_path, topology=SMALL) as services:
        port = services.instance("generator").port
        apps = services.transport.apps
        apps[port] = Changed(apps[port], CHANGES[change])
        plan = plan_case(case, services.steps())
    here = plan_case(case)
    assert plan.plan_id == here.plan_id
    assert plan.modules == here.modules
    assert (plan.transport.steps["generator"] == HERE) == (change != "a line comes twice")
    assert HERE not in plan.transport.batches
