"""Settings laid over a strategy: every value validated, every problem with its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, TypeVar, cast, get_args

from pydantic import ValidationError

from steelyard.modules.registry import Kind
from steelyard.settings import Section
from steelyard.strategies.files.normalise import Known, Normal
from steelyard.strategies.files.problems import Problem, Written, dotted, error, explain, shown
from steelyard.strategies.files.spellings import (
    ENABLED,
    EVALUATION_MODE,
    ON_FAILURE,
    SINGLE,
    Key,
    plain,
)
from steelyard.strategies.strategy import SECTIONS, ModuleChoice, OnFailure, Strategy, Why

S = TypeVar("S", bound=Section)


def known_modules(strategy: Strategy) -> Known:
    """Names of the modules of each kind that a strategy knows."""
    return {kind: tuple(choice.module.name for choice in strategy.choices[kind]) for kind in Kind}


def build(base: Strategy, normal: Normal, why: Why) -> tuple[Strategy, list[Problem]]:
    """A strategy with the settings that `why` lays over it; and what is wrong, and not laid."""
    problems: list[Problem] = []
    _switch_off(base, normal)
    sections = {name: section(getattr(base, name), normal, (name,), problems) for name in SECTIONS}
    choices = {
        kind: tuple(_choice(choice, normal, why, problems) for choice in base.choices[kind])
        for kind in Kind
    }
    settings = {".".join(key): setting.value for key, setting in normal.givens.items()}
    leaves = [leaf for key, value in settings.items() for leaf in _leaves(key, value)]
    sources = MappingProxyType({**base.sources, **dict.fromkeys(leaves, why)})
    built = replace(base, **sections, choices=MappingProxyType(choices), sources=sources)
    built = replace(built, own_keys=base.own_keys.union(leaves))
    return built, [*problems, *_disagreeing(built, normal)]


def _switch_off(base: Strategy, normal: Normal) -> None:
    """A way to evaluate that the base has and the document switches off."""
    switch = normal.modes.get(base.evaluation.mode)
    if switch is not None and not switch.value and EVALUATION_MODE not in normal.givens:
        normal.give(replace(switch, value=SINGLE))


def _leaves(key: str, value: object) -> Iterator[str]:
    """The keys of the single values in a value."""
    if isinstance(value, Mapping):
        for name, inside in value.items():
            yield from _leaves(f"{key}.{name}", inside)
    else:
        yield key


def _choice(base: ModuleChoice, normal: Normal, why: Why, problems: list[Problem]) -> ModuleChoice:
    table = (base.module.kind.value, base.module.name)
    switch = normal.givens.get((*table, ENABLED))
    if switch is not None and not isinstance(switch.value, bool):
        text = f"{dotted(switch.written)} is {shown(switch.raw)}; it must be true or false."
        problems.append(error(switch.written, f"{text} It sets {dotted(switch.key)}."))
        switch = None
    params = section(base.params, normal, table, problems)
    on_failure = _on_failure(base, normal, table, problems)
    if switch is None and params is base.params and on_failure == base.on_failure:
        return base
    on = bool(switch.value) if switch else base.enabled
    return ModuleChoice(base.module, on, params, why, on_failure)


def _on_failure(
    base: ModuleChoice, normal: Normal, table: Key, problems: list[Problem]
) -> OnFailure:
    """What to do while a filter fails; of one that forbids nothing there is nothing to say."""
    setting = normal.givens.get((*table, ON_FAILURE))
    if setting is None or base.module.kind is not Kind.FILTER:
        return base.on_failure
    if setting.value in get_args(OnFailure) and base.module.protects:
        return cast("OnFailure", setting.value)
    text = f'{dotted(setting.written)} is {shown(setting.raw)}; it must be "block" or "allow".'
    if not base.module.protects:
        text = f"{dotted(setting.written)}: {base.module.name} forbids no order; leave it out."
    problems.append(error(setting.written, text))
    return base.on_failure


def section(base: S, normal: Normal, table: Key, problems: list[Problem]) -> S:
    """A section, or a module's parameters, with what is set for it; the base where nothing is."""
    settings = {
        key[-1]: setting
        for key, setting in normal.givens.items()
        if key[:-1] == table and not _is_switch(key)
    }
    if not settings:
        return base
    values = {name: setting.value for name, setting in settings.items()}
    try:
        return type(base).model_validate(_merged(base, values))
    except ValidationError as errors:
        written = {name: Written(row.written, row.raw) for name, row in settings.items()}
        problems += explain(errors, type(base), table, written)
        return base


def _is_switch(key: Key) -> bool:
    """Of a module; a section has none."""
    of_filter = key[0] == Kind.FILTER.value and key[-1] == ON_FAILURE
    return key[0] not in SECTIONS and (key[-1] == ENABLED or of_filter)


def _merged(base: Section, table: Mapping[str, Any]) -> dict[str, Any]:
    """What is set of a section under the values of a table; so for tables inside it.

    What is set nowhere stays out, so that `model_fields_set` says what somebody set.
    """
    keys = {info.alias or name: name for name, info in type(base).model_fields.items()}
    fields = base.model_fields_set
    merged: dict[str, Any] = {key: getattr(base, n) for key, n in keys.items() if n in fields}
    for key, value in table.items():
        inside = getattr(base, keys[key]) if key in keys else None
        if isinstance(inside, Section) and isinstance(value, Mapping):
            merged[key] = _merged(inside, value)
        else:
            merged[key] = value
    return merged


def _disagreeing(strategy: Strategy, normal: Normal) -> Iterator[Problem]:
    """Copies of a setting that are not what the strategy has."""
    for setting in normal.agrees:
        value = getattr(getattr(strategy, setting.key[0]), setting.key[1])
        if plain(value) != plain(setting.value) or isinstance(setting.value, bool):
            key = dotted(setting.key)
            differ = (
                f"{dotted(setting.written)} is {shown(setting.raw)} and {key} is {shown(value)}"
            )
            rule = f"it is one number for the whole strategy. Set {key}, or leave it out."
            yield error(setting.written, f"{differ}: {rule}")
