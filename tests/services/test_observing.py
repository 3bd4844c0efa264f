"""Services tell what they do: figures, lines of the log, one trace over all of them."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx2
import pytest
from fastapi import APIRouter, Request
from fastapi.testclient import TestClient
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families as families

from builders.asked import PORT, Clock, Desk, of_routers
from builders.logged import lines, logged
from builders.management import DEEPER, TOKEN, Asking, load_own
from builders.paths import ROOT
from builders.serving import afresh, serving
from builders.world import BUSY
from steelyard.errors import StoreError
from steelyard.runs.performance import measured
from steelyard.services.api import ROUTERS
from steelyard.services.app import app_of
from steelyard.services.applications import APPLICATIONS, Application, application
from steelyard.services.carriage.calls import Circuits
from steelyard.services.carriage.carrier import Carrier
from steelyard.services.house import House
from steelyard.services.observing import observer
from steelyard.services.remote import Remote
from steelyard.services.security.roles import needs
from steelyard.services.security.tokens import own_token
from steelyard.services.topology import Instance, Topology
from steelyard.telemetry import structured
from steelyard.telemetry.breaker import Moment, Rules
from steelyard.telemetry.metrics import Meters
from steelyard.telemetry.traces import Tracing, traces_to

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
SECRET = "hunter2"


def router() -> APIRouter:
    """Routes that succeed, fail and plan, in a router in a router."""
    inner = APIRouter(prefix="/inner", dependencies=[needs("viewer")])

    @inner.get("/{name}/thing")
    def thing(name: str) -> str:
        structured.bind(bucket_id="core")
        return name

    @inner.get("/broken")
    def broken() -> str:
        raise StoreError("The disk is full.", code="disk_full")

    @inner.get("/crashed")
    def crashed() -> str:
        raise KeyError(SECRET)

    @inner.post("/plan")
    def planned(request: Request) -> str:
        return BUSY.plan(observe=observer(request.app.state.house)).plan_id

    outer = APIRouter(prefix="/outer")
    outer.include_router(inner)
    return outer


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    with logged() as stream:
        yield stream


@pytest.fixture
def client(tmp_path: Path, stream) -> Iterator[TestClient]:
    desk = Desk(tmp_path, of_routers(router()))
    with desk.client(own_token(desk.house)) as client:
        yield client


def figures(text: str) -> dict[tuple[str, ...], float]:
    """Requests counted: (route, method, status) -> how many."""
    return {
        tuple(sample.labels[label] for label in ("route", "method", "status")): sample.value
        for family in families(text)
        for sample in family.samples
        if sample.name == "steelyard_request_seconds_count"
    }


def value(text: str, name: str) -> float:
    (number,) = [s.value for family in families(text) for s in family.samples if s.name == name]
    return number


def test_a_request_is_counted_by_its_route_and_never_by_its_path(client):
    client.get(f"/outer/inner/{SECRET}/thing?q={SECRET}")
    client.get(f"/outer/inner/{SECRET}b/thing")
    client.get(f"/{SECRET}")
    client.request(SECRET.upper(), "/outer/inner/a/thing")
    client.get("/outer/inner/a/thing", headers={"Authorization": SECRET})
    text = client.get("/metrics").text

    counted = figures(text)
    assert counted.pop(("none", "GET", "401")) == 1
    assert counted[("/outer/inner/{name}/thing", "GET", "200")] == 2
    assert counted[("none", "GET", "404")] == 1
    assert {method for _, method, _ in counted} == {"GET", "OTHER"}
    assert SECRET not in text.lower()


def test_every_request_has_one_line_with_who_asked_and_nothing_that_was_sent(client, stream):
    client.get(f"/outer/inner/{SECRET}/thing?q={SECRET}", headers=PARENT)

    (line,) = lines(stream)
    assert list(line)[:6] == ["timestamp", "level", "event", "trace_id", "bucket_id", "plan_id"]
    assert line["ms"] > 0
    assert line == {
        **line, "level": "info", "event": "request", "trace_id": TRACE, "bucket_id": "core",
        "plan_id": None, "route": "/outer/inner/{name}/thing", "method": "GET", "status": 200,
        "token_id": "own",
    }  # fmt: skip
    sent = (SECRET, client.headers["Authorization"].split()[1])
    assert not any(text in stream.getvalue() for text in sent)


def test_what_fails_is_an_error_by_its_code_or_kind_and_never_by_its_text(client, stream):
    assert client.get("/outer/inner/broken").status_code == 503
    assert client.get("/outer/inner/crashed").status_code == 500

    broken, *crashed = [line for line in lines(stream) if line["level"] == "error"]
    assert (broken["status"], broken["code"]) == (503, "disk_full")
    assert "KeyError" in {line.get("error") for line in crashed}
    assert {line["trace_id"] for line in crashed} == {crashed[0]["trace_id"]}
    assert SECRET not in stream.getvalue()
    assert value(client.get("/metrics").text, "steelyard_errors_total") == 2


def test_a_plan_has_a_line_for_each_module_and_each_better_sequence_and_its_request_its_id(
    client, stream
):
    plan_id = client.post("/outer/inner/plan").json()
    text = client.get("/metrics").text

    of = {event: [line for line in lines(stream) if line["event"] == event] for event in EVENTS}
    assert len(of["module"]) == len(BUSY.planned.modules)
    assert of["beam"][0]["old"] == 0
    assert of["beam"][-1]["orders"] == len(BUSY.planned.steps)
    assert of["request"][0]["plan_id"] == plan_id == BUSY.planned.plan_id
    assert len({line["trace_id"] for event in ("module", "beam") for line in of[event]}) == 1
    assert value(text, "steelyard_sequences_total") == BUSY.planned.certificate.sequences


EVENTS = ("module", "beam", "request")


class Network(httpx2.AsyncBaseTransport):
    """Applications in this process, each under a port."""

    def __init__(self, apps: dict[int, Any]) -> None:
        self.by_port = {port: httpx2.ASGITransport(app) for port, app in apps.items()}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return await self.by_port[request.url.port or 0].handle_async_request(request)


def test_one_trace_goes_through_all_services_and_stands_in_all_their_lines(tmp_path, stream):
    exporter, topology = InMemorySpanExporter(), Topology()

    def house_of(name: Application, port: int) -> House:
        traces = traces_to(exporter, name, at_once=True)
        return House({"STEELYARD_HOME": str(tmp_path)}, port=port, traces=traces)

    apps = {
        instance.port: application(name, house_of(name, instance.port))
        for name in ("opportunity", "generator", "evaluator")
        for instance in getattr(topology, name).instances
    }
    house = house_of("coordinator", PORT)
    carrier = Carrier(topology, lambda: own_token(house), Network(apps), house.meters)
    coordinator = APIRouter()

    @coordinator.post("/coordinator/create-plan", dependencies=[needs("planner")])
    def create_plan() -> str:
        steps = Remote(topology, own_token(house), carrier)
        return BUSY.plan(steps=steps, observe=observer(house)).plan_id

    headers = {"Authorization": f"Bearer {own_token(house)}", **PARENT}
    app, address = app_of("tests", [coordinator], house), f"http://127.0.0.1:{PORT}"
    with TestClient(app, base_url=address, client=("127.0.0.1", 50_000)) as client:
        answer = client.post("/coordinator/create-plan", headers=headers)
        text = client.get("/metrics").text
    carrier.close()

    spans = exporter.get_finished_spans()
    assert answer.json() == BUSY.planned.plan_id
    assert {f"{span.context.trace_id:032x}" for span in spans} == {TRACE}
    services = {span.resource.attributes["service.name"] for span in spans}
    assert services == {f"steelyard-{name}" for name in APPLICATIONS if name not in {"api", "ui"}}
    (root,) = [span for span in spans if span.name == "POST /coordinator/create-plan"]
    others = [span for span in spans if span is not root]
    assert {span.parent.span_id for span in others} == {root.context.span_id}
    assert "url.query" not in {key for span in spans for key in span.attributes}
    requests = [line for line in lines(stream) if line["event"] == "request"]
    assert {line["trace_id"] for line in requests if line["route"] != "/metrics"} == {TRACE}
    assert value(text, "steelyard_batch_seconds_count") == 2  # of 1,017 sequences
    assert value(text, "steelyard_beam_seconds_count") == 2
    assert value(text, "steelyard_sequences_total") == BUSY.planned.certificate.sequences


def test_a_plan_of_a_bucket_tells_whether_its_strategy_was_ready_and_perf_how_often(tmp_path):
    house = House({"STEELYARD_HOME": str(tmp_path / "home"), "STEELYARD_TOKEN": TOKEN})
    load_own(house.store(), tmp_path)
    app = app_of("tests", ROUTERS, house)
    api = Asking(TestClient(app, base_url="http://127.0.0.1"))
    rates = []
    for seed in range(3):
        if seed == 1:  # without a strategy of its own none is kept ready
            api.post("/buckets/core/assign-config", config_id=api.save("mine", DEEPER))
        api.post("/api/plans", bucket="core", seed=seed)
        rates.append(measured(house.store(), "core", 10).hit_rate)
    report = measured(house.store(), "core", 10)
    figures = house.meters.exposed()[0].decode()
    hits = value(figures, "steelyard_cache_hits_total")
    house.close()

    assert rates == [None, 0, 0.5]
    assert (report.plans, report.hits, report.misses, hits) == (3, 1, 1, 1)
    assert report.peak_bytes is not None
    assert (report.reused, report.calculated) == (4, 4)  # after the first nothing is calculated
    assert report.document()["calculations"]["hit_rate"] == report.reuse_rate == 0.5
    assert (report.evicted, report.cache_bytes) == (0, house.calculations.counts().bytes)
    assert value(figures, "steelyard_calculation_hits_total") == report.reused


def test_the_circuit_of_an_instance_is_seen_to_open_to_be_tried_and_to_close():
    clock, meters, instance = Clock(), Meters(), Instance(port=8010)
    circuits = Circuits(
        Rules(failure_threshold=1, open_seconds=60),
        lambda: Moment(seconds=clock.seconds(), boot="", utc=clock.utc()),
        meters.breaker,
    )

    def seen() -> tuple[float, float]:
        text = meters.exposed()[0].decode()
        names = ("steelyard_breaker_state", "steelyard_breaker_trips_total")
        return value(text, names[0]), value(text, names[1])

    story = []
    for step in (circuits.failed, circuits.try_out, circuits.failed, circuits.try_out):
        step(instance, *(["gone"] if step == circuits.failed else []))
        story.append(seen())
        clock.passed += 61
    circuits.answered(instance)

    assert story == [(2, 1), (1, 1), (2, 2), (1, 2)]
    assert seen() == (0, 2)


class Collector(BaseHTTPRequestHandler):
    """Takes spans over HTTP, as a collector of OpenTelemetry does."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        plain = gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body
        self.server.bodies.append((self.path, plain))  # type: ignore[attr-defined]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def collecting() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """Where spans are sent, and what came."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    server.bodies = []  # type: ignore[attr-defined]
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", server.bodies  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_over_sockets_each_process_has_spans_and_lines_of_one_trace_and_figures_of_its_own(
    tmp_path, capfd
):
    body = (ROOT / "examples" / "create_plan.json").read_bytes()
    afresh()
    with collecting() as (endpoint, bodies):
        topology = Topology(telemetry=Tracing(endpoint=endpoint))
        with serving(tmp_path, evaluators=1, topology=topology) as served:
            url = f"{served.url('coordinator')}/coordinator/create-plan"
            headers = {"Content-Type": "application/json", **PARENT}
            plan = served.ask("POST", url, content=body, headers=headers).json()
            served.ask("GET", f"{served.url('opportunity')}/nothing?q={SECRET}", headers=PARENT)
            of = {
                name: httpx2.get(f"{served.url(name)}/metrics").text
                for name in ("opportunity", "generator")
            }
            token = served.token
    written = capfd.readouterr().err

    assert {path for path, _ in bodies} == {"/v1/traces"}
    sent = [ExportTraceServiceRequest.FromString(content) for _, content in bodies]
    parts = [part for request in sent for part in request.resource_spans]
    spans = [span for part in parts for scope in part.scope_spans for span in scope.spans]
    services = {
        each.value.string_value
        for part in parts
        for each in part.resource.attributes
        if each.key == "service.name"
    }
    assert services == {f"steelyard-{name}" for name in APPLICATIONS if name not in {"api", "ui"}}
    assert {span.trace_id.hex() for span in spans} == {TRACE}
    rows = [json.loads(line) for line in written.splitlines()]
    of_trace = [row for row in rows if row["trace_id"] == TRACE]
    routes = {row["route"] for row in of_trace if row["event"] == "request"}
    assert routes >= {
        "/coordinator/create-plan", "/opportunity/identify", "/generator/generate",
        "/evaluator/evaluate", "/evaluator/prove",
    }  # fmt: skip
    (planned,) = [row for row in of_trace if row.get("route") == "/coordinator/create-plan"]
    assert planned["plan_id"] == plan["plan_id"]
    modules = {row["qualified"] for row in of_trace if row["event"] == "module"}
    assert modules >= {f"{m['kind']}.{m['name']}" for m in plan["document"]["modules"]}
    assert not any(secret in written for secret in (SECRET, token))
    assert of["opportunity"].count('kind="opportunity_calculators"') > 0
    assert 'kind="opportunity_calculators"' not in of["generator"]
    assert figures(of["opportunity"])[("none", "GET", "404")] == 1
    assert ("none", "GET", "404") not in figures(of["generator"])
