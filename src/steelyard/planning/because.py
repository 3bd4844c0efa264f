"""Which term of the score the worth of an order comes from: what a reason names first.

A calculator says why it looked; the score decides. Each term's own arrays say what it would lose if
the order were not in the plan, the others as they are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from steelyard.modules.context import Context
from steelyard.modules.terms import end_state
from steelyard.planning.choice import Choice
from steelyard.planning.score.model import Point, build_model
from steelyard.planning.score.objective import Objective
from steelyard.planning.search.moves import along

LEAST_GAIN = 0.0005
"""A term that gains less by an order, in score, is not named for it: it reads as 0.0 points."""


@dataclass(frozen=True, slots=True)
class Because:
    """The term that gains most by an order, and how much, in score."""

    term: str
    gain: float


def deciding(ctx: Context, objective: Objective, choice: Choice) -> Mapping[int, Because]:
    """Order of the plan -> what it is mostly for; without those that no term gains by."""
    row = choice.plan.row
    gains = dict(_gains(ctx, objective, choice)) if row else {}
    best: dict[int, Because] = {}
    for place, j in enumerate(row):
        # of equal gains the first term by name
        name = max(sorted(gains), key=lambda term: round(gains[term][place], 12), default=None)
        if name is not None and gains[name][place] >= LEAST_GAIN:
            best[j] = Because(name, gains[name][place])
    return best


def _gains(ctx: Context, objective: Objective, choice: Choice) -> Iterator[tuple[str, list[float]]]:
    """(term, what it gains by each order of the plan); a black box has no arrays and is passed."""
    orders, row = choice.orders, list(choice.plan.row)
    after = orders.after(ctx.weights, row)
    end = end_state(after, ctx.cash_weight - math.fsum(orders.delta[row].tolist()))
    security, delta = orders.security[row], orders.delta[row]
    for term in objective.terms:
        model = build_model([term], objective.weights, ctx.n + 1)
        undone = along(model, Point.at(model, end), security, -delta)
        yield term.name, (-undone).tolist()
