"""What a service tells of itself: figures at /metrics, a line of the log a request, spans.

request ──▶ Observed ──▶ the gate, the routes      route, status and seconds of every one
plan's events ──▶ observer(house)                  sequences, failures, better sequences, its id
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TextIO

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from opentelemetry.trace import NoOpTracer, Span, StatusCode
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from steelyard.services.house import House
from steelyard.services.security.gate import OPEN
from steelyard.services.security.roles import CALLER, Caller
from steelyard.telemetry import structured, traces
from steelyard.telemetry.events import (
    BatchScored,
    BestSequenceUpdated,
    CalculatorFailure,
    Event,
    Observe,
    PlanMeasured,
    PlanningCompleted,
)
from steelyard.telemetry.metrics import Meters
from steelyard.telemetry.traces import Traces, Tracing

REQUESTS = logging.getLogger("steelyard.requests")
BEAM = logging.getLogger("steelyard.beam")

PLANS = logging.getLogger("steelyard.plans")

CARRIAGE = frozenset(
    {"evaluated_here", "evaluator_lost", "evaluator_slow", "not_evaluated", "planned_here"}
)
"""Notices of a plan that say how services failed: they belong in the log too."""
LEVEL = "STEELYARD_LOG"
"""Variable: `debug` also writes what is for developers."""
METHODS = frozenset(("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"))
OTHER = "OTHER"
"""Stands for any other method: a caller cannot make labels."""
NO_ROUTE = "none"
"""Stands for what no route was found for, or was looked for: refused before."""
ERROR = 500
"""From this status on an answer is an error of this side."""
GONE = 499
"""Noted where nobody was there any more to be answered."""

UNTRACED = NoOpTracer()
"""Of health and figures, which are asked all the time."""

router = APIRouter()


@router.get("/metrics", response_class=PlainTextResponse, tags=["health"])
def metrics(request: Request) -> Response:
    """Every figure of this process, as Prometheus reads them."""
    content, media_type = meters_of(request).exposed(request.headers.get("accept", ""))
    return Response(content, media_type=media_type)


def meters_of(request: Request) -> Meters:
    """What counts where a request is answered."""
    house: House = request.app.state.house
    return house.meters


class Observed:
    """Around everything: times a request, names its trace, and logs it in one line."""

    def __init__(
        self, app: ASGIApp, house: House, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._app, self._house, self._clock = app, house, clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, status = self._clock(), GONE

        async def noting(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        tracer = UNTRACED if scope["path"].endswith(OPEN) else self._house.traces.tracer
        with traces.entered(tracer, Headers(scope=scope), "request") as span, structured.during():
            try:
                await self._app(scope, receive, noting)
            except Exception:
                self._note(scope, ERROR, self._clock() - start, span, failed=True)
                raise
            self._note(scope, status, self._clock() - start, span)

    def _note(
        self, scope: Scope, status: int, seconds: float, span: Span, *, failed: bool = False
    ) -> None:
        route, method = template(scope), scope["method"] if scope["method"] in METHODS else OTHER
        caller = scope.get("state", {}).get(CALLER)
        self._house.meters.request(route, method, status, seconds)
        if status >= ERROR:
            self._house.meters.error()
            span.set_status(StatusCode.ERROR)
        span.update_name(f"{method} {route}")
        span.set_attributes(
            {
                "http.request.method": method,
                "http.route": route,
                "http.response.status_code": status,
            }
        )
        fields = {
            "route": route,
            "method": method,
            "status": status,
            "ms": round(1000 * seconds, 3),
            "token_id": caller.token_id if isinstance(caller, Caller) else None,
        }
        level = logging.ERROR if status >= ERROR else logging.INFO
        REQUESTS.log(level, "request", extra=fields, exc_info=failed)


def template(scope: Scope) -> str:
    """The path of the route that answered, with its parameters' names and those of its routers."""
    included = scope.get("fastapi", {}).get("effective_route_context")
    return getattr(included or scope.get("route"), "path", NO_ROUTE)


def begin(
    variables: Mapping[str, str], settings: Tracing, service: str, stream: TextIO, port: int = 0
) -> Traces:
    """Log as JSON lines from here on, and make spans where that is asked for.

    port   where it listens: instances of one service differ by it
    """
    label = f"{service}:{port}" if port else service
    structured.log_to(stream, label, debug=variables.get(LEVEL, "").lower() == "debug")
    return traces.traces_of(settings, variables, service)


def observer(house: House) -> Observe:
    """What plans of this house are observed by: figures, lines of the log, the id of the plan."""

    def observe(event: Event) -> None:
        match event:
            case BatchScored():
                house.meters.sequences(event.sequences)
            case CalculatorFailure():
                house.meters.error()
            case BestSequenceUpdated():
                gains = {"old": event.old, "new": event.new, "orders": event.orders}
                BEAM.info("beam", extra=gains)
            case PlanningCompleted():
                structured.bind(plan_id=event.plan_id)
            case PlanMeasured(cached=True):
                house.meters.cache_hit()

    return observe


def carriage(notices: Iterable[tuple[str, str]]) -> None:
    """Log what a plan says of services that failed: codes and texts of its notices."""
    for code, text in notices:
        if code in CARRIAGE:
            PLANS.warning("%s", text, extra={"code": code})
