"""Modules from outside: files pinned by their hash, and entry points `steelyard.plugins`.

In: the `[plugins]` table of a strategy. Out: `registry.Module` records like built-in ones, whose
calls go to a worker process, one for each file or entry point. Nothing of a plugin is imported in
this process; what a worker answers is data, and keeps the contract of its kind or is refused.

    load.py      settings to modules, every problem named
    sources.py   what is listed: bytes or a module's name, and its digest; nothing is run
    worker.py    one worker process: start, ask, deadline, restart, end
    channel.py   the bytes between the two: pickles one way only, checked JSON and arrays the other
    codec.py     records as JSON and arrays, and back, by their type hints
    child.py     what runs in the worker: load the plugin, answer calls
    confine.py   what the worker may do
    remote.py    the calls of a plugin's modules
    params.py    their parameters, checked by the plugin's own model

Without a listed plugin none of these files is even imported. docs/plugins.md says how to write one.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from steelyard.modules.registry import Kind, Module

if TYPE_CHECKING:  # every worker imports this file
    from steelyard.notices import Notice
    from steelyard.settings import Plugins


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the listed plugins bring.

    modules    kind -> modules, by name; kinds without any are there too
    problems   one for each plugin that could not be had, and why
    close      ends the workers; they also end with the interpreter and with their last module
    is_spent   has one of them ended so often that it is not started again?
    """

    modules: Mapping[Kind, tuple[Module, ...]]
    problems: tuple[Notice, ...] = ()
    close: Callable[[], None] = lambda: None
    is_spent: Callable[[], bool] = lambda: False


NONE = Loaded(MappingProxyType(dict.fromkeys(Kind, ())))


def load_plugins(settings: Plugins, folder: Path | None) -> Loaded:
    """The modules of every listed plugin; one that cannot be had is a problem, never an error.

    folder   of the strategy: where a relative `plugins.folder` is; None when it is no file
    Raises SettingsError for a list that no plugin could satisfy: a path as a name, a bad digest.
    """
    if not settings.files and not settings.entry_points:
        return NONE
    load = importlib.import_module("steelyard.modules.plugins.load").load
    return load(settings, folder)  # type: ignore[no-any-return]
