"""Settings to modules: read every listed plugin, start the workers, take what they list."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from steelyard.errors import DeadlineStruck, ModuleError
from steelyard.modules import registry
from steelyard.modules.contract import ANSWERS
from steelyard.modules.plugins import Loaded
from steelyard.modules.plugins.params import params_model
from steelyard.modules.plugins.remote import call_of, judge_of
from steelyard.modules.plugins.sources import Source, check, entry_point, folder_of, pinned
from steelyard.modules.plugins.worker import MOST_STARTS, Worker
from steelyard.modules.registry import Kind, Module
from steelyard.notices import Notice
from steelyard.settings import Plugins

MOST_MODULES = 50
"""Of one plugin."""
UNSAID = "Steelyard"
"""The author of who names none, as the decorators have it: not so for a plugin."""


def load(settings: Plugins, folder: Path | None) -> Loaded:
    """See `load_plugins`."""
    check(settings)
    problems: list[Notice] = []
    workers = list(_workers(settings, folder, problems))
    modules: dict[Kind, dict[str, Module]] = {kind: {} for kind in Kind}
    for worker in workers:
        try:
            _take(worker, modules)
        except ModuleError as error:
            problems.append(_problem(worker.source.label, error))
            worker.end()
    ordered = {
        kind: tuple(by_name[name] for name in sorted(by_name)) for kind, by_name in modules.items()
    }

    def close() -> None:
        for worker in workers:
            worker.end()

    def is_spent() -> bool:
        return any(worker.starts >= MOST_STARTS for worker in workers)

    return Loaded(MappingProxyType(ordered), tuple(problems), close, is_spent)


def _workers(settings: Plugins, folder: Path | None, problems: list[Notice]) -> Iterator[Worker]:
    """A worker for each plugin that can be read, started without waiting for it."""
    where = folder_of(settings, folder) if settings.files else Path()
    files, points = sorted(settings.files.items()), sorted(set(settings.entry_points))
    readers: dict[str, Callable[[], Source]] = {
        **{name: partial(pinned, where, name, digest) for name, digest in files},
        **{f"entry point {name}": partial(entry_point, name) for name in points},
    }
    for label, read in readers.items():
        try:
            if os.name != "posix":
                raise ModuleError("plugins run on Linux and macOS only", code="plugins_unsupported")
            worker = Worker(read(), settings)
            worker.start()
        except (ModuleError, OSError) as error:
            problems.append(_problem(label, error))
        else:
            yield worker


def _problem(label: str, error: Exception) -> Notice:
    code = "plugin_late" if isinstance(error, DeadlineStruck) else "plugin_failed"
    why = str(error).rstrip(".")
    message = f"The plugin {label} was not loaded and nothing of it runs: {why}."
    return Notice(code=code, message=message)


def _take(worker: Worker, modules: dict[Kind, dict[str, Module]]) -> None:
    """Add a worker's modules, all or none; ModuleError for one that may not be registered."""
    listed = worker.load()
    if not 0 < len(listed) <= MOST_MODULES:
        count = f"{len(listed)} modules; at most {MOST_MODULES}" if listed else "no module"
        raise ModuleError(f"it registers {count}", code="plugin_registers", value=count, limit=1)
    own: dict[str, Module] = {}
    for module, schema in listed:
        others = {**registry.modules(module.kind), **modules[module.kind]}
        other = others.get(module.name) or own.get(module.qualified)
        if other is not None:
            raise ModuleError(
                f"its {module.qualified} is registered already: {other.version}, {other.source}",
                code="plugin_name_used",
                place=module.qualified,
                value=other.source,
            )
        own[module.qualified] = _module(module, schema, worker)
    for module in own.values():
        modules[module.kind][module.name] = module


def _module(listed: Module, schema: Any, worker: Worker) -> Module:
    if (listed.kind, listed.form) not in ANSWERS:
        raise ModuleError(
            f"its {listed.qualified} has the form {listed.form}, not for plugins",
            code="plugin_form",
            place=listed.qualified,
            value=listed.form,
        )
    module = replace(
        listed,
        params=params_model(listed.name, schema, judge_of(worker, listed)),
        call=call_of(worker, listed),
        author="" if listed.author == UNSAID else listed.author,
        source=worker.source.label,
        digest=worker.source.digest,
    )
    registry.check(module)
    return module
