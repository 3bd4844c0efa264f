"""Which scope a plan is made in, and what that leaves idle: `search.scope`, or what is set.

Patterns, generators, ranking filters and `[planner]` shape proposals: where the user sets these and
names no scope, the plan is the best proposal, or they would be idle. The presets and sliders that
set them do so for plans without targets. Every other plan is the best of any whole-lot order list.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from steelyard.modules.registry import Kind, Module
from steelyard.settings import Planner, Scope
from steelyard.strategies.files.spellings import ENABLED
from steelyard.strategies.strategy import (
    ModuleChoice,
    Strategy,
    Why,
    own,
)

SCOPE = "search.scope"
DEPTH = "search.max_depth"
REFINE = "search.refine"
BEAM = "search.beam_width"
REGIME = f"{Kind.PATTERN.value}.market_regime"


def scope_of(strategy: Strategy, *, targets: bool) -> tuple[Scope, str]:
    """What the plan is the best of, with or without targets, and a sentence that says why."""
    if _says(strategy, SCOPE):
        return strategy.search.scope, f"{SCOPE} is named ({strategy.setter(SCOPE)})."
    shaping = proposing(strategy)
    if shaping:
        more = f" and {len(shaping) - 1} more are" if len(shaping) > 1 else " is"
        return "proposals", f"{shaping[0]}{more} set, for proposals, and no {SCOPE} is named."
    who = next(_shapers(strategy), None)
    if who is not None:
        says = f"The settings of {who} shape proposals"
        if targets:
            return "quantities", f"{says}, and targets are given, which say more."
        return "proposals", f"{says}, and no targets are given."
    return "quantities", f"No {SCOPE} is named, and nothing that shapes proposals is set."


def refine_of(strategy: Strategy) -> bool:
    """Are the quantities of chosen orders fitted: as set, else where no scope is named."""
    if _says(strategy, REFINE):
        return strategy.search.refine
    return not (_says(strategy, SCOPE))


def binding_orders(strategy: Strategy, scope: Scope) -> int | None:
    """Most orders in a plan: `limits.max_orders`, and in every scope a depth that is set."""
    most = strategy.limits.max_orders
    if scope != "quantities" or not strategy.is_set(DEPTH):
        return most
    return strategy.search.max_depth if most is None else min(most, strategy.search.max_depth)


def proposing(strategy: Strategy) -> list[str]:
    """What shapes proposals and the user sets: a key of `[planner]`, the table of a module."""
    keys = [f"planner.{name}" for name in Planner.model_fields]
    modules = (
        choice.module.qualified
        for choice in _shaping(strategy)
        if any(strategy.is_set(key) for key in choice_keys(choice))
    )
    return [*filter(strategy.is_set, keys), *modules]


def idle(strategy: Strategy, scope: Scope) -> list[str]:
    """What the user sets and the scope leaves idle, each once."""
    unused = {"quantities": (BEAM, REFINE), "candidates": (), "proposals": (BEAM,)}[scope]
    keys = [key for key in unused if strategy.is_set(key)]
    if scope == "proposals":
        return keys
    sets_limits = REGIME if _switch_alone(strategy) else None
    return [*(name for name in proposing(strategy) if name != sets_limits), *keys]


def _switch_alone(strategy: Strategy) -> bool:
    """Is of what asks for the regime only the switch set? In every scope it sets limits."""
    choice = strategy.choice(Kind.PATTERN, REGIME.partition(".")[2])
    return [key for key in choice_keys(choice) if strategy.is_set(key)] == [f"{REGIME}.{ENABLED}"]


def idle_sentence(scope: Scope, names: Sequence[str]) -> str:
    """What is idle in a scope, in one sentence."""
    what = "A setting is" if len(names) == 1 else f"{len(names)} settings are"
    it = "it changes" if len(names) == 1 else "they change"
    return f'{what} idle, for {it} no plan where {SCOPE} is "{scope}": {", ".join(names)}.'


def _says(strategy: Strategy, key: str) -> bool:
    """Does anybody at all say it?"""
    return key in strategy.sources or strategy.is_set(key)


def choice_keys(choice: ModuleChoice) -> list[str]:
    """The keys of a module's table."""
    fields = type(choice.params).model_fields
    names = [info.alias or name for name, info in fields.items()]
    return [f"{choice.module.qualified}.{name}" for name in (ENABLED, *names)]


def _shaping(strategy: Strategy) -> Iterator[ModuleChoice]:
    """Patterns, generators and ranking filters."""
    for kind in (Kind.PATTERN, Kind.SEQUENCE, Kind.FILTER):
        yield from (choice for choice in strategy.choices[kind] if shapes(choice.module))


def shapes(module: Module) -> bool:
    """Does a module only shape proposals?"""
    if module.kind is Kind.FILTER:
        return module.form == "rank"
    return module.kind is Kind.PATTERN or (
        module.kind is Kind.SEQUENCE and module.form != "what_if"
    )


def _shapers(strategy: Strategy) -> Iterator[Why]:
    """Which preset, slider or setting of a satellite sets something that shapes proposals."""
    tables = ("planner.", *(f"{choice.module.qualified}." for choice in _shaping(strategy)))
    for key, why in strategy.sources.items():
        if not own(why) and key.startswith(tables):
            yield why
