"""Small plans that a mode of evaluation chose, each made once."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from builders.world import World, world
from steelyard.plans.plan import Plan
from steelyard.settings import Costs, Evaluation, ObjectiveShares, Score

MODES = ("monte_carlo", "stochastic", "multi_timeframe", "multi_objective")
OF = world(
    "AA 400 @ 100", "BB 100 @ 50", "CC 30 @ 200", cash="9000",
    targets={"AA": 0.3, "BB": 0.3, "CC": 0.25},
)  # fmt: skip
NEAR_TARGET = world(
    "AA 180 @ 100", "BB 130 @ 100", cash="7000", targets={"AA": 0.5, "BB": 0.3},
    score=Score(min_improvement=0.9),
)  # fmt: skip
COSTS_ALONE = ObjectiveShares(score=0, diversification=0, risk=0, cost=1)


def by(mode: str, of: World = OF, **evaluation: Any) -> World:
    """A world whose plan a mode chooses, over few paths."""
    rules = Evaluation(mode=mode, **{"paths": 100, **evaluation})
    return replace(of, strategy=replace(of.strategy, evaluation=rules))


def _dear(mode: str, **evaluation: Any) -> World:
    """Where trading costs so much that a mode may hold although the score of today would not."""
    of = replace(OF, strategy=replace(OF.strategy, costs=Costs(fixed=90, percent=0.02)))
    return by(mode, of, **evaluation)


MADE: dict[str, Callable[[], World]] = {
    **{mode: functools.partial(by, mode) for mode in MODES},
    "held for its costs": lambda: _dear("multi_objective", objectives=COSTS_ALONE),
    "held for a day": lambda: _dear("multi_timeframe", horizon_years=(0.01,)),
    "with many digits": lambda: by(
        "stochastic", shifts=(-0.123456789012345, 0.1), tail=0.23123599860326888
    ),
    "nothing owned": lambda: by("monte_carlo", world(cash="0")),
    "nothing worth it": lambda: by("monte_carlo", NEAR_TARGET),
}


@functools.cache
def chosen(name: str) -> Plan:
    """The plan of a world by its name."""
    return MADE[name]().plan()
