"""Errors as `application/problem+json` (RFC 9457), with what ours know: code, place, limit."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

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
from steelyard.telemetry import structured

MEDIA_TYPE = "application/problem+json"
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
        return problem(422, tuple(_slips(error)))

    @app.exception_handler(HTTPException)
    def of_http(_: Request, error: HTTPException) -> JSONResponse:
        allowed = (error.headers or {}).get("Allow")
        what = f"{error.detail}, but {allowed}" if allowed else error.detail
        message = f"{what}. Nothing was done. {WHAT_THERE_IS}"
        fault = Fault(f"http_{error.status_code}", message, limit=allowed)
        return problem(error.status_code, (fault,), error.headers)


def _slips(error: RequestValidationError) -> list[Fault]:
    """What a model refuses, each with its place; the value itself is not sent back."""
    slips = error.errors()[:MOST_PLACES]
    places = [".".join(map(str, slip["loc"])) for slip in slips]
    return [
        Fault(code="bad_request", message=f"{place}: {slip['msg']}. Nothing was done.", place=place)
        for slip, place in zip(slips, places, strict=True)
    ]
