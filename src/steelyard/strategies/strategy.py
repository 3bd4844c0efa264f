"""The record of a strategy and the default one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache, cached_property
from types import MappingProxyType
from typing import Any, Literal

import steelyard.proxies  # noqa: F401 - its records can be pickled
from steelyard.canonical import sha256
from steelyard.errors import UnknownModule, did_you_mean
from steelyard.modules.registry import BUILT_IN, Kind, Module, ModuleParams, modules
from steelyard.notices import Notice
from steelyard.settings import (
    Costs,
    Evaluation,
    Groups,
    Limits,
    Lots,
    Planner,
    Plugins,
    Rebalance,
    Regime,
    Rules,
    Score,
    Search,
    Section,
)

Why = str
"""Who set a value: "default", "preset NAME", "strategy file", "slider NAME"."""

DEFAULT_NAME = "default"
DEFAULT_WHY = "default"
FILE_WHY = "strategy file"


def preset_why(name: str) -> Why:
    """Who set what a preset says."""
    return f"preset {name}"


def inherited(why: Why) -> bool:
    """Did a default or a preset say so, and not the strategy itself?"""
    return why == DEFAULT_WHY or why.startswith(preset_why(""))


SLIDER_WHY = "slider "
SETTING_WHY = "setting "
"""How what a satellite's sliders, and its toggles, set is told."""


def own(why: Why) -> bool:
    """Did the user say so: in a file, an option, a configuration or code?"""
    return not inherited(why) and not why.startswith((SLIDER_WHY, SETTING_WHY))


OnFailure = Literal["block", "allow"]
"""While a filter fails: is nothing traded on the sides that it guards, or planned without it?"""


@dataclass(frozen=True, slots=True)
class ModuleChoice:
    """A module, whether it runs, its parameters, and who said so last: see `Why`.

    on_failure   of a filter that forbids orders; means nothing for another module
    """

    module: Module
    enabled: bool
    params: ModuleParams
    why: Why
    on_failure: OnFailure = "block"

    @property
    def fails_closed(self) -> bool:
        """Does its failure block the sides that it guards?"""
        return self.enabled and self.module.protects and self.on_failure == "block"


@dataclass(frozen=True, kw_only=True)
class Strategy:
    """The rules of a plan, complete: nothing that shapes a plan is elsewhere.

    version   of a stored strategy; None for a file and for the default
    title     of a stored strategy, for people; "" = none
    text_sha256   of the text of a stored strategy; "" = none
    problems  what could not be had while loading, a plugin for example: every plan says so
    lost      filters that it names and nobody has, for a plugin could not be loaded
    warnings  what the strategy says that changes nothing, in sentences
    choices   kind -> one choice for every registered module, by name
    sources   key that is not at its default, like "search.max_depth" -> who set it
    inherits  the preset, or the file, that it lies over
    own_keys  keys that it says itself, and not what it inherits from
    """

    name: str
    version: int | None = None
    title: str = ""
    text_sha256: str = ""
    description: str = ""
    costs: Costs = field(default_factory=Costs)
    limits: Limits = field(default_factory=Limits)
    search: Search = field(default_factory=Search)
    planner: Planner = field(default_factory=Planner)
    rebalance: Rebalance = field(default_factory=Rebalance)
    score: Score = field(default_factory=Score)
    groups: Groups = field(default_factory=Groups)
    regime: Regime = field(default_factory=Regime)
    lots: Lots = field(default_factory=Lots)
    evaluation: Evaluation = field(default_factory=Evaluation)
    plugins: Plugins = field(default_factory=Plugins)
    choices: Mapping[Kind, tuple[ModuleChoice, ...]]
    problems: tuple[Notice, ...] = ()
    lost: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    sources: Mapping[str, Why] = field(default_factory=lambda: MappingProxyType({}))
    inherits: str = DEFAULT_NAME
    own_keys: frozenset[str] = frozenset()

    @property
    def rules(self) -> Rules:
        """The sections that modules may see."""
        return Rules(**{section.name: getattr(self, section.name) for section in fields(Rules)})

    def source(self, key: str) -> Why:
        """Who set a key: `search.max_depth`, `filters.eligibility.enabled`."""
        return self.sources.get(key, DEFAULT_WHY)

    def is_written(self, key: str) -> bool:
        """Does a file of the user's say it? Defaults, presets and sliders give way to targets."""
        return self.source(key) == FILE_WHY

    def is_set(self, key: str) -> bool:
        """Does the user say it, in text or in an object made in code, at its default too?"""
        return own(self.sources[key]) if key in self.sources else self._in_code(key)

    def is_inherited(self, key: str) -> bool:
        """Does nobody but a default, or what it inherits from, say it?"""
        if key in self.own_keys:
            return False
        return not self.is_set(key) or self.is_written(key)

    def setter(self, key: str) -> Why:
        """Who set a key, code too."""
        return (
            self.source(key) if key in self.sources else "code" if self.is_set(key) else "default"
        )

    def _in_code(self, key: str) -> bool:
        """Was it given to the record that holds it? Of a switch: is it not as it is by itself?"""
        table, name, *rest = key.split(".")
        if table in SECTIONS:
            return name in getattr(self, table).model_fields_set
        choice = self.choice(Kind(table), name)
        if rest == ["enabled"]:
            return choice.enabled is not switched_on(choice.module)
        if rest == ["on_failure"]:
            return choice.on_failure != "block"
        aliases = {info.alias: field for field, info in type(choice.params).model_fields.items()}
        return aliases.get(rest[0], rest[0]) in choice.params.model_fields_set

    @property
    def most_orders(self) -> int | None:
        """Most orders of a plan: the limit, and the depth where it binds; None = no limit.

        The depth is that of proposals and of sets of candidates; over quantities it binds only
        where the strategy itself says it.
        """
        by_depth = self.search.scope != "quantities" or self.is_set("search.max_depth")
        limits = [self.limits.max_orders, self.search.max_depth if by_depth else None]
        return min((most for most in limits if most is not None), default=None)

    def choice(self, kind: Kind, name: str) -> ModuleChoice:
        """What the strategy makes of a module; raises UnknownModule."""
        for choice in self.choices[kind]:
            if choice.module.name == name:
                return choice
        near = did_you_mean(name, [choice.module.name for choice in self.choices[kind]])
        raise UnknownModule(
            f"There is no {name!r} in {kind}.{near}", place=str(kind), value=name, hint=near.strip()
        )

    def enabled(self, kind: Kind) -> tuple[ModuleChoice, ...]:
        """The modules of a kind that run, by name."""
        return tuple(choice for choice in self.choices[kind] if choice.enabled)

    @cached_property
    def content(self) -> Mapping[str, Any]:
        """What acts, as plain values: every section, and every module that runs.

        Name, version and description say whose rules these are, not what they do, and a module that
        is off does nothing, nor does an evaluation by the score alone. Where plugins come from and
        how long they may take is not here.
        """
        by_score = self.evaluation.mode == "single_objective"
        idle = {"plugins"} | ({"evaluation"} if by_score else set())
        acting = {name: getattr(self, name) for name in SECTIONS if name not in idle}
        modules = {kind.value: [_acting(c) for c in self.enabled(kind)] for kind in Kind}
        sections = {
            name: section.model_dump(mode="json", by_alias=True) for name, section in acting.items()
        }
        return {**sections, "modules": modules}

    @cached_property
    def sha256(self) -> str:
        """Hash of what acts, and of what a plan decides itself: of one hash, the same plan."""
        from steelyard.strategies.planned import undecided  # noqa: PLC0415 - it imports this

        return sha256({**self.content, **undecided(self)})


def _acting(choice: ModuleChoice) -> dict[str, Any]:
    """What of a module that runs shapes a plan, as plain values."""
    params = choice.params.model_dump(mode="json", by_alias=True)
    acting = {"name": choice.module.name, "version": choice.module.version, "params": params}
    if choice.module.protects and choice.on_failure != "block":
        acting["on_failure"] = choice.on_failure
    return acting if choice.module.digest is None else {**acting, "digest": choice.module.digest}


SECTIONS: Mapping[str, type[Section]] = {
    "limits": Limits,
    "costs": Costs,
    "search": Search,
    "planner": Planner,
    "rebalance": Rebalance,
    "score": Score,
    "groups": Groups,
    "regime": Regime,
    "lots": Lots,
    "evaluation": Evaluation,
    "plugins": Plugins,
}
"""Tables of a strategy that are not modules, by name."""


def switched_on(module: Module) -> bool:
    """Does a module run where nobody says anything? What is not built in is off."""
    return module.on and module.source == BUILT_IN


def default_choices(kind: Kind) -> tuple[ModuleChoice, ...]:
    """The registered modules of a kind by their defaults."""
    return tuple(
        ModuleChoice(module, switched_on(module), module.params(), DEFAULT_WHY)
        for module in modules(kind).values()
    )


def registered() -> tuple[Module, ...]:
    """Every registered module: what a strategy is made of."""
    return tuple(module for kind in Kind for module in modules(kind).values())


def default() -> Strategy:
    """The strategy of who gives none: every number at its default, what is on by itself on."""
    return _default(registered())


@cache
def _default(
    every: tuple[Module, ...],  # noqa: ARG001 - a module that is registered later makes another
) -> Strategy:
    return Strategy(
        name=DEFAULT_NAME,
        description="Every number at its default, every module on that is on by default",
        choices=MappingProxyType({kind: default_choices(kind) for kind in Kind}),
    )
