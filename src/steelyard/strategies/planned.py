"""A strategy as a plan is made by it: what depends on targets and on the number of names decided.

What is decided is told as set, so that a plan made again by these rules is made by the same ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from steelyard.modules.registry import Kind
from steelyard.strategies.files.spellings import ENABLED
from steelyard.strategies.scope import (
    REFINE,
    SCOPE,
    binding_orders,
    refine_of,
    scope_of,
)
from steelyard.strategies.strategy import ModuleChoice, Strategy
from steelyard.strategies.thresholds import followed, following

TOWARDS_TARGETS = "weight_based"
WAITING = "recently_traded"
WAITS = ("buy_cooldown_days", "sell_cooldown_days")
"""Days between two orders of one side. Towards targets they prevent no order that is undone, which
`opposite_days` does, and hold back what the targets ask for; without targets nothing else does."""
FOR_TARGETS = ((Kind.OPPORTUNITY, TOWARDS_TARGETS, True), (Kind.FILTER, "correlation_aware", False))
"""Modules that a plan towards targets has on, or off: who names two funds that move alike wants
both, and a rule against near twins would bar the buys that the targets ask for."""
SWITCHES = tuple(f"{kind.value}.{name}.{ENABLED}" for kind, name, _ in FOR_TARGETS)


def as_planned(strategy: Strategy, *, targets: bool, names: int) -> Strategy:
    """The rules of one plan, complete.

    targets   are there any
    names     in the planning set
    """
    scope, why = scope_of(strategy, targets=targets)
    base = followed(_towards_targets(strategy) if targets else strategy, names)
    most = binding_orders(strategy, scope)
    refine = scope == "quantities" or refine_of(strategy)  # idle over quantities
    resolved: dict[str, Any] = {"scope": scope, "refine": refine}
    if scope != "quantities" and most is not None and most < base.search.max_depth:
        resolved["max_depth"] = most
    search = base.search.model_copy(update=resolved)
    limits = base.limits.model_copy(update={"max_orders": most})
    decided = (SCOPE, REFINE, *SWITCHES, *map(wait_key, WAITS))
    sources = MappingProxyType({**base.sources, **dict.fromkeys(decided, why)})
    return replace(base, search=search, limits=limits, sources=sources)


def undecided(strategy: Strategy) -> dict[str, Any]:
    """What a plan still decides by targets and names: with the settings, it tells the plan."""
    return dict(_undecided(strategy))


def _undecided(strategy: Strategy) -> Iterator[tuple[str, Any]]:
    scopes = [scope_of(strategy, targets=targets)[0] for targets in (False, True)]
    if set(scopes) != {strategy.search.scope}:
        yield "scope", scopes
    if set(scopes) != {"quantities"} and refine_of(strategy) is not strategy.search.refine:
        yield "refine", refine_of(strategy)
    most = binding_orders(strategy, "quantities")
    if "quantities" in scopes and most != strategy.limits.max_orders:
        yield "depth_binds", True
    if following(strategy):
        yield "following", following(strategy)
    if _turned(strategy):
        yield "turned", _turned(strategy)
    if _idle_waits(strategy):
        yield "waits", _idle_waits(strategy)


def _turned(strategy: Strategy) -> dict[str, bool]:
    """The modules that targets switch on or off, for the user does not say otherwise."""
    return {
        name: on
        for (kind, name, on), switch in zip(FOR_TARGETS, SWITCHES, strict=True)
        if strategy.choice(kind, name).enabled is not on and not strategy.is_set(switch)
    }


def wait_key(name: str) -> str:
    """The key of a wait."""
    return f"{Kind.FILTER.value}.{WAITING}.{name}"


def _idle_waits(strategy: Strategy) -> list[str]:
    """The waits that a plan towards targets goes without: those that the user does not set."""
    choice = strategy.choice(Kind.FILTER, WAITING)
    if not choice.enabled:
        return []
    return [
        name
        for name in WAITS
        if getattr(choice.params, name) and not strategy.is_set(wait_key(name))
    ]


def _towards_targets(strategy: Strategy) -> Strategy:
    """With what trades towards targets on, what bars near twins off, and no wait before more of the
    same, unless the user says otherwise.
    """
    choices = {
        kind: tuple(_for_targets(strategy, choice) for choice in strategy.choices[kind])
        for kind in (Kind.OPPORTUNITY, Kind.FILTER)
    }
    return replace(strategy, choices=MappingProxyType({**strategy.choices, **choices}))


def _for_targets(strategy: Strategy, choice: ModuleChoice) -> ModuleChoice:
    """A module as a plan towards targets has it."""
    turned = _turned(strategy)
    if choice.module.name in turned:
        return replace(choice, enabled=turned[choice.module.name])
    if choice.module.name == WAITING and _idle_waits(strategy):
        none = dict.fromkeys(_idle_waits(strategy), 0)
        return replace(choice, params=choice.params.model_copy(update=none))
    return choice
