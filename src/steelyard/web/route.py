"""Routes of pages: what fails is a page too, with what has and has not happened."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from steelyard.errors import NotAllowed, NotStored, SteelyardError
from steelyard.services.problems import slips, status_of
from steelyard.telemetry import structured
from steelyard.web.shell import page

NO_PLACE = 404


class Page(APIRoute):
    """A route whose errors are shown to a person."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, its errors answered as pages."""
        handler = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                return await handler(request)
            except SteelyardError as error:
                return failed(request, error)
            except RequestValidationError as error:
                return _shown(request, 422, "That cannot be asked.", slips(error))

        return answered


def failed(request: Request, error: SteelyardError) -> Response:
    """An error as a page: its sentence in the heading's place, and what to do."""
    structured.bind(code=error.faults[0].code)  # for the line of the log
    return _shown(request, status_of(error), _heading(error), list(error.faults))


def _heading(error: SteelyardError) -> str:
    if isinstance(error, NotAllowed):
        return "Another role is needed."
    if isinstance(error, NotStored):
        return "It is not there."
    return "That was not done."


def _shown(request: Request, status: int, heading: str, faults: list[Any]) -> Response:
    return page(request, "failed.html", at="", status=status, heading=heading, faults=faults)
