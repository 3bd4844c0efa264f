"""From the figures of the lists to the choice, and the rule in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from steelyard.arrays import BoolArray, FloatArray, IntArray, frozen
from steelyard.modules.candidates import Orders
from steelyard.modules.context import Context
from steelyard.planning.modes.compare import compare
from steelyard.planning.modes.contenders import Contenders, contenders_of
from steelyard.planning.modes.objectives import frontier, values
from steelyard.planning.score.objective import Objective
from steelyard.planning.scored import Scored
from steelyard.sentences import Sentence, say

DIGITS = 9
"""Of a figure: what lies behind them is summed in another order on other machines."""
DECISIVE_DECIMALS = 9

Compare = Callable[[Context, Objective, Contenders, IntArray], FloatArray]


@dataclass(frozen=True)
class Judgement:
    """The lists compared, and which is the plan.

    ends      as they were scored by the score of today; hold first
    figures   (k, q)  see `compare`
    values    (k,)    what they are ordered by
    order     (k,)    places of the lists, best value first
    best      place of the plan
    on        (k,)    is it on the frontier? multi_objective alone
    """

    lists: Contenders
    ends: tuple[Scored, ...]
    figures: FloatArray
    values: FloatArray
    order: tuple[int, ...]
    best: int
    on: BoolArray | None = None

    @property
    def plan(self) -> Scored:
        """The list that is chosen."""
        return self.ends[self.best]

    @property
    def others(self) -> tuple[Scored, ...]:
        """The others that may be the plan, best value first."""
        places = (k for k in self.order if k != self.best and self.lists.eligible[k])
        return tuple(self.ends[k] for k in places)

    @property
    def next(self) -> int | None:
        """Place of the best of the others that may be the plan."""
        others = (k for k in self.order if k != self.best and self.lists.eligible[k])
        return next(others, None)


def judged(
    ctx: Context,
    objective: Objective,
    orders: Orders,
    ends: Sequence[Scored],
    eligible: Sequence[bool],
    compared: Compare = compare,
) -> Judgement:
    """The lists compared by the mode of the strategy.

    ends       hold first; at least one is eligible
    compared   who makes the figures
    """
    lists = contenders_of(ctx, objective, orders, ends, eligible)
    figures = rounded(compared(ctx, objective, lists, np.arange(len(lists))))
    on = frontier(figures) if ctx.rules.evaluation.mode == "multi_objective" else None
    worth = _values(ctx, figures, on)
    keys = [
        (-round(float(value), DECISIVE_DECIMALS), len(end.row), end.cost, end.row)
        for value, end in zip(worth, ends, strict=True)
    ]
    order = sorted(range(len(ends)), key=lambda k: keys[k])
    best = next(k for k in order if lists.eligible[k])
    return Judgement(lists, tuple(ends), frozen(figures), frozen(worth), tuple(order), best, on)


def rounded(figures: FloatArray) -> FloatArray:
    """Figures to `DIGITS` significant digits: what is published, and what decides."""
    with np.errstate(divide="ignore"):
        size = np.where(figures == 0, 0.0, np.floor(np.log10(np.abs(figures))))
    scale = 10.0 ** (DIGITS - 1 - size)
    return np.asarray(np.rint(figures * scale) / scale)


def _values(ctx: Context, figures: FloatArray, on: BoolArray | None) -> FloatArray:
    rules = ctx.rules.evaluation
    if on is not None:
        shares = rules.objectives.normalised()
        names = ("score", "diversification", "risk", "cost")
        return values(figures, on, np.array([shares[name] for name in names]))
    if rules.mode == "multi_timeframe":
        return np.asarray(figures @ np.array(rules.shares))
    mean, cvar = figures[:, 0], figures[:, 1]
    return np.asarray((1 - rules.tail_weight) * mean + rules.tail_weight * cvar)


def rule_of(ctx: Context) -> Sentence:
    """What the plan is chosen by, in a sentence."""
    rules = ctx.rules.evaluation
    if rules.mode == "multi_objective":
        shares = rules.objectives.normalised()
        return say(
            "Of the lists that no other beats in score, diversification, risk and cost, the one "
            "that is worth it with the largest sum of {score:pct} score, {diversification:pct} "
            "diversification, {risk:pct} risk and {cost:pct} cost, each scaled from the worst to "
            "the best of them.",
            **shares,
        )
    if rules.mode == "multi_timeframe":
        pairs = enumerate(zip(rules.shares, rules.horizons, strict=True))
        facts: dict[str, float] = {}
        for n, (share, years) in pairs:
            facts |= {f"share_{n}": share, f"years_{n}": years}
        parts = ", ".join(
            f"{{share_{n}:pct}} in {{years_{n}:years}}" for n in range(len(facts) // 2)
        )
        words = (
            f"Of hold and the lists that are worth it, the one with the best score ahead: {parts}."
        )
        return say(words, **facts)
    draws = rules.mode == "monte_carlo"
    plural = "s" if len(rules.shifts) > 1 else ""
    scenes = f"over {{shifts:count}} shock{plural}"
    scenes = "after drawn paths of {years:years}" if draws else scenes
    shares = {"mean": 1 - rules.tail_weight, "cvar": rules.tail_weight, "tail": rules.tail}
    words = (
        f"Of hold and the lists that are worth it, the one with the best score {scenes}: "
        "{mean:pct} its mean and {cvar:pct} its mean over the worst {tail:pct} (CVaR)."
    )
    if draws:
        return say(words, **shares, years=rules.horizons[-1])
    return say(words, **shares, shifts=len(rules.shifts))
