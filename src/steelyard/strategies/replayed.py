"""The strategy of a plan that was made, from the settings that its document has.

They are complete and decided: nothing follows the number of names or the targets any more, so that
planning by them is planning by what the plan was made by, whatever became of the file since.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from steelyard.errors import SettingsError
from steelyard.modules.registry import Kind, Module, modules
from steelyard.plans.account import StrategyRef
from steelyard.strategies.planned import SWITCHES, WAITS, wait_key
from steelyard.strategies.scope import DEPTH, REFINE, SCOPE
from steelyard.strategies.strategy import (
    DEFAULT_WHY,
    SECTIONS,
    ModuleChoice,
    Strategy,
)
from steelyard.strategies.thresholds import FOLLOWING

STORED_WHY = "stored plan"
"""Who sets what a plan was made by."""


def replayed(reference: StrategyRef) -> Strategy:
    """The rules of a plan, complete.

    Raises SettingsError where what is installed has not the modules or settings that it was made
    by, or makes other rules of them.
    """
    try:
        sections: dict[str, Any] = {
            name: kind.model_validate(reference.settings[name])
            for name, kind in SECTIONS.items()
            if name in reference.settings
        }
        choices = {kind: _choices(kind, reference.settings["modules"]) for kind in Kind}
    except (ValidationError, LookupError, TypeError) as error:
        raise _other(reference, f"its settings cannot be read: {_first(error)}") from error
    decided = (SCOPE, REFINE, *SWITCHES, *FOLLOWING, *map(wait_key, WAITS))
    strategy = Strategy(
        name=reference.name,
        version=reference.version,
        title=reference.title,
        text_sha256=reference.text_sha256,
        choices=MappingProxyType(choices),
        # a depth that binds is in `limits.max_orders`: by itself it limits no plan over quantities
        sources=MappingProxyType({**dict.fromkeys(decided, STORED_WHY), DEPTH: DEFAULT_WHY}),
        **sections,
    )
    if strategy.sha256 != reference.sha256:
        raise _other(reference, "the same settings mean other rules now")
    return strategy


def _choices(kind: Kind, listed: Mapping[str, Any]) -> tuple[ModuleChoice, ...]:
    """Every registered module of a kind; those on that the plan ran. KeyError for one that is gone
    or of another version.
    """
    ran = {entry["name"]: entry for entry in listed[kind.value]}
    installed = modules(kind)
    for name, entry in ran.items():
        there = installed.get(name)
        if there is None or (there.version, there.digest) != (
            entry["version"],
            entry.get("digest"),
        ):
            raise LookupError(f"{kind.value}.{name} {entry['version']} is not installed")
    return tuple(_choice(module, ran.get(module.name)) for module in installed.values())


def _choice(module: Module, entry: Mapping[str, Any] | None) -> ModuleChoice:
    if entry is None:
        return ModuleChoice(module, False, module.params(), STORED_WHY)
    params = module.params.model_validate(entry["params"])
    return ModuleChoice(module, True, params, STORED_WHY, entry.get("on_failure", "block"))


def _first(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(error.args[0]) if error.args else type(error).__name__


def _other(reference: StrategyRef, why: str) -> SettingsError:
    return SettingsError(
        f"The rules of the plan, {reference.shown}, are not those of this installation: {why}. "
        "Nothing was calculated; plan again.",
        code="rules_of_another_build",
        place=reference.name,
        value=reference.sha256[:12],
        hint="plan again",
    )
