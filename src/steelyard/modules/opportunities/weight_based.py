"""Weight based: trade towards the target weight of each security."""

from __future__ import annotations

import numpy as np

from steelyard.modules.candidates import Candidate
from steelyard.modules.context import Context
from steelyard.modules.groups import NOISE
from steelyard.modules.opportunities import PriorityWeight
from steelyard.modules.registry import ModuleParams, opportunity_calculator
from steelyard.orders import Side
from steelyard.sentences import Sentence, say
from steelyard.settings import setting

SIZES = (0.5, 0.75, 1.0)
"""Of the gap. The gap of an untargeted holding is the whole of it, so its last size is the exit."""


class Params(ModuleParams):
    """Which gaps are left alone."""

    min_gap_threshold: float = setting(
        0.005,
        "distance from the target weight that is left alone; follows the number of names",
        ge=0,
        le=0.1,
    )
    priority_weight: PriorityWeight = 1.0

    def most_sizes(self) -> int:
        """One a part of the gap."""
        return len(SIZES)


@opportunity_calculator(
    "weight_based", version="1.0.0", params=Params, tags=("buy", "sell"), needs=("target_weights",)
)
def weight_based(ctx: Context, params: Params) -> list[Candidate]:
    """Trade towards target weights: half, 3/4 or all of a gap; untargeted holdings go."""
    if ctx.target_weights is None:
        return []
    gaps = ctx.target_weights - ctx.weights
    far = np.abs(gaps) > params.min_gap_threshold + NOISE
    buys = far & (gaps > 0) & ctx.can_buy
    sells = far & (gaps < 0) & ctx.can_sell & ctx.held
    return [
        Candidate(
            Side.BUY if buys[i] else Side.SELL,
            ctx.symbols[i],
            tuple(size * float(gaps[i]) for size in SIZES),
            params.priority_weight,
            towards(float(ctx.weights[i]), float(ctx.target_weights[i])),
            _tags(ctx, int(i), buys[i]),
        )
        for i in np.flatnonzero(buys | sells)
    ]


def towards(weight: float, target: float) -> Sentence:
    if target == 0:
        return say("{weight:pct} of value and no target", weight=weight)
    if weight < target:
        return say(
            "{weight:pct} of value, {gap:pp} under its target of {target:pct}",
            weight=weight,
            gap=target - weight,
            target=target,
        )
    return say(
        "{weight:pct} of value, {gap:pp} over its target of {target:pct}",
        weight=weight,
        gap=weight - target,
        target=target,
    )


def _tags(ctx: Context, i: int, buy: bool) -> tuple[str, ...]:
    cheaper = buy and ctx.prices[i] < ctx.average_cost[i]
    return ("averaging_down" if cheaper else "rebalance", "optimizer_target")
