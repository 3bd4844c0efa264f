"""Lists of orders to compare, by hand: what each changes of the weights, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from builders.context import context
from steelyard.arrays import frozen
from steelyard.modules.context import Context
from steelyard.planning.guard import Guard
from steelyard.planning.modes.contenders import Contenders
from steelyard.planning.score.objective import Objective, objective_of
from steelyard.planning.score.reference import evaluate
from steelyard.settings import Evaluation
from steelyard.strategies import default

CORRELATION = [
    [1.0, 0.7, 0.2, -0.1],
    [0.7, 1.0, 0.3, 0.0],
    [0.2, 0.3, 1.0, 0.4],
    [-0.1, 0.0, 0.4, 1.0],
]


def four(mode: str = "monte_carlo", *, changes: Mapping = {}, **evaluation) -> Context:
    """Four securities that move and pay unlike each other, some cash, targets."""
    of = {
        "weights": [0.4, 0.2, 0.2, 0.0],
        "targets": [0.25, 0.25, 0.25, 0.15],
        "expected_return": [0.05, 0.06, 0.08, 0.11],
        "volatility": [0.12, 0.18, 0.22, 0.35],
        "correlation": CORRELATION,
        "sectors": ["Tech", "Energy", "Tech", "Health"],
        **changes,
    }
    return evaluated(context("A B C D", **of), mode=mode, **evaluation)


def evaluated(ctx: Context, **evaluation) -> Context:
    """The context with another `[evaluation]`."""
    return replace(ctx, rules=replace(ctx.rules, evaluation=Evaluation(**evaluation)))


def objective(ctx: Context) -> Objective:
    """What the default strategy aims at."""
    return objective_of(ctx, default(), Guard())


def lists(
    ctx: Context,
    aim: Objective,
    *changes: Sequence[float],
    costs: Sequence[float] | None = None,
    worth_it: bool = True,
) -> Contenders:
    """Hold, and lists that change the weights so."""
    k = len(changes) + 1
    delta = np.zeros((k, ctx.n + 1))
    for row, change in enumerate(changes, start=1):
        delta[row, :-1] = change
        delta[row, -1] = -sum(change)
    start = np.append(ctx.weights, ctx.cash_weight)
    paid = np.array([0.0, *(costs or [0.001] * (k - 1))])
    evaluations = [evaluate(aim.terms, aim.weights, z[:-1], z[-1]) for z in start + delta]
    score = np.array([evaluation.score for evaluation in evaluations])
    charges = np.stack([aim.rates.cost * paid, np.zeros(k), np.zeros(k)], axis=1)
    spread = [t.value for e in evaluations for t in e.terms if t.name == "diversification"]
    return Contenders(
        start=frozen(start),
        delta=frozen(delta),
        cost=frozen(charges),
        paid=frozen(paid),
        apart=frozen(np.zeros(k)),
        net=frozen(score - score[0] - charges.sum(axis=1)),
        eligible=frozen(np.array([True, *[worth_it] * (k - 1)])),
        score=frozen(score),
        spread=frozen(np.array(spread or [np.nan] * k)),
    )
