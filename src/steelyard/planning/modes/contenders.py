"""The lists that are compared, as arrays: where each ends and what it is charged."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from steelyard.arrays import BoolArray, FloatArray, IntArray, frozen
from steelyard.modules.candidates import Orders
from steelyard.modules.context import Context
from steelyard.modules.terms import BlackBox, Separable
from steelyard.planning.score.objective import Objective
from steelyard.planning.score.reference import Evaluation
from steelyard.planning.scored import Scored

SEED_BYTES = 6
SIGNIFICANT = 9
"""Digits of the figures that a seed is made of: their last bits may differ between machines."""


@dataclass(frozen=True)
class Contenders:
    """k lists over n securities; the first is hold.

    start      (n + 1,)    weights and cash before
    delta      (k, n + 1)  change of each, cash too; no costs in it
    charge     (k,)        score that the orders are charged: cost, tax, hurdle
    cost       (k, 3)      of these the parts, in this order
    paid       (k,)        costs, of value
    apart      (k,)        score of the parts without arrays over that of hold: as today everywhere
    net        (k,)        by the score of today
    eligible   (k,)        may it be the plan?
    score      (k,)        of today, before charges
    spread     (k,)        value of the diversification term; NaN without one
    """

    start: FloatArray
    delta: FloatArray
    cost: FloatArray
    paid: FloatArray
    apart: FloatArray
    net: FloatArray
    eligible: BoolArray
    score: FloatArray
    spread: FloatArray

    def __len__(self) -> int:
        return len(self.delta)

    @property
    def charge(self) -> FloatArray:
        """(k,) all that the orders are charged."""
        return np.asarray(self.cost.sum(axis=1))

    @property
    def middle(self) -> int:
        """The list that the others differ from in the fewest columns, all together."""
        same = (self.delta[:, None, :] == self.delta[None, :, :]).sum(axis=(1, 2))
        return int(same.argmax())

    @property
    def active(self) -> IntArray:
        """(a,) securities that any list holds, before or after."""
        after = self.start + self.delta
        return np.flatnonzero((self.start != 0)[:-1] | (after != 0).any(axis=0)[:-1])


def contenders_of(
    ctx: Context,
    objective: Objective,
    orders: Orders,
    ends: Sequence[Scored],
    eligible: Sequence[bool],
) -> Contenders:
    """The lists as arrays; `ends` has hold first."""
    delta = np.zeros((len(ends), ctx.n + 1))
    for k, end in enumerate(ends):
        delta[k, :-1] = orders.after(ctx.weights, end.row) - ctx.weights
        delta[k, -1] = -delta[k, :-1].sum()
    start = np.append(ctx.weights, ctx.cash_weight)
    apart = [_apart(objective, end.evaluation) for end in ends]
    spread = [
        next((t.value for t in end.evaluation.terms if t.name == "diversification"), np.nan)
        for end in ends
    ]
    return Contenders(
        start=frozen(start),
        delta=frozen(delta),
        cost=frozen(np.array([end.charges for end in ends]).reshape(len(ends), 3)),
        paid=frozen(np.array([end.cost for end in ends])),
        apart=frozen(np.array(apart) - apart[0]),
        net=frozen(np.array([end.net for end in ends])),
        eligible=frozen(np.array(eligible, dtype=np.bool_)),
        score=frozen(np.array([end.evaluation.score for end in ends])),
        spread=frozen(np.array(spread)),
    )


def _apart(objective: Objective, evaluation: Evaluation) -> float:
    """Score of the parts that no scenario can ask for all at once: as they were asked already."""
    apart = {
        (term.name, part.name): objective.weights[term.name] * part.share / (part.hi - part.lo)
        for term in objective.terms
        for part in term.parts
        if isinstance(part.shape, BlackBox | Separable)
    }
    return math.fsum(
        apart[term.name, part.name] * part.raw
        for term in evaluation.terms
        for part in term.parts
        if (term.name, part.name) in apart
    )


def seed_of(ctx: Context) -> int:
    """Seed of every draw: of what is owned, what is thought of it, the day and the user's seed.

    One and the same for every mode and number of paths, so that more paths go on where fewer end.
    """
    digest = hashlib.sha256()
    digest.update(repr((ctx.seed, ctx.as_of.isoformat(), ctx.symbols)).encode())
    estimates = ctx.estimates
    for figures in (ctx.weights, estimates.expected_return, estimates.volatility):
        text = ",".join(f"{figure:.{SIGNIFICANT}g}" for figure in figures.tolist())
        digest.update(text.encode())
    return int.from_bytes(digest.digest()[:SEED_BYTES], "big")
