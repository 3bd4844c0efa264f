"""Worlds in which one pattern or generator makes the plan: module -> world."""

from __future__ import annotations

from builders.changes import YOUNG
from builders.world import world
from steelyard.settings import Costs, Limits, Neutral, Score, Search

OVER_AND_UNDER = world(
    *("AA 400 @ 100", "BB 300 @ 100", "CC 100 @ 100", "DD 0 @ 50"),
    cash="5000",
    targets={"AA": 0.25, "BB": 0.2, "CC": 0.25, "DD": 0.25},
)

WORLDS = {
    "multi_sell": world(
        *("AA 290 @ 100", "BB 290 @ 100", "CC 290 @ 100"), cash="13000",
        targets=dict.fromkeys(["AA", "BB", "CC"], 0.24),
    ),
    "mixed_strategy": world(
        *("AA 400 @ 100", "BB 100 @ 100", "CC 300 @ 100", "DD 0 @ 50"), cash="5000",
        targets=dict.fromkeys(["AA", "BB", "CC", "DD"], 0.2), cost_prices={"AA": "40"},
        search=Search(max_depth=3),
    ),
    "opportunity_first": world(
        *("AA 250 @ 100", "BB 250 @ 100", "CC 250 @ 100", "DD 0 @ 50"), cash="25000",
        score=Score(neutral=Neutral(quality=0.9)),
    ),
    "deep_rebalance": OVER_AND_UNDER,
    "cash_generation": world(
        *("AA 400 @ 100", "BB 300 @ 100", "CC 200 @ 100"),
        targets={"AA": 0.25, "BB": 0.3, "CC": 0.2},
    ),
    "cost_optimized": world(
        *("AA 300 @ 100", "BB 300 @ 100", "CC 60 @ 100", "FF 240 @ 100"), cash="4000",
        targets={"AA": 0.25, "BB": 0.25, "CC": 0.16, "DD": 0.1, "FF": 0.2}, foreign=["FF"],
        costs=Costs(fx_percent=0.02), limits=Limits(max_turnover_weight=0.102),
        score=Score(target_fit_weight=0.1), sessions=YOUNG,
    ),
    "combinatorial": OVER_AND_UNDER,
}  # fmt: skip
