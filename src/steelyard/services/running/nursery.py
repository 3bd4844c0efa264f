"""The process from which every service splits off: it has imported what they need, and no threads.

So a service is there within moments, and again when it died. It begins to import while whoever
starts it still does the same, and it ends with it. What it is started with is all that services
have of the environment: no key of a broker.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from multiprocessing import forkserver, get_context
from multiprocessing.process import BaseProcess
from typing import Any

from steelyard.environment import BROKER_KEYS

CONTEXT = get_context("spawn") if sys.platform == "win32" else get_context("forkserver")
CONTEXT.set_forkserver_preload(
    [
        "steelyard.services.running.process",
        "steelyard.services.documents.asked",
        "steelyard.services.carriage.carried",
        "steelyard.services.contexts",
        "steelyard.planning.planner",
    ]
)
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
"""Of libraries of linear algebra: one each, for the processes are the parallelism."""


def environment_of(variables: Mapping[str, str]) -> dict[str, str]:
    """What a service gets of an environment."""
    fixed = {"PYDANTIC_DISABLE_PLUGINS": "__all__", **dict.fromkeys(THREADS, "1")}
    return {**fixed, **without_keys(variables)}


def without_keys(variables: Mapping[str, str]) -> dict[str, str]:
    """An environment without keys of brokers."""
    return {name: text for name, text in variables.items() if not name.startswith(BROKER_KEYS)}


def begin(variables: Mapping[str, str]) -> None:
    """Start it, without waiting for it; where it runs, nothing."""
    if sys.platform != "win32":
        with _as_environment(environment_of(variables)):
            forkserver.ensure_running()


def process_of(variables: Mapping[str, str], module: str, *arguments: Any) -> BaseProcess:
    """A process that runs `main` of a module, which only it imports; it is started."""
    process = CONTEXT.Process(target=_run, args=(module, *arguments))
    with _as_environment(environment_of(variables)):
        process.start()
    return process


def _run(module: str, *arguments: Any) -> None:
    import_module(module).main(*arguments)


@contextmanager
def _as_environment(variables: Mapping[str, str]) -> Iterator[None]:
    """What is started inside has this environment and no other."""
    own = dict(os.environ)
    os.environ.clear()
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(own)
