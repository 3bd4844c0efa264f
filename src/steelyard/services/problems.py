"""Errors as `application/problem+json` (RFC 9457), with what ours know: code, place, limit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, compile_path

from steelyard.errors import (
    ChangedMeanwhile,
    Fault,
    InputError,
    InternalError,
    ModuleError,
    NotAllowed,
    NotExecuted,
    NotMatched,
    NotStored,
    OtherBuild,
    PlanRefused,
    ServiceError,
    SettingsError,
    SteelyardError,
    StoreError,
)
from steelyard.services.either import OURS, WHOLE
from steelyard.services.house import House
from steelyard.telemetry import structured

MEDIA_TYPE = "application/problem+json"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457: `detail` says it, `errors` has each thing that is wrong.",
    "required": ["type", "title", "status", "detail", "errors"],
    "properties": {
        **{name: {"type": "string"} for name in ("type", "title", "detail")},
        "status": {"type": "integer"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["code", "message"],
                "properties": {
                    **{name: {"type": "string"} for name in ("code", "message", "place", "hint")},
                    "value": {},
                    "limit": {},
                },
            },
        },
    },
}
"""What a refusal has, for the OpenAPI document."""
WHAT_THERE_IS = "GET /openapi.json lists the routes."
MOST_PLACES = 20
"""Places of a malformed body that are listed."""

STATUSES: tuple[tuple[type[SteelyardError], int], ...] = (
    (NotAllowed, 403),
    (NotStored, 404),
    (NotExecuted, 409),
    (NotMatched, 412),
    (ChangedMeanwhile, 409),
    (OtherBuild, 409),
    (StoreError, 503),
    (ServiceError, 503),
    (InternalError, 500),
    (InputError, 422),
    (SettingsError, 422),
    (PlanRefused, 422),
    (ModuleError, 422),
)
"""Kind of error -> status; the first that fits."""


def status_of(error: SteelyardError) -> int:
    """The status that an error is answered with."""
    return next((status for kind, status in STATUSES if isinstance(error, kind)), 500)


def problem(
    status: int, faults: tuple[Fault, ...], headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """A refusal: RFC 9457's members, and each fault in `errors`."""
    first = faults[0]
    body = {
        "type": f"urn:steelyard:problem:{first.code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": first.message,
        "errors": [_as_json(fault) for fault in faults],
    }
    return JSONResponse(body, status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def _as_json(fault: Fault) -> dict[str, Any]:
    members = ("code", "message", "place", "value", "limit", "hint")
    return {
        name: getattr(fault, name) for name in members if getattr(fault, name) not in ("", None)
    }


def add_handlers(app: FastAPI) -> None:
    """Have every error of the application answered as a problem."""

    @app.exception_handler(SteelyardError)
    def of_ours(_: Request, error: SteelyardError) -> JSONResponse:
        structured.bind(code=error.faults[0].code)  # for the line of the log
        return problem(status_of(error), error.faults)

    @app.exception_handler(RequestValidationError)
    def of_a_body(_: Request, error: RequestValidationError) -> JSONResponse:
        return problem(422, tuple(slips(error)))

    @app.exception_handler(HTTPException)
    def of_http(request: Request, error: HTTPException) -> Response:
        message, headers = f"{error.detail}. Nothing was done. {WHAT_THERE_IS}", error.headers
        allow = ""
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            allow = ", ".join(_methods(request.app.routes, request.scope["path"]))
            message = f"{error.detail}. Nothing was done. What this path takes: {allow}."
            headers = {**(headers or {}), "Allow": allow}
        fault = Fault(f"http_{error.status_code}", message, limit=allow or None)
        house: House = request.app.state.house
        pages = house.pages
        shown = None if pages is None else pages.lost(request, error.status_code, fault)
        if shown is None:
            return problem(error.status_code, (fault,), headers)
        shown.headers.update(headers or {})
        return shown


def _methods(routes: Sequence[BaseRoute], path: str) -> list[str]:
    """All that a path takes: one route alone says only its own."""
    methods = {
        method
        for route in iter_route_contexts(routes)
        if route.path and compile_path(route.path)[0].fullmatch(path)
        for method in route.methods or ()
    }
    return sorted(methods)


def _as_sent(place: Sequence[str | int]) -> Sequence[str | int]:
    """A place in what was sent: which of two forms it was taken for is no key of it.

    >>> _as_sent(("body", "whole", "seed"))
    ('body', 'seed')
    """
    tagged = len(place) > 1 and place[0] == "body" and place[1] in (OURS, WHOLE)
    return (place[0], *place[2:]) if tagged else place


def slips(error: RequestValidationError) -> list[Fault]:
    """What a model refuses, each with its place; the value itself is not sent back."""
    slips = error.errors()[:MOST_PLACES]
    places = [".".join(map(str, _as_sent(slip["loc"]))) for slip in slips]
    return [
        Fault(code="bad_request", message=f"{place}: {slip['msg']}. Nothing was done.", place=place)
        for slip, place in zip(slips, places, strict=True)
    ]
