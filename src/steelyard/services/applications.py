"""What each service answers: a name to its application. Imports of it what that name needs alone."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Literal, get_args

from fastapi import APIRouter, FastAPI

from steelyard.services.app import app_of
from steelyard.services.house import House

Application = Literal["opportunity", "generator", "evaluator", "coordinator", "api"]
APPLICATIONS: tuple[Application, ...] = get_args(Application)

MODULES: Mapping[Application, tuple[str, ...]] = {
    "opportunity": ("opportunity",),
    "generator": ("generator",),
    "evaluator": ("evaluator",),
    "coordinator": ("coordinator", "api"),
    "api": ("api",),
}
"""Name -> modules of this package whose `router`, or `ROUTERS`, it answers with."""


def application(name: Application, house: House) -> FastAPI:
    """The application of a name, with its health at `/<name>/health`."""
    routers = [router for module in MODULES[name] for router in _routers(module)]
    return app_of(f"Steelyard {name}", [*routers, _health(name)], house)


def health_path(name: Application) -> str:
    """Where it is asked how it is."""
    return f"/{name}/health"


def _routers(module: str) -> list[APIRouter]:
    path = f"steelyard.services.{module}"
    if find_spec(path) is None:
        return []
    content = import_module(path)
    return list(content.ROUTERS) if hasattr(content, "ROUTERS") else [content.router]


def _health(name: Application) -> APIRouter:
    router = APIRouter()

    @router.get(health_path(name))
    def health() -> dict[str, str]:
        """Up: it answers."""
        return {"status": "up"}

    return router
