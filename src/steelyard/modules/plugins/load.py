"""Settings to modules: read every listed plugin, start the workers together, take what they tell,
name every problem.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import MappingProxyType

from steelyard.errors import ModuleError
from steelyard.modules import registry
from steelyard.modules.plugins import Loaded
from steelyard.modules.plugins.answers import ModuleTold
from steelyard.modules.plugins.params import params_model
from steelyard.modules.plugins.remote import Remote, call_of
from steelyard.modules.plugins.sources import Source, check, entry_point, folder_of, pinned
from steelyard.modules.plugins.worker import Worker
from steelyard.modules.registry import Kind, Module
from steelyard.notices import Notice
from steelyard.settings import Plugins

UNSAID = "Steelyard"
"""The author of who names none, as the decorators have it: not so for a plugin."""


def load(settings: Plugins, folder: Path | None) -> Loaded:
    """See `load_plugins`."""
    check(settings)
    problems: list[Notice] = []
    workers = list(_workers(settings, folder, problems))
    found: dict[Kind, dict[str, Module]] = {kind: {} for kind in Kind}
    for worker in workers:
        try:
            _take(worker, found)
        except ModuleError as error:
            problems.append(_problem(worker.source.label, error))
            worker.end()
    modules = {kind: tuple(known[name] for name in sorted(known)) for kind, known in found.items()}
    return Loaded(MappingProxyType(modules), tuple(problems), partial(_end, workers))


def _end(workers: list[Worker]) -> None:
    for worker in workers:
        worker.end()


def _workers(settings: Plugins, folder: Path | None, problems: list[Notice]) -> Iterator[Worker]:
    """A worker for each plugin that can be read, started without waiting for it."""
    where = folder_of(settings, folder) if settings.files else Path()
    readers: dict[str, Callable[[], Source]] = {
        name: partial(pinned, where, name, digest)
        for name, digest in sorted(settings.files.items())
    }
    readers |= {
        f"entry point {name}": partial(entry_point, name)
        for name in sorted(set(settings.entry_points))
    }
    for label, read in readers.items():
        try:
            if os.name != "posix":
                raise ModuleError("plugins run on Linux and macOS only")
            worker = Worker(read(), settings)
            worker.start()
        except (ModuleError, OSError) as error:
            problems.append(_problem(label, error))
        else:
            yield worker


def _problem(label: str, error: Exception) -> Notice:
    struck = type(error).__name__
    code = "plugin_late" if struck == "DeadlineStruck" else "plugin_failed"
    return Notice(
        code=code,
        message=(
            f"The plugin {label} was not loaded and nothing of it runs: {str(error).rstrip('.')}."
        ),
    )


def _take(worker: Worker, found: dict[Kind, dict[str, Module]]) -> None:
    """Add a worker's modules, all or none; raises ModuleError for one that may not be
    registered.
    """
    told = worker.load().modules
    if not told:
        raise ModuleError("it registers no module")
    made = [_module(one, worker) for one in told]
    for module in made:
        taken = registry.modules(module.kind).get(module.name) or found[module.kind].get(
            module.name
        )
        if taken is not None:
            raise ModuleError(
                f"its {module.qualified} is registered already: {taken.version}, {taken.source}"
            )
    for module in made:
        found[module.kind][module.name] = module


def _module(told: ModuleTold, worker: Worker) -> Module:
    made = Module(
        kind=told.kind,
        name=told.name,
        version=told.version,
        summary=told.summary,
        params=params_model(told.name, told.schema_),
        call=call_of(told.kind, told.form, Remote(worker, f"{told.kind}.{told.name}")),
        author="" if told.author == UNSAID else told.author,
        tags=told.tags,
        needs=told.needs,
        form=told.form,
        on=told.on,
        requires_python=told.requires_python,
        dependencies=told.dependencies,
        source=worker.source.label,
        digest=worker.source.digest,
    )
    registry.check(made)
    if (made.kind is Kind.FILTER) is not (
        made.form in {"mask", "pairs", "rows", "rank"}
    ) or made.form == "what_if":
        raise ModuleError(
            f"its {made.qualified} has the form {made.form}, which a plugin of that kind cannot "
            "have"
        )
    return made
