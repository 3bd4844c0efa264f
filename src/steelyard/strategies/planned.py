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
from steelyard.strategies.strategy import Strategy
from steelyard.strategies.thresholds import followed, following

TOWARDS_TARGETS = "weight_based"
SWITCH = f"{Kind.OPPORTUNITY.value}.{TOWARDS_TARGETS}.{ENABLED}"


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
    sources = MappingProxyType({**base.sources, **dict.fromkeys((SCOPE, REFINE, SWITCH), why)})
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
    if _is_off(strategy):
        yield "towards_targets", True


def _is_off(strategy: Strategy) -> bool:
    """Is what trades towards targets off, though the user does not say so?"""
    choice = strategy.choice(Kind.OPPORTUNITY, TOWARDS_TARGETS)
    return not choice.enabled and not strategy.is_set(SWITCH)


def _towards_targets(strategy: Strategy) -> Strategy:
    """With what trades towards targets on, unless the user switches it off."""
    if not _is_off(strategy):
        return strategy
    choices = tuple(
        replace(choice, enabled=True) if choice.module.name == TOWARDS_TARGETS else choice
        for choice in strategy.choices[Kind.OPPORTUNITY]
    )
    every = MappingProxyType({**strategy.choices, Kind.OPPORTUNITY: choices})
    return replace(strategy, choices=every)
