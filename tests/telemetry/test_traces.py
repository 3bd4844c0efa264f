"""A trace goes on whoever records it, and spans are made only where they are asked for."""

import subprocess
import sys

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NoOpTracer

from steelyard.telemetry import traces
from steelyard.telemetry.traces import Traces, Tracing, entered, headers, traces_of, traces_to

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = {"traceparent": f"00-{TRACE}-{SPAN}-01", "baggage": "user=me"}


def test_a_trace_that_came_goes_on_as_it_is_without_its_baggage():
    with entered(Traces().tracer, PARENT, "request"):
        assert headers() == {"traceparent": PARENT["traceparent"]}
        assert traces.trace_id() == TRACE
    assert headers() == {}
    assert traces.trace_id() is None


@pytest.mark.parametrize("sent", [{}, {"traceparent": "nonsense"}, {"traceparent": ""}])
def test_without_one_a_trace_begins_and_no_two_are_the_same(sent):
    ids = set()
    for _ in range(3):
        with entered(Traces().tracer, sent, "request"):
            ids.add(traces.trace_id())
            assert headers()["traceparent"].startswith(f"00-{traces.trace_id()}-")

    assert len(ids) == 3


def test_a_span_is_under_the_one_that_came_and_above_those_of_what_it_calls():
    exporter = InMemorySpanExporter()
    recording = traces_to(exporter, "coordinator", at_once=True)
    with entered(recording.tracer, PARENT, "outer"):
        passed = headers()
    with entered(recording.tracer, passed, "inner"):
        pass
    recording.close()

    outer, inner = exporter.get_finished_spans()
    assert {f"{span.context.trace_id:032x}" for span in (outer, inner)} == {TRACE}
    assert f"{outer.parent.span_id:016x}" == SPAN
    assert inner.parent.span_id == outer.context.span_id
    assert outer.resource.attributes["service.name"] == "steelyard-coordinator"


OFF = [
    {},
    {"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"},
    {"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"},
]


@pytest.mark.parametrize("variables", OFF)
def test_unasked_no_span_is_made(variables):
    assert isinstance(traces_of(Tracing(), variables, "evaluator").tracer, NoOpTracer)


ON = [
    (Tracing(endpoint="http://127.0.0.1:9"), {}),
    (Tracing(), {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}),
    (Tracing(), {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9/v1/traces"}),
]


@pytest.mark.parametrize(("settings", "variables"), ON)
def test_the_topology_or_a_variable_asks_for_them(settings, variables):
    recording = traces_of(settings, variables, "evaluator")

    assert not isinstance(recording.tracer, NoOpTracer)
    recording.close()  # nothing was recorded: nothing is sent


def test_without_the_extra_it_is_said_and_the_trace_goes_on():
    program = f"""
import sys
for name in ("opentelemetry.sdk", "opentelemetry.exporter"):
    sys.modules[name] = None
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name: None if name == "opentelemetry.exporter" else find(name)
import logging; logging.basicConfig()
from steelyard.telemetry.traces import *
recording = traces_of(Tracing(endpoint="http://127.0.0.1:9"), {{}}, "evaluator")
with entered(recording.tracer, {PARENT!r}, "request"):
    print(headers()["traceparent"])
"""
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert result.stdout.strip() == PARENT["traceparent"]
    assert "pip install 'steelyard[telemetry]'" in result.stderr
