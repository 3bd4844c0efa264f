"""Profit taking: sell part of what grew far more than a market; leave what falls from a peak."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np
from pydantic import Field

from steelyard.arrays import FloatArray
from steelyard.modules.candidates import TRAILING_STOP, Candidate
from steelyard.modules.context import Context
from steelyard.modules.opportunities import PriorityWeight, sales
from steelyard.modules.registry import ModuleParams, opportunity_calculator
from steelyard.orders import Side
from steelyard.sentences import Sentence, say
from steelyard.settings import setting

UNKNOWN_YEARS = 1.0
LEAST_YEARS = 0.1
"""Days after a purchase a jump of the price is a windfall in full: nothing was expected yet."""
SIZES = (0.5, 1.0)
"""Of the share of the holding that the decision table asks for."""
STOP_SIZES = (0.25, 0.5, 1.0)
"""Of a holding that fell through its stop: all, and parts for a plan that cannot use it all."""
DECIMALS = 12

Excess = Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, le=1)]


class Params(ModuleParams):
    """The decision table, first row that holds, and a trailing stop.

    A baseline for every name, not its own past growth, which has the gain that is judged in it.
    What only grew as expected is nothing to take, a doubling of twenty years no more than others.
    One number, `windfall_threshold`, opens every windfall row: that of a doubler at the threshold,
    a high windfall above it, a medium one a little below.
    """

    expected_growth: float = setting(0.065, "growth a year that is no windfall", ge=0, le=1)
    doubler_gain: float = setting(
        1.0,
        "gain over average cost from which a holding is a doubler, if it is over expected growth",
        ge=0,
        le=10,
    )
    windfall_threshold: Excess = setting(
        0.30, "excess over expected growth above which a doubler is a windfall"
    )
    high_above: Excess = setting(
        0.20, "above the threshold, from here on any holding is a high windfall"
    )
    medium_below: Excess = setting(
        0.05, "below the threshold, from here on any holding is a medium windfall"
    )
    windfall_doubler_share: Share = setting(0.50, "of the holding, sold of a windfall doubler")
    doubler_share: Share = setting(0.30, "of the holding, sold of any other doubler")
    high_share: Share = setting(0.40, "of the holding, sold of a high windfall")
    medium_share: Share = setting(0.20, "of the holding, sold of a medium windfall")
    sell_fraction: float | None = setting(
        None,
        "of the holding, sold of every windfall in place of its row's share; off when absent",
        gt=0,
        le=1,
    )
    auto_harvest: bool = setting(False, "is any excess a windfall, whatever the threshold")
    trailing_stop_distance: float | None = setting(
        None, "fall from the peak since purchase from which it is sold; off when absent", gt=0, lt=1
    )
    trailing_stop_gain: float = setting(
        0.15, "gain over average cost that the peak must have reached", ge=0, le=10
    )
    priority_weight: PriorityWeight = 1.2

    def most_sizes(self) -> int:
        """Of a holding that is stopped, or of a share of it."""
        return max(len(SIZES), len(STOP_SIZES))


class Row(NamedTuple):
    """A row of the decision table: its name, the share of the holding to sell, is it a windfall."""

    name: str
    share: float
    windfall: bool


def decide(params: Params, price: float, cost: float, factor: float) -> Row | None:
    """First row of the table that holds, None when the gain is as expected or less.

    price, cost   per share, one currency
    factor        what expected growth would have made of 1 in the time held
    Growth and thresholds are compared in decimals: 1.177 / 1.07 is 1.1 as they are written, and
    neither product nor quotient of floats hits it.
    """
    grown = _exact(price / cost)

    def windfall(name: str, share: float) -> Row:
        sold = share if params.sell_fraction is None else params.sell_fraction
        return Row(name, sold, windfall=True)

    threshold = params.windfall_threshold
    opens = 0.0 if params.auto_harvest else threshold
    doubler = grown >= _exact(1 + params.doubler_gain) and grown > _exact(factor)
    if doubler and grown > _exact(factor + opens):
        return windfall("windfall doubler", params.windfall_doubler_share)
    if doubler:
        return Row("steady doubler", params.doubler_share, windfall=False)
    if grown >= _exact(factor + threshold + params.high_above):
        return windfall("high windfall", params.high_share)
    if grown > _exact(factor) and grown >= _exact(factor + max(0.0, opens - params.medium_below)):
        return windfall("medium windfall", params.medium_share)
    return None


def _exact(number: float) -> float:
    """A number in decimals: .30 + .20 is .5 and .30 - .05 is .25, as they are written."""
    return round(number, DECIMALS)


def stopped(params: Params, price: float, cost: float, peak: float) -> bool:
    """Did the price reach the gain since the purchase, then fall? False for an unknown peak.

    price, cost, peak   per share, one currency. The peak is of the price file's closes: where those
                        contain dividends (adjusted closes) an old peak is lower than what was
                        quoted, so the stop falls later, never earlier. Where they are raw, a split
                        looks like a fall; prices, costs and quantities must be of one count of
                        shares.
    """
    if params.trailing_stop_distance is None or not peak > 0:
        return False
    risen = _exact(peak / cost) >= _exact(1 + params.trailing_stop_gain)
    return risen and _exact(price / peak) <= _exact(1 - params.trailing_stop_distance)


@opportunity_calculator("profit_taking", version="1.1.0", params=Params, tags=("sell",))
def profit_taking(ctx: Context, params: Params) -> list[Candidate]:
    """Sell half and all of a share, by decision table, of what grew more than expected; leave what
    fell through its trailing stop.
    """
    years = np.nan_to_num(ctx.years_held, nan=UNKNOWN_YEARS).clip(min=LEAST_YEARS)
    factors = (1 + params.expected_growth) ** years
    candidates: list[Candidate] = []
    for i in np.flatnonzero(ctx.held & ctx.can_sell & (ctx.average_cost > 0)):
        if stopped(params, ctx.prices[i], ctx.average_cost[i], ctx.trends.peaks[i]):
            candidates.append(_exit(ctx, params, int(i)))
            continue
        row = decide(params, ctx.prices[i], ctx.average_cost[i], factors[i])
        if row is None:
            continue
        candidates.append(
            Candidate(
                Side.SELL,
                ctx.symbols[i],
                sales(size * row.share * float(ctx.weights[i]) for size in SIZES),
                params.priority_weight,
                _why(ctx, params, row, int(i), years, factors),
                ("windfall", "profit_taking") if row.windfall else ("profit_taking",),
            )
        )
    return candidates


def _exit(ctx: Context, params: Params, i: int) -> Candidate:
    """The way out of a holding that fell through its stop."""
    price, cost, peak = float(ctx.prices[i]), float(ctx.average_cost[i]), float(ctx.trends.peaks[i])
    why = say(
        "trailing stop: {fall:pct} under its peak of {peak:money} since the purchase, at least "
        "{distance:pct}; the peak was {gain:pct} over its cost, at least {least:pct}",
        fall=1 - price / peak,
        peak=peak,
        distance=params.trailing_stop_distance or 0.0,
        gain=peak / cost - 1,
        least=params.trailing_stop_gain,
    )
    return Candidate(
        Side.SELL,
        ctx.symbols[i],
        sales(size * float(ctx.weights[i]) for size in STOP_SIZES),
        params.priority_weight,
        why,
        (TRAILING_STOP, "profit_taking"),
    )


def _why(
    ctx: Context, params: Params, row: Row, i: int, years: FloatArray, factors: FloatArray
) -> Sentence:
    gain = float(ctx.prices[i] / ctx.average_cost[i]) - 1
    time = (
        "an unknown time, taken as {years:ratio} years"
        if np.isnan(ctx.years_held[i])
        else "{years:ratio} years"
    )
    return say(
        "{row:text}: {gain:pct} over its cost after "
        + time
        + ", {excess:spp} against growth of {growth:pct} a year",
        row=row.name,
        gain=gain,
        years=float(years[i]),
        excess=gain - (float(factors[i]) - 1),
        growth=params.expected_growth,
    )
