"""One portfolio under four markets: what the pattern `market_regime` makes of it as part of a
plan.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np

from builders.world import World, only, session_days, world
from steelyard.market import Index
from steelyard.modules.registry import Kind
from steelyard.settings import Neutral, Score, Search
from steelyard.strategies import Strategy

YEAR = 260
RATES = {"bull": 1.002, "bear": 0.998, "sideways": 1.0}
"""Growth a session of the index: what it is told from."""

PORTFOLIO = world(
    "AA 400 @ 100", "BB 50 @ 100", "CC 0 @ 50", "DD 60 @ 100", "EE 400 @ 100",
    cash="9000",
    targets={"AA": 0.35, "BB": 0.08, "CC": 0.05, "DD": 0.08, "EE": 0.33},
    cost_prices={"AA": "40", "BB": "120"},
    score=Score(neutral=Neutral(quality=0.9)),
    search=Search(scope="proposals"),
)  # fmt: skip


def history(rate: float, sessions: int = YEAR) -> Index:
    """An index that grows by one rate a session."""
    return Index(("SPY",), session_days(sessions), (100 * rate ** np.arange(sessions))[:, None])


def following(strategy: Strategy) -> Strategy:
    """The strategy whose only proposals are those of `market_regime`."""
    kind = Kind.PATTERN
    choices = tuple(
        replace(choice, enabled=choice.module.name == "market_regime")
        for choice in strategy.choices[kind]
    )
    return only(
        replace(strategy, choices=MappingProxyType({**strategy.choices, kind: choices})),
        Kind.SEQUENCE,
    )


def under(index: Index | None) -> World:
    """The portfolio beside the history of an index."""
    return replace(
        PORTFOLIO,
        market=replace(PORTFOLIO.market, index=index),
        strategy=following(PORTFOLIO.strategy),
    )


WORLDS: dict[str, tuple[World, Strategy]] = {
    regime: (under(history(rate)), following(PORTFOLIO.strategy)) for regime, rate in RATES.items()
}
"""Regime -> a world, and the strategy under which its plan is what the pattern proposes in that
regime.
"""
