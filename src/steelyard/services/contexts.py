"""The contexts that a service was sent: kept under their hash, the least used forgotten first."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

from cachetools import LRUCache
from fastapi import APIRouter, Request
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool

from steelyard.calculations.cache import Calculations
from steelyard.errors import InputError, NotStored, OtherBuild
from steelyard.modules.plugins import NONE, Loaded, load_plugins
from steelyard.services.carriage.context import Task, plugins_of, unpacked
from steelyard.services.carriage.messages import Asked, ContextForm, Put, Sha256
from steelyard.services.house import House
from steelyard.services.security.roles import needs
from steelyard.services.topology import Name
from steelyard.settings import Plugins

MOST_CONTEXTS, MOST_BYTES = 16, 128 * 1024 * 1024
"""Of contexts that are kept, and of what they were sent as and stand for; plans at once are as many
as a machine has processors."""
BODIES: tuple[type[BaseModel], ...] = (ContextForm,)
"""Models of bodies that their handlers read themselves."""
MOST_SETS = 8
"""Sets of plugins whose workers run."""


class Contexts:
    """Tasks by the hash of what they were sent as."""

    def __init__(self, calculations: Calculations | None = None) -> None:
        self._calculations = calculations
        self._tasks: LRUCache[str, tuple[int, Task]] = LRUCache(MOST_BYTES, lambda kept: kept[0])
        self._loaded: LRUCache[str, Loaded] = LRUCache(MOST_SETS)
        self._lock, self._loading = Lock(), Lock()

    def put(self, sha256: str, body: bytes, folders: tuple[Path, ...]) -> None:
        """Keep a task; raises InputError, and OtherBuild for one that is not of this build."""
        actual = hashlib.sha256(body).hexdigest()
        if actual != sha256:
            raise InputError(
                f"The body's SHA-256 is {actual}, its address says {sha256}. Nothing was kept.",
                code="context_hash",
                place="sha256",
                value=actual,
                limit=sha256,
            )
        with self._lock:
            if sha256 in self._tasks:
                return
        try:
            form = ContextForm.model_validate_json(body)
        except ValidationError as error:
            raise _unreadable(error) from error
        task = unpacked(form, self._plugins(plugins_of(form.strategy), folders))
        task = replace(task, calculations=self._calculations)
        with self._lock:
            self._tasks[sha256] = min(MOST_BYTES, len(body) + _unsent(task)), task
            while len(self._tasks) > MOST_CONTEXTS:
                self._tasks.popitem()

    def task(self, asked: Asked) -> Task:
        """The task of a call; raises NotStored where it has to be sent again."""
        with self._lock:
            entry = self._tasks.get(asked.context)
        if entry is None:
            raise NotStored(
                f"The context {asked.context} is not known here. Nothing was calculated. Send it "
                "again.",
                code="context_unknown",
                place="context",
                value=asked.context,
                hint="send it again",
            )
        return entry[1]

    def _plugins(self, settings: Plugins, folders: tuple[Path, ...]) -> Loaded:
        """The plugins that a strategy lists, from the folders of this service.

        Loaded once; anew where one could not be had, or its worker is not started again.
        """
        if not settings.files and not settings.entry_points:
            return NONE
        folder = Path(settings.folder or "")
        if settings.files and folder.expanduser() not in folders:
            raise OtherBuild(
                f"The strategy's plugins are in {str(folder)!r}; this service loads them from "
                f"{', '.join(map(str, folders)) or 'nowhere'} alone. Nothing was calculated. Put "
                "them there, or list their folder under [services] plugins.",
                code="plugins_elsewhere",
                place="plugins.folder",
                value=folder,
                hint="list their folder under [services] plugins",
            )
        key = settings.model_dump_json()
        with self._loading:  # apart from what is asked of contexts: a plugin may take its time
            loaded = self._loaded.get(key)
            if loaded is None or loaded.problems or loaded.is_spent():
                loaded = self._loaded[key] = load_plugins(settings, None)
        return loaded


def _unsent(task: Task) -> int:
    """Bytes of a task that its body need not have: of a table of truths it has the true ones."""
    return 0 if task.table is None else task.table.account.conflicts.nbytes


def _unreadable(error: ValidationError) -> InputError:
    slip: Mapping[str, Any] = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, slip["loc"]))
    return InputError(
        f"The context cannot be read, at {place or 'its start'}: {slip['msg']}. Nothing was kept.",
        code="context_unreadable",
        place=place,
    )


def contexts_of(request: Request) -> Contexts:
    """What the application of a request was sent."""
    contexts: Contexts = request.app.state.contexts
    return contexts


def task_of(request: Request, asked: Asked) -> Task:
    """The task of a call; raises NotStored where it has to be sent again."""
    return contexts_of(request).task(asked)


def add_contexts(router: APIRouter, name: Name) -> None:
    """The route by which a service is sent contexts."""

    # read as bytes, for their hash is their name; and apart from the loop, for they may be large
    @router.put(
        f"/{name}/contexts/{{sha256}}",
        dependencies=[needs("planner")],
        tags=[name],
        openapi_extra=body_of(ContextForm),
    )
    async def put_context(sha256: Sha256, request: Request) -> Put:
        """Keep what a plan's steps need, under the SHA-256 of this body."""
        house: House = request.app.state.house
        put = contexts_of(request).put
        await run_in_threadpool(
            put, sha256, await request.body(), house.topology.plugin_folders(house.home)
        )
        return Put(context=sha256)


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    """What OpenAPI says of a body that its handler reads itself; see `app.BODIES`."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
