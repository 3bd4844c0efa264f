"""Modules from outside: files of a folder, pinned by their hash, and entry points in the group
`steelyard.plugins`.

In: the `[plugins]` table of a strategy. Out: `registry.Module` records that look like built-in
ones, whose parameters are known here and whose calls go to a worker process, one for each file or
entry point. Nothing of a plugin is imported in this process, and what a worker answers is read as
data and checked before anything believes it.

    load.py      settings to modules, every problem told
    sources.py   what is listed: bytes or a module's name, and its digest; nothing is run
    worker.py    one worker process: start, ask, deadline, restart, end
    channel.py   the bytes between the two: pickles one way only, checked JSON and arrays the other
    child.py     what runs in the worker: load the plugin, answer calls
    confine.py   what the worker may not do
    answers.py   the form of every answer
    remote.py    an answer into candidates, rows, rulings, rankings, terms; the calls that ask for
                 them
    params.py    the JSON Schema of a plugin's parameters into a model

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


def _nothing() -> None:
    """There is nothing to end."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the listed plugins bring.

    modules    kind -> modules, by name; kinds without any are there too
    problems   one for each plugin that could not be had, and why
    close      ends the workers; they also end with the interpreter and when the last of their
               modules is forgotten
    """

    modules: Mapping[Kind, tuple[Module, ...]]
    problems: tuple[Notice, ...] = ()
    close: Callable[[], None] = _nothing


NONE = Loaded(MappingProxyType(dict.fromkeys(Kind, ())))


def load_plugins(settings: Plugins, folder: Path | None) -> Loaded:
    """The modules of every listed plugin; one that cannot be had is a problem, never an error.

    folder   of the strategy: where a relative `plugins.folder` is looked for; None when the
             strategy is no file
    Raises SettingsError for a list that no plugin could satisfy: a name with a path in it, a digest
    that is none.
    """
    if not settings.files and not settings.entry_points:
        return NONE
    loaded: Loaded = importlib.import_module("steelyard.modules.plugins.load").load(
        settings, folder
    )
    return loaded
