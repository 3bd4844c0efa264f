"""Averaging down: buy more of a sound holding that trades moderately below its cost."""

from __future__ import annotations

from typing import Self

import numpy as np
from pydantic import model_validator

from steelyard.modules.candidates import Candidate
from steelyard.modules.context import Context
from steelyard.modules.opportunities import BUY_LADDER, PriorityWeight, quality_word, reaches, sizes
from steelyard.modules.registry import ModuleParams, opportunity_calculator
from steelyard.orders import Side
from steelyard.sentences import say
from steelyard.settings import Fraction, setting

STEPS = BUY_LADDER[:2]
DECIMALS = 12


class Params(ModuleParams):
    """A band of losses, both ends included: shallower is noise, deeper is another story."""

    dip_threshold: Fraction = setting(0.1, "least fraction below average cost")
    max_drawdown: Fraction = setting(0.4, "most, as a fraction below it")
    min_quality_score: float | None = setting(
        None, "least quality; when absent it is a rank, see `best_share`", ge=0, le=1
    )
    best_share: Fraction = setting(
        0.7, "best share of the planning set by quality, where no least quality is set"
    )
    max_weight: float = setting(0.10, "of value, after the buy", gt=0, le=1)
    priority_weight: PriorityWeight = 1.0

    @model_validator(mode="after")
    def _a_band(self) -> Self:
        if self.dip_threshold > self.max_drawdown:
            band = f"dip_threshold {self.dip_threshold} is above max_drawdown {self.max_drawdown}"
            raise ValueError(f"{band}: no loss lies between them")
        return self

    def most_sizes(self) -> int:
        """One a step."""
        return len(STEPS)


@opportunity_calculator("averaging_down", version="2.0.0", params=Params, tags=("buy",))
def averaging_down(ctx: Context, params: Params) -> list[Candidate]:
    """Buy more of a sound holding below its cost: one and two base orders, up to a weight."""
    # in decimals: 1 - 90/100 is 0.09999999999999998 in floats
    costs = np.where(ctx.average_cost > 0, ctx.average_cost, np.nan)
    ratio = np.round(ctx.prices / costs, DECIMALS)
    cheap = ratio <= round(1 - params.dip_threshold, DECIMALS)
    sinking = ratio < round(1 - params.max_drawdown, DECIMALS)
    comparable = ~ctx.estimates.missing["quality"]
    sound = reaches(ctx.quality, comparable, params.min_quality_score, params.best_share)
    room = params.max_weight - ctx.weights
    return [
        Candidate(
            Side.BUY,
            ctx.symbols[i],
            sizes((step * ctx.base_weight for step in STEPS), most=float(room[i])),
            params.priority_weight,
            say(
                f"{{loss:pct}} below its cost, {quality_word(ctx, int(i))} {{quality:ratio}}",
                loss=float(1 - ctx.prices[i] / ctx.average_cost[i]),
                quality=float(ctx.quality[i]),
            ),
            ("averaging_down", "buy_low"),
        )
        for i in np.flatnonzero(ctx.held & ctx.can_buy & cheap & ~sinking & sound & (room > 0))
    ]
