"""A filter: buy nothing whose price swings too much."""

from typing import Annotated

from pydantic import Field

from steelyard import Candidates, Context, Drop, ModuleParams, Ruling, say, sequence_filter


class Params(ModuleParams):
    """How calm is calm."""

    max_volatility: Annotated[
        float, Field(gt=0, le=5, description="volatility a year over which nothing is bought")
    ] = 0.35


@sequence_filter(
    "calm_buys",
    form="mask",
    version="1.0.0",
    params=Params,
    author="Steelyard examples",
    tags=("buy", "risk"),
)
def calm_buys(ctx: Context, candidates: Candidates, params: Params) -> Ruling:
    """Drop buys of securities whose volatility a year is over the limit; where it is unknown the
    neutral value counts.
    """
    volatility = ctx.estimates.volatility[candidates.security]
    wild = candidates.is_buy & (volatility > params.max_volatility)
    drops = {
        int(row): Drop(
            "max_volatility",
            float(volatility[row]),
            params.max_volatility,
            say(
                "volatility {found:pct} a year, at most {most:pct}",
                found=float(volatility[row]),
                most=params.max_volatility,
            ),
        )
        for row in wild.nonzero()[0]
    }
    return Ruling(~wild, drops)
