"""Opportunity buys: buy what has a smooth record, held or not."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from steelyard.context import Candidate, Context
from steelyard.opportunities import BUY_LADDER, PriorityWeight
from steelyard.orders import Side
from steelyard.registry import ModuleParams, opportunity_calculator
from steelyard.sentences import say
from steelyard.settings import Fraction


class Params(ModuleParams):
    """What counts as high quality. It is a measure of smoothness: it finds calmer names, not better-paid ones."""

    min_quality_score: Annotated[Fraction, Field(description="least quality")] = 0.65
    priority_weight: PriorityWeight = 1.1


@opportunity_calculator("opportunity_buys", version="1.0.0", params=Params, tags=("buy",))
def opportunity_buys(ctx: Context, params: Params) -> list[Candidate]:
    """Buy a security of high quality, held or not: one to eight base orders."""
    return [
        Candidate(
            Side.BUY,
            ctx.symbols[i],
            tuple(step * ctx.base_weight for step in BUY_LADDER),
            params.priority_weight,
            say("quality {quality:ratio}, at least {limit:ratio}", quality=float(ctx.quality[i]), limit=params.min_quality_score),
            ("quality", "opportunity"),
        )
        for i in np.flatnonzero(ctx.can_buy & (ctx.quality >= params.min_quality_score))
    ]
