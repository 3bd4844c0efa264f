"""Rebalance buys: buy into a group that is under its target."""

from __future__ import annotations

import numpy as np

from steelyard.modules.candidates import Candidate
from steelyard.modules.context import Context
from steelyard.modules.groups import NOISE, group_gaps, standing, widest
from steelyard.modules.opportunities import BUY_LADDER, PriorityWeight, sizes
from steelyard.modules.registry import ModuleParams, opportunity_calculator
from steelyard.orders import Side
from steelyard.settings import setting


class Params(ModuleParams):
    """When a group is too small."""

    underweight_threshold: float = setting(
        0.02, "group weight under its target that is left alone", ge=0, le=0.2
    )
    priority_weight: PriorityWeight = 0.9

    def most_sizes(self) -> int:
        """The ladder."""
        return len(BUY_LADDER)


@opportunity_calculator("rebalance_buys", version="1.0.0", params=Params, tags=("buy",))
def rebalance_buys(ctx: Context, params: Params) -> list[Candidate]:
    """Buy into sectors and countries under target: one to eight base orders, up to the gap."""
    under = [gap for gap in group_gaps(ctx) if -gap.gap > params.underweight_threshold + NOISE]
    candidates: list[Candidate] = []
    for i in np.flatnonzero(ctx.can_buy):
        group = widest(under, int(i))
        if group is None:
            continue
        candidates.append(
            Candidate(
                Side.BUY,
                ctx.symbols[i],
                sizes((step * ctx.base_weight for step in BUY_LADDER), most=-group.gap),
                params.priority_weight,
                standing(group),
                ("rebalance", f"underweight_{group.label.lower()}"),
            )
        )
    return candidates
