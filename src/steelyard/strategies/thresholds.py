"""Thresholds that follow the number of names: set for twenty, and less for every further one.

In a set of N names a gap and an order are about 1/N of the whole, so what is left alone is `20 / N`
of what it is at twenty. The score counts a gap squared: what one order must be worth falls by the
square of that, and what all of them together must gain by N of these, `20 / N` again. From a
thousand names on the account's own costs decide alone. What the user sets stays as it is.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from steelyard.modules.registry import Kind
from steelyard.strategies.strategy import ModuleChoice, Strategy

FEW = 20
"""Names up to which a threshold is as the defaults, or a preset, have it."""
MANY = 1_000
"""Names from which it is 0."""

DIGITS = 6
"""Of what a threshold comes to."""

HURDLE = "score.order_hurdle"
SECTION_KEYS = ("limits.min_trade_weight", HURDLE, "score.min_improvement")
GAP_MODULE = "weight_based"
GAP_NAME = "min_gap_threshold"
GAP_KEY = f"{Kind.OPPORTUNITY.value}.{GAP_MODULE}.{GAP_NAME}"
FOLLOWING = (*SECTION_KEYS, GAP_KEY)


def share(key: str, names: int) -> float:
    """What is left of a threshold in a set of so many names, 0..1.

    >>> [share("score.min_improvement", names) for names in (20, 40, 1000)]
    [1.0, 0.5, 0.0]
    >>> share("score.order_hurdle", 40)
    0.25
    """
    part = 0.0 if names >= MANY else FEW / max(names, FEW)
    return part**2 if key == HURDLE else part


def following(strategy: Strategy) -> list[str]:
    """The thresholds that follow: those that the user does not set."""
    return [key for key in FOLLOWING if not strategy.is_set(key)]


def threshold(strategy: Strategy, key: str) -> float:
    """What a threshold is, by its key."""
    if key == GAP_KEY:
        choice = strategy.choice(Kind.OPPORTUNITY, GAP_MODULE)
        return float(getattr(choice.params, GAP_NAME))
    section, name = key.split(".")
    return float(getattr(getattr(strategy, section), name))


def followed(strategy: Strategy, names: int) -> Strategy:
    """The strategy with its thresholds at what they come to for so many names."""
    keys = following(strategy)
    for key in keys if names > FEW else ():
        value = float(f"{threshold(strategy, key) * share(key, names):.{DIGITS}g}")
        strategy = _with_threshold(strategy, key, value)
    why = f"follows {names:,d} names"
    sources = MappingProxyType({**strategy.sources, **dict.fromkeys(keys, why)})
    return replace(strategy, sources=sources)


def _with_threshold(strategy: Strategy, key: str, value: float) -> Strategy:
    if key == GAP_KEY:
        choices = tuple(_with_gap(c, value) for c in strategy.choices[Kind.OPPORTUNITY])
        every = MappingProxyType({**strategy.choices, Kind.OPPORTUNITY: choices})
        return replace(strategy, choices=every)
    section, name = key.split(".")
    changed = getattr(strategy, section).model_copy(update={name: value})
    return replace(strategy, **{section: changed})


def _with_gap(choice: ModuleChoice, value: float) -> ModuleChoice:
    if choice.module.name != GAP_MODULE:
        return choice
    return replace(choice, params=choice.params.model_copy(update={GAP_NAME: value}))
