"""A strategy by a name that a person picks: a preset of either kind, or what is stored."""

from __future__ import annotations

from steelyard.buckets.written import strategy_in
from steelyard.errors import NotStored, did_you_mean
from steelyard.runs import presets as library
from steelyard.runs.planners import strategy_of_version
from steelyard.store import strategies
from steelyard.store.store import Store
from steelyard.strategies import PRESETS, Strategy, preset

AT = "@"


def strategy_by_name(store: Store, text: str) -> Strategy:
    """The strategy of `NAME` or `NAME@3`; a shipped preset's name means the preset.

    Raises NotStored with the nearest names, SettingsError for a text that is no use any more.
    """
    name, at, number = text.partition(AT)
    if not at and name in PRESETS:
        return preset(name)
    stored = {version.name: version for version in strategies.active(store)}
    if name in stored:
        exact = int(number) if number.isascii() and number.isdigit() else None
        return strategy_of_version(strategies.version(store, name, exact))
    entries = {entry.name: entry for entry in library.library(store)}
    if not at and name in entries:
        return strategy_in(library.text_of(store, entries[name]), name, f"preset {name}")
    near = did_you_mean(name, [*stored, *entries])
    raise NotStored(
        f"There is no strategy and no preset {text!r}.{near} Nothing was compared.",
        code="no_strategy_by_name",
        place="strategy",
        value=text,
        hint=near.strip() or "choose one of the list",
    )
