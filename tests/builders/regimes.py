"""One portfolio under four markets: what the pattern `market_regime` makes of it in a plan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from builders.changes import alone
from builders.world import World, session_days, world
from steelyard.market import Index
from steelyard.settings import Neutral, Score, Search

YEAR = 260
RATES = {"bull": 1.002, "bear": 0.998, "sideways": 1.0}
"""Growth a session of the index: what it is told from."""

PORTFOLIO = world(
    "AA 400 @ 100", "BB 50 @ 100", "CC 0 @ 50", "DD 60 @ 100", "EE 400 @ 100",
    cash="9000",
    targets={"AA": 0.35, "BB": 0.07, "CC": 0.02, "DD": 0.07, "EE": 0.33},
    cost_prices={"AA": "40", "BB": "120"},
    score=Score(neutral=Neutral(quality=0.9)),
    search=Search(scope="proposals"),
)  # fmt: skip


def history(rate: float, sessions: int = YEAR) -> Index:
    """An index that grows by one rate a session."""
    return Index(("SPY",), session_days(sessions), (100 * rate ** np.arange(sessions))[:, None])


def under(index: Index | None) -> World:
    """The portfolio beside the history of an index, where `market_regime` alone proposes."""
    return alone(replace(PORTFOLIO, market=replace(PORTFOLIO.market, index=index)), "market_regime")


WORLDS: dict[str, World] = {regime: under(history(rate)) for regime, rate in RATES.items()}
"""Regime -> a world whose plan is what the pattern proposes in that regime."""
