"""One trace over all services, by W3C `traceparent`; spans only where `[telemetry]` asks for them.

    traceparent of a request ──▶ entered(…) ──▶ headers() of every call that it makes

Without the extra `telemetry`, or unasked, no span is recorded, and the trace is passed on all the
same: the logs of all services have one trace id.
"""

from __future__ import annotations

import importlib.util
import logging
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from opentelemetry.trace import (
    NonRecordingSpan,
    NoOpTracer,
    Span,
    SpanContext,
    SpanKind,
    TraceFlags,
    Tracer,
    get_current_span,
    use_span,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from pydantic import BaseModel, ConfigDict

from steelyard.settings import setting

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

LOGGER = logging.getLogger("steelyard.traces")

BY_TRACEPARENT = TraceContextTextMapPropagator()
"""Not the baggage, which a caller could fill with anything."""
TRACE_BITS, SPAN_BITS = 128, 64
ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
"""Variables of OpenTelemetry that ask for spans to be sent; its exporter reads these and others."""
PATH = "/v1/traces"
EXTRA = "pip install 'steelyard[telemetry]'"


class Tracing(BaseModel):
    """Where spans are sent: `[telemetry]` of the topology."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    endpoint: str = setting(
        "", "address of an OTLP collector over HTTP, without a path; empty = as OTEL_* says, or off"
    )


@dataclass(frozen=True)
class Traces:
    """Makes the spans of one process; `close` sends what is left."""

    tracer: Tracer = field(default_factory=NoOpTracer)
    close: Callable[[], None] = lambda: None


def traces_to(exporter: SpanExporter, service: str, *, at_once: bool = False) -> Traces:
    """Traces of a service by name, to an exporter in batches, or each span as it ends."""
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 of an extra
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import (  # noqa: PLC0415
        BatchSpanProcessor,
        SimpleSpanProcessor,
    )

    provider = TracerProvider(
        resource=Resource.create({"service.name": f"steelyard-{service}"}), shutdown_on_exit=False
    )
    send = SimpleSpanProcessor(exporter) if at_once else BatchSpanProcessor(exporter)
    provider.add_span_processor(send)
    return Traces(provider.get_tracer("steelyard"), provider.shutdown)


def traces_of(settings: Tracing, variables: Mapping[str, str], service: str) -> Traces:
    """Traces as configured: to the endpoint of the settings or of OTEL_*, else none at all."""
    off = variables.get("OTEL_SDK_DISABLED", "").lower() == "true"
    unsent = variables.get("OTEL_TRACES_EXPORTER", "").lower() == "none"
    asked = settings.endpoint or any(variables.get(name) for name in ENDPOINTS)
    if off or unsent or not asked:
        return Traces()
    if not sdk_installed():
        LOGGER.warning("Spans are asked for, and none is recorded. Install them: %s", EXTRA)
        return Traces()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 of an extra
        OTLPSpanExporter,
    )

    endpoint = f"{settings.endpoint.rstrip('/')}{PATH}" if settings.endpoint else None
    return traces_to(OTLPSpanExporter(endpoint=endpoint), service)


def sdk_installed() -> bool:
    """Is the extra there?"""
    return importlib.util.find_spec("opentelemetry.exporter") is not None


@contextmanager
def entered(tracer: Tracer, headers: Mapping[str, str], name: str) -> Iterator[Span]:
    """The span of a request, under that of its `traceparent`, or of a trace that begins here."""
    before = BY_TRACEPARENT.extract(headers)
    span = tracer.start_span(name, before, SpanKind.SERVER)
    if not span.get_span_context().is_valid:
        span = NonRecordingSpan(_new())
    with use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        yield span


def _new() -> SpanContext:
    """A trace that nobody records here, and that may be further on."""
    sampled = TraceFlags(TraceFlags.SAMPLED)
    trace, span = (secrets.randbits(bits) or 1 for bits in (TRACE_BITS, SPAN_BITS))
    return SpanContext(trace, span, is_remote=False, trace_flags=sampled)


def headers() -> dict[str, str]:
    """What an outgoing request carries, so that its spans and log lines are of this trace."""
    carrier: dict[str, str] = {}
    BY_TRACEPARENT.inject(carrier)
    return carrier


def trace_id() -> str | None:
    """Of what is going on here, 32 hexadecimal digits; None outside of a request."""
    context = get_current_span().get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else None
