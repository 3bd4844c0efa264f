"""What each service answers: a name to its application, which imports what it needs alone.

The pages for people stand above the services and ask them; here they are a name, like the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import get_args

from fastapi import APIRouter, FastAPI

from steelyard.services.app import app_of
from steelyard.services.health import health_router
from steelyard.services.house import House
from steelyard.services.topology import Application

APPLICATIONS: tuple[Application, ...] = get_args(Application)

HERE = "steelyard.services"
WEB = "steelyard.web"
MODULES: Mapping[Application, tuple[str, ...]] = {
    "opportunity": (f"{HERE}.opportunity",),
    "generator": (f"{HERE}.generator",),
    "evaluator": (f"{HERE}.evaluator",),
    "coordinator": (f"{HERE}.coordinator", f"{HERE}.api", WEB),
    "api": (f"{HERE}.api",),
    "ui": (f"{HERE}.api", WEB),
}
"""Name -> modules whose `router`, or `ROUTERS`, it answers with; `prepare` is called before."""


def application(name: Application, house: House) -> FastAPI:
    """The application of a name, with its health at `/<name>/health`."""
    if name == "coordinator":
        import_module(f"{HERE}.remote").carry_from(house)
    modules = [import_module(module) for module in MODULES[name]]
    for module in modules:
        if hasattr(module, "prepare"):
            module.prepare(house)
    routers = [router for module in modules for router in _routers(module)]
    return app_of(f"Steelyard {name}", [*routers, health_router(name)], house)


def _routers(module: ModuleType) -> list[APIRouter]:
    return list(module.ROUTERS) if hasattr(module, "ROUTERS") else [module.router]
