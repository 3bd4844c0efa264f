"""What each service answers: a name to its application, which imports what it needs alone."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import get_args

from fastapi import APIRouter, FastAPI

from steelyard.services.app import app_of
from steelyard.services.health import health_router
from steelyard.services.house import House
from steelyard.services.topology import Application

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
    if name == "coordinator":
        import_module("steelyard.services.remote").carry_from(house)
    routers = [router for module in MODULES[name] for router in _routers(module)]
    return app_of(f"Steelyard {name}", [*routers, health_router(name)], house)


def _routers(module: str) -> list[APIRouter]:
    content = import_module(f"steelyard.services.{module}")
    return list(content.ROUTERS) if hasattr(content, "ROUTERS") else [content.router]
