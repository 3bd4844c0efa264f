"""Services as one ASGI application each: their routes, errors as problems, the gate before all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.telemetry import TelemetryConfig
from pydantic.json_schema import models_json_schema

from steelyard.services import observing
from steelyard.services.contexts import BODIES, Contexts
from steelyard.services.house import House
from steelyard.services.problems import MEDIA_TYPE, SCHEMA, add_handlers
from steelyard.services.results import Results
from steelyard.services.security.gate import Gate
from steelyard.services.security.keys import refuse_keys

REF = "#/components/schemas/{model}"
PROBLEM = REF.format(model="Problem")
HOUSE = "house"
"""Key of the application's state under which every handler finds its house."""

UNUSED: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}
"""Of the framework's own telemetry: its spans have the query, its log the texts of errors."""

REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"description": what, "content": {MEDIA_TYPE: {"schema": {"$ref": PROBLEM}}}}
    for status, what in (
        (400, "Not HTTP as it should be."),
        (401, "No token, or one that is not known."),
        (403, "The token's role may not do this."),
        (404, "Not there."),
        (405, "Not a method of this path."),
        (408, "The body took too long."),
        (409, "It has changed meanwhile, or the builds differ."),
        (412, "Not what If-Match or If-None-Match says that it must be."),
        (413, "Too large."),
        (415, "Not application/json."),
        (421, "Another host's name."),
        (422, "Not usable; `errors` says where."),
        (429, "Too many requests, or too many wrong tokens."),
        (431, "Too large a head."),
        (500, "A fault of this side; its log says where."),
        (503, "Too busy, or the database is not usable."),
    )
}


def app_of(title: str, routers: Sequence[APIRouter], house: House) -> FastAPI:
    """An application of some routers. Every route says its role: see `security.roles.needs`.

    Raises SettingsError where the house's environment has keys of a broker, or a bad variable.
    """
    refuse_keys(house.variables)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        yield
        house.close()

    app = FastAPI(
        title=title,
        version=version("steelyard"),
        lifespan=life,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=REFUSALS,
        telemetry=UNUSED,
    )
    setattr(app.state, HOUSE, house)
    app.state.contexts = Contexts(house.calculations)
    app.state.results = Results(house.meters.cache_hit)
    for router in (*routers, observing.router):
        app.include_router(router)
    add_handlers(app)
    describe = app.openapi

    def described() -> dict[str, Any]:
        """With the bodies that handlers read themselves, and what a refusal is."""
        document = describe()
        _, schema = models_json_schema([(m, "validation") for m in BODIES], ref_template=REF)
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas.update({**schema["$defs"], "Problem": SCHEMA})
        return document

    app.openapi = described  # type: ignore[method-assign]
    app.add_middleware(Gate, house=house)
    app.add_middleware(observing.Observed, house=house)  # the last is around all others
    return app
