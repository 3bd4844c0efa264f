"""Profit taking: sell a part of a holding that grew far more than a market would have."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np
from pydantic import Field

from steelyard.context import Candidate, Context
from steelyard.money import FloatArray
from steelyard.opportunities import PriorityWeight, sales
from steelyard.orders import Side
from steelyard.registry import ModuleParams, opportunity_calculator
from steelyard.sentences import Sentence, say

UNKNOWN_YEARS = 1.0
LEAST_YEARS = 0.1
"""Days after a purchase a jump of the price is a windfall in full: nothing could have been expected yet."""
SIZES = (0.5, 1.0)
"""Of the share of the holding that the decision table asks for."""

Excess = Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, le=1)]


class Params(ModuleParams):
    """The decision table, first row that holds.

    A baseline for every name, not its own past growth: that already contains the gain being judged.
    """

    expected_growth: Annotated[float, Field(ge=0, le=1, description="growth a year that is no windfall")] = 0.065
    doubler_gain: Annotated[float, Field(ge=0, le=10, description="gain over average cost from which a holding is a doubler")] = 1.0
    windfall_threshold: Annotated[Excess, Field(description="excess over expected growth above which a doubler is a windfall")] = 0.30
    high_excess: Annotated[Excess, Field(description="excess from which any holding is a high windfall")] = 0.50
    medium_excess: Annotated[Excess, Field(description="excess from which any holding is a medium windfall")] = 0.25
    windfall_doubler_share: Annotated[Share, Field(description="of the holding, sold of a windfall doubler")] = 0.50
    doubler_share: Annotated[Share, Field(description="of the holding, sold of any other doubler")] = 0.30
    high_share: Annotated[Share, Field(description="of the holding, sold of a high windfall")] = 0.40
    medium_share: Annotated[Share, Field(description="of the holding, sold of a medium windfall")] = 0.20
    priority_weight: PriorityWeight = 1.2


class Row(NamedTuple):
    """A row of the decision table: its name, the share of the holding to sell, is it a windfall."""

    name: str
    share: float
    windfall: bool


def decide(params: Params, price: float, cost: float, factor: float) -> Row | None:
    """First row of the table that holds, None when the gain is as expected.

    price, cost   per share, one currency
    factor        what expected growth would have made of 1 in the time held
    Prices are compared, not gains: 1.065 - 1 is not .065 in floats.
    """

    def reaches(excess: float) -> bool:
        return price >= cost * (factor + excess)

    doubler = price >= cost * (1 + params.doubler_gain)
    if doubler and price > cost * (factor + params.windfall_threshold):
        return Row("windfall doubler", params.windfall_doubler_share, windfall=True)
    if doubler:
        return Row("steady doubler", params.doubler_share, windfall=False)
    if reaches(params.high_excess):
        return Row("high windfall", params.high_share, windfall=True)
    if reaches(params.medium_excess):
        return Row("medium windfall", params.medium_share, windfall=True)
    return None


@opportunity_calculator("profit_taking", version="1.0.0", params=Params, tags=("sell",))
def profit_taking(ctx: Context, params: Params) -> list[Candidate]:
    """Sell part of a holding whose gain exceeds expected growth: half and all of a share by decision table."""
    years = np.maximum(np.where(np.isnan(ctx.years_held), UNKNOWN_YEARS, ctx.years_held), LEAST_YEARS)
    factors = (1 + params.expected_growth) ** years
    found: list[Candidate] = []
    for i in np.flatnonzero(ctx.held & ctx.can_sell & (ctx.average_cost > 0)):
        row = decide(params, ctx.prices[i], ctx.average_cost[i], factors[i])
        if row is None:
            continue
        found.append(
            Candidate(
                Side.SELL,
                ctx.symbols[i],
                sales(size * row.share * float(ctx.weights[i]) for size in SIZES),
                params.priority_weight,
                _why(ctx, params, row, int(i), years, factors),
                ("windfall", "profit_taking") if row.windfall else ("profit_taking",),
            )
        )
    return found


def _why(ctx: Context, params: Params, row: Row, i: int, years: FloatArray, factors: FloatArray) -> Sentence:
    gain = float(ctx.prices[i] / ctx.average_cost[i]) - 1
    held = "an unknown time, taken as {years:ratio} years" if np.isnan(ctx.years_held[i]) else "{years:ratio} years"
    return say(
        "{row:text}: {gain:pct} over its cost after " + held + ", {excess:spp} against growth of {growth:pct} a year",
        row=row.name,
        gain=gain,
        years=float(years[i]),
        excess=gain - (float(factors[i]) - 1),
        growth=params.expected_growth,
    )
